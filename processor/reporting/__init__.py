"""Reports: a run told in one file, to be shown to others."""

from processor.reporting.writing import write

__all__ = ["write"]
