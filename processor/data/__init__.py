"""Where rows come from; made-up ones from `generator`, which others need not load."""

from processor.data.opener import open_source
from processor.data.source import BadRow, Source

__all__ = ["BadRow", "Source", "open_source"]
