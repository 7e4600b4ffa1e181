"""Packages that come with an extra of the distribution only."""

from collections.abc import Iterator
from contextlib import contextmanager

from processor.errors import UsageError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around the import of what an extra brings.

    Raises:
        UsageError: It is not installed; says how to.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "processor":  # a slip of ours, which no extra mends
            raise
        raise UsageError(
            f"the package {package} is not installed",
            way_out=f"Install it: pip install 'request-processor[{name}]'.",
        ) from error
