"""One prompt over a whole table, through any OpenAI-compatible API."""

__version__ = "0.1.0"
