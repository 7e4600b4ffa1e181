"""Where rows come from."""

from processor.data.opener import open_source
from processor.data.source import BadRow, Source

__all__ = ["BadRow", "Source", "open_source"]
