"""Where rows come from."""

from processor.data.generator import GeneratedQuestions, generate
from processor.data.opener import open_source
from processor.data.source import BadRow, Source

__all__ = ["BadRow", "GeneratedQuestions", "Source", "generate", "open_source"]
