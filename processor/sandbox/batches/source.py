"""The input of a batch, its lines in the order in which they are worked on."""

from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from processor.sandbox.batches.scan import line_starts


class Source:
    """The lines of an input, shuffled, and always in the same way.

    Args:
        path: Of the input.
        seed: Of the sandbox.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self._starts = line_starts(path)
        # One can name lines in any order with a list of places, at 8 bytes each.
        Random(f"{seed} {len(self._starts)}").shuffle(self._starts)  # noqa: S311 - no secret
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def lines(self, first: int, count: int) -> list[bytes]:
        """So many lines from one on, in the order of the work."""
        return [self._line(start) for start in self._starts[first : first + count]]

    def _line(self, start: int) -> bytes:
        self._file.seek(start)
        return self._file.readline()
