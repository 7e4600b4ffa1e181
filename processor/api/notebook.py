"""Whether anybody sees what is written to standard error."""

import sys


def is_watched() -> bool:
    """A terminal, or a notebook's cell."""
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
