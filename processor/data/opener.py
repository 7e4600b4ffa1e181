"""From what the user typed to the source it names."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from processor import packing, postgres
from processor.columns import Column
from processor.data.csv import read_csv
from processor.data.files import file_blocks, refusal, stamp_of, stream_blocks, uri_of
from processor.data.jsonl import read_jsonl
from processor.data.many import ManyFiles
from processor.data.source import BadRow, Source
from processor.data.text import begun, known_encoding, utf8_lines
from processor.data.wanted import EVERYTHING, Wanted
from processor.errors import InputError, UsageError
from processor.extras import extra
from processor.items import Row


class Reader(Protocol):
    """A format."""

    def __call__(self, parts: Iterable[bytes], *, source: str) -> Iterator[Row | BadRow]:
        """The rows of UTF-8 lines; `source` is the user's name for them."""


_READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": partial(read_csv, delimiter="\t"),
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
}
_STANDARD_INPUT = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}
_DATABASES = "Of databases PostgreSQL is read: postgresql://USER:PASSWORD@HOST/DATABASE."
_PARQUET, _EXCEL = ".parquet", ".xlsx"
_SUPPORTED = (
    f"Read are {', '.join(_READERS)}, each also with {' or '.join(packing.ENDINGS)}, {_PARQUET}, "
    f"{_EXCEL}, and - for standard input."
)


def open_source(spec: str, *, encoding: str | None = None, wanted: Wanted = EVERYTHING) -> Source:
    """The source that a file's name, a pattern of names, a database's URI, or `-` stands for.

    Args:
        spec: What the user typed; the system's own names for standard input are `-` too.
        encoding: Of the text; None lets the bytes decide between UTF-8, UTF-16 and CP949.
        wanted: Which rows of a database or a workbook.

    Raises:
        InputError: There is no such file, or its name's ending is of no supported format.
        UsageError: Python knows no such encoding; what is wanted makes no sense there.
    """
    if postgres.is_address(spec):
        with extra(postgres.EXTRA):
            from processor.data.postgres import PostgresSource  # noqa: PLC0415 - comes with it
        return PostgresSource.of(spec, wanted)
    if wanted.query is not None or wanted.table is not None:
        raise UsageError(
            "--query and --table go with a database",
            way_out="Name it with --input postgresql://…, or in DATABASE_URL.",
        )
    codec = None if encoding is None else known_encoding(encoding)
    if spec in _STANDARD_INPUT:
        return StandardInput(stream=sys.stdin, encoding=codec)
    if "://" in spec:
        raise InputError("is of no known format", source=postgres.shown(spec), way_out=_DATABASES)
    if glob.has_magic(spec) and not os.path.lexists(spec):
        return _many(spec, codec, wanted)
    return _file(spec, codec, wanted)


def _many(pattern: str, codec: str | None, wanted: Wanted) -> Source:
    """The files that a pattern matches, as one source; of one format, in the order of names."""
    found = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - as typed, relative or not
    names = sorted(name for name in found if not Path(name).is_dir())
    if not names:
        way_out = "Quotes around a pattern keep the shell from touching it."
        raise InputError("no file matches", source=pattern, way_out=way_out)
    formats = {packing.split(name)[0]: name for name in reversed(names)}
    if len(formats) > 1:
        raise InputError(
            f"matches files of several formats: {' and '.join(sorted(formats.values()))}",
            source=pattern,
            way_out="Narrow the pattern, so that all are of one format.",
        )
    uri = uri_of(Path(os.path.abspath(pattern)))  # noqa: PTH100  (as for a file)
    files = [_file(name, codec, wanted) for name in names]
    sheet = "" if wanted.sheet is None else f"#{wanted.sheet}"
    return ManyFiles(name=pattern, uri=uri + sheet, files=files)


def _file(spec: str, codec: str | None, wanted: Wanted) -> Source:
    """A file, by the ending of its name."""
    path = Path(os.path.abspath(spec))  # noqa: PTH100  (resolve() would follow links)
    if os.path.isdir(path):  # noqa: PTH112 - of a name that is too long, reading it tells
        raise refusal(IsADirectoryError(), path, name=spec)
    ending, packed = packing.split(spec)
    if wanted.sheet is not None and (ending, packed) != (_EXCEL, ""):
        raise UsageError(f"--sheet goes with {_EXCEL}", way_out="Leave it out.")
    source: Source
    if ending in _READERS:
        source = FileSource(name=spec, path=path, reader=_READERS[ending], encoding=codec)
    elif packed or ending not in (_PARQUET, _EXCEL):
        raise InputError("is of no known format", source=postgres.shown(spec), way_out=_SUPPORTED)
    elif codec is not None:
        raise UsageError("--encoding goes with text", way_out=f"Leave it out for {ending}.")
    elif ending == _PARQUET:
        with extra("parquet"):
            from processor.data.parquet import ParquetSource  # noqa: PLC0415 - an extra, and heavy
        source = ParquetSource(name=spec, path=path)
    else:
        with extra("excel"):
            from processor.data.excel import ExcelSource  # noqa: PLC0415 - an extra
        source = ExcelSource(name=spec, path=path, sheet=wanted.sheet)
    source.stamp()
    return source


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A file, its format known by its ending."""

    name: str
    path: Path
    reader: Reader
    encoding: str | None = None

    @property
    def uri(self) -> str:
        """The absolute path."""
        return uri_of(self.path)

    def stamp(self) -> str | None:
        """Path, size and time of the last change; None for a pipe.

        Raises:
            InputError: There is no such file.
        """
        return stamp_of(self.path, name=self.name)

    def columns(self) -> Sequence[Column]:
        """None: text, or values that speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, from the first.

        Raises:
            InputError: The file cannot be read as rows, or has none.
        """
        blocks = file_blocks(self.path, name=self.name)
        parts = utf8_lines(blocks, encoding=self.encoding, source=self.name)
        return self.reader(parts, source=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardInput:
    """What is piped in: JSON Lines when it begins with a brace or a bracket, else CSV.

    It can be read once.
    """

    stream: TextIO | None
    encoding: str | None = None
    name: str = "standard input"
    uri: str = "-"

    def stamp(self) -> str | None:
        """None: nobody can tell."""
        return None

    def columns(self) -> Sequence[Column]:
        """None: text, or values that speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, as they come.

        Raises:
            InputError: It is a terminal, cannot be read as rows, or has none.
        """
        blocks = stream_blocks(self._bytes())
        first, parts = begun(utf8_lines(blocks, encoding=self.encoding, source=self.name))
        reader = read_jsonl if first.lstrip().startswith((b"{", b"[")) else read_csv
        return reader(parts, source=self.name)

    def _bytes(self) -> BinaryIO:
        if self.stream is None or self.stream.closed:
            raise InputError("is closed", source=self.name)
        if self.stream.isatty():
            way_out = "Pipe rows into it, or name a file."
            raise InputError("is a terminal", source=self.name, way_out=way_out)
        return self.stream.buffer
