"""Files as outputs: CSV, TSV, JSON Lines, Parquet, Excel, and standard output."""

import io
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO, cast

from processor import packing, postgres
from processor.errors import DeliveryError, LedgerError, UsageError
from processor.exports import delimited, grid as grids, jsonl, kinds
from processor.exports.atomic import replacing_bytes
from processor.exports.grid import Grid
from processor.exports.output import Delivered, Terms
from processor.exports.pivot import Pivot
from processor.exports.place import expect_room
from processor.exports.table import ResultTable
from processor.extras import extra
from processor.ledger import database, sources

STANDARD_OUTPUT = "-"
_Write = Callable[[IO[bytes], Grid, Terms], tuple[int, Sequence[str]]]
_Fill = Callable[[IO[bytes]], tuple[int, Sequence[str]]]


def _delimited(delimiter: str) -> _Write:
    def write(file: IO[bytes], grid: Grid, terms: Terms) -> tuple[int, Sequence[str]]:
        with _as_text(file) as text:
            count = delimited.write(
                text, grid, delimiter=delimiter, excel=terms.excel, bom=terms.bom
            )
        return count, ()

    return write


def _jsonl(file: IO[bytes], grid: Grid, _: Terms) -> tuple[int, Sequence[str]]:
    return jsonl.write(file, grid), ()


def _load_parquet() -> _Write:
    with extra("parquet"):
        from processor.exports import parquet  # noqa: PLC0415 - an extra, and heavy
    return lambda file, grid, _: (parquet.write(file, grid), ())


def _load_excel() -> _Write:
    with extra("excel"):
        from processor.exports import excel  # noqa: PLC0415 - an extra
    return lambda file, grid, _: excel.write(file, grid)


_TEXTS: Mapping[str, _Write] = MappingProxyType(
    {
        ".csv": _delimited(","),
        ".tsv": _delimited("\t"),
        ".jsonl": _jsonl,
        ".ndjson": _jsonl,
    }
)
_TYPED: Mapping[str, Callable[[], _Write]] = MappingProxyType(
    {".parquet": _load_parquet, ".xlsx": _load_excel}
)
_LINES = frozenset({".jsonl", ".ndjson"})
_WITH_VECTORS = frozenset({".parquet"})
SUPPORTED = (
    f"Written are {', '.join(_TEXTS)}, each also with {' or '.join(packing.ENDINGS)}, "
    f"{', '.join(_TYPED)}, and - for JSON Lines on standard output"
)


@contextmanager
def _as_text(file: IO[bytes]) -> Iterator[IO[str]]:
    text = io.TextIOWrapper(cast("BinaryIO", file), encoding="utf-8", newline="")
    yield text
    text.flush()
    text.detach()


def is_file(spec: str) -> bool:
    """Whether what was typed stands for a file or standard output, of whatever format."""
    return "://" not in spec


class FileOutput:
    """A file, written whole or not at all once a run is at its end, or standard output.

    Types are kept where the format has them. A file that is there already is replaced.

    Args:
        spec: Its name, or `-` for standard output, which gets JSON Lines.
        terms: What is written.
        pivot: Lays the results out as a table of two of their columns.

    Raises:
        UsageError: The name's ending is of no known format, or terms are a database's.
    """

    live = False

    def __init__(self, spec: str, terms: Terms, *, pivot: Pivot | None = None) -> None:
        self.name = "standard output" if spec == STANDARD_OUTPUT else spec
        self._path = None if spec == STANDARD_OUTPUT else Path(os.path.realpath(spec))
        self._stream = sys.stdout  # as it is now: others may turn what is said elsewhere
        self._terms = terms
        self._pivot = pivot
        self._ending, self._packed = (
            packing.split(spec) if self._path is not None else (".jsonl", "")
        )
        if self._ending not in (_TEXTS if self._packed else {**_TEXTS, **_TYPED}):
            raise UsageError(
                f"--output {postgres.shown(spec)}: is of no known format", way_out=f"{SUPPORTED}."
            )
        self._with_vectors = self._ending in _WITH_VECTORS and pivot is None
        _refuse_foreign(spec, terms)

    @property
    def takes_lines(self) -> bool:
        """Whether the format is lines of JSON."""
        return self._ending in _LINES

    def reach(self) -> None:
        """See that the folder is there and takes files, and that the format can be written.

        Raises:
            UsageError: It is not, does not, or cannot: an extra is missing.
        """
        if self._path is None:
            if not hasattr(self._stream, "buffer"):  # as in a notebook
                raise UsageError(
                    "--output -: standard output takes no bytes here",
                    way_out="Name a file, or take the report's rows().",
                )
            return
        self._writer()
        expect_room(self._path, f"--output {self.name}")

    def check(self, connection: sqlite3.Connection) -> None:
        """See that the columns are there, and that no input would be written over.

        Raises:
            UsageError: They are not, or one would.
        """
        if self._path is not None:
            written = (self._path, Path(os.path.abspath(self.name)))  # noqa: PTH100 - keeps links
            if any(sources.hold(connection, path) for path in written):
                raise UsageError(
                    f"--output {self.name}: is the input of this run",
                    way_out="Name another file.",
                )
        names = self._pivot.names if self._pivot is not None else self._terms.columns
        grids.of_results(connection, "all", names, with_vectors=self._with_vectors)

    def deliver(self, ledger: Path) -> Delivered:
        """Write the file anew, from one state of the ledger.

        Raises:
            UsageError: The columns cannot be laid out, or are too many for the format.
            DeliveryError: Standard output, or the disk of the file, does not take the rows.
            LedgerError: The ledger cannot be read.
        """
        with database.reading(ledger) as connection:
            connection.execute("BEGIN")  # one state of it, whoever writes meanwhile
            self.check(connection)
            return self.put(self.grid(connection))

    def put(self, grid: Grid) -> Delivered:
        """Write a table, whoever made it; errors as those of `deliver`."""
        if self._path is None:
            return Delivered(inserted=self._print(grid))
        write = self._writer()
        return self._replace(self._path, lambda file: write(file, grid, self._terms))

    def put_lines(self, lines: Iterable[bytes]) -> Delivered:
        """Write lines as they are into a file of JSON Lines; errors as those of `deliver`."""
        assert self._path is not None
        assert self.takes_lines
        return self._replace(self._path, lambda file: (jsonl.copy(file, lines), ()))

    def waiting(self, ledger: Path) -> int:
        """All of them: it is written whole or not at all.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with database.reading(ledger) as connection:
            (count,) = connection.execute("SELECT COUNT(*) FROM outcomes").fetchone()
        return int(count)

    def close(self) -> None:
        """Nothing is held."""

    def grid(self, connection: sqlite3.Connection) -> Grid:
        """The rows of a ledger as they are written; read within its transaction."""
        rows = self._terms.rows or "all"
        if self._pivot is not None:
            grid = grids.of_results(connection, rows, self._pivot.names)
            return self._pivot.of(connection, grid)
        grid = grids.of_results(
            connection, rows, self._terms.columns, with_vectors=self._with_vectors
        )
        if self._ending not in _TYPED:
            return grid
        table = ResultTable(connection, with_vectors=self._with_vectors)
        known = {column.name: column for column in kinds.resolved(connection, table)}
        return Grid([known[column.name] for column in grid.columns], grid.slices)

    def _replace(self, path: Path, fill: _Fill) -> Delivered:
        try:
            with replacing_bytes(path) as file:
                count, notes = self._fill(file, fill)
        except LedgerError as error:  # its disk may be another than the run's, which is well
            raise DeliveryError(error.message, passing=False, way_out=error.way_out) from error
        return Delivered(inserted=count, notes=notes, files=[Path(self.name)])

    def _fill(self, file: IO[bytes], fill: _Fill) -> tuple[int, Sequence[str]]:
        if not self._packed:
            return fill(file)
        with packing.packing(cast("BinaryIO", file), self._packed) as packed:
            return fill(packed)

    def _print(self, grid: Grid) -> int:
        """Write to standard output, until nobody reads it any more; returns how many rows."""
        try:
            count, _ = self._writer()(self._stream.buffer, grid, self._terms)
            self._stream.buffer.flush()
        except BrokenPipeError:  # as `head` does: it has what it wants
            return 0
        except OSError as error:
            raise DeliveryError(
                f"{self.name}: {error.strerror or error}",
                passing=False,
                way_out="The run's own results are whole; processor export writes them again.",
            ) from error
        return count

    def _writer(self) -> _Write:
        load = _TYPED.get(self._ending)
        return load() if load is not None else _TEXTS[self._ending]


def _refuse_foreign(spec: str, terms: Terms) -> None:
    """What only a database heeds is not left out silently."""
    named = {
        "a table": terms.table is not None,
        "columns to write into": bool(terms.into),
        "old values to keep": terms.keep_old,
        "a rehearsal": terms.rehearse,
    }
    for what, is_wanted in named.items():
        if is_wanted:
            raise UsageError(
                f"--output {spec}: a file has no use for {what}",
                way_out="Leave that option out, or name a database.",
            )
