"""The command line: thin commands over the package."""

from processor.cli.main import main

__all__ = ["main"]
