"""The two files that a batch writes."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from processor.sandbox.batches.batch import Batch
from processor.sandbox.batches.lines import Outcome
from processor.sandbox.storage.folder import Storage


class Outputs:
    """The output file and the error file of a batch, open to be gone on with.

    What lies behind the bytes that the batch's record counts is thrown away: it was written, but
    its lines were not counted when the sandbox died.
    """

    def __init__(self, batch: Batch, storage: Storage) -> None:
        self._output = _opened(storage.files.path(batch.output_id), batch.output_bytes)
        self._errors = _opened(storage.files.path(batch.error_id), batch.error_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._output.close()
        self._errors.close()

    def write(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        """Write lines; gives the bytes in both files."""
        for outcome in outcomes:
            (self._output if outcome.good else self._errors).write(outcome.raw)
        return self._flushed()

    def write_error(self, line: bytes) -> None:
        """Write a line into the error file."""
        self._errors.write(line)

    def _flushed(self) -> tuple[int, int]:
        for file in (self._output, self._errors):
            file.flush()
        return self._output.tell(), self._errors.tell()


def _opened(path: Path, size: int) -> BinaryIO:
    path.touch(mode=0o600)
    file = path.open("r+b")
    file.truncate(size)
    file.seek(size)
    return file
