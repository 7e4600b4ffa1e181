"""From what the user typed to the source it names."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Protocol, TextIO

from processor import postgres
from processor.columns import Column
from processor.data.csv import read_csv
from processor.data.files import file_blocks, refusal, stat_file, stream_blocks
from processor.data.jsonl import read_jsonl
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
_SUPPORTED = f"Read are {', '.join(_READERS)}, each also with .gz, and - for standard input."


def open_source(spec: str, *, encoding: str | None = None, wanted: Wanted = EVERYTHING) -> Source:
    """The source that a file's name, a database's URI, or `-` for standard input stands for.

    Args:
        spec: What the user typed; the system's own names for standard input are `-` too.
        encoding: Of the text; None lets the bytes decide between UTF-8, UTF-16 and CP949.
        wanted: Which rows of a database.

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
    path = Path(os.path.abspath(spec))  # noqa: PTH100  (resolve() would follow links)
    if path.is_dir():
        raise refusal(IsADirectoryError(), path, name=spec)
    reader = None if "://" in spec else _READERS.get(_ending(spec))
    if reader is None:
        way_out = _DATABASES if "://" in spec else _SUPPORTED
        raise InputError("is of no known format", source=_shown(spec), way_out=way_out)
    source = FileSource(name=spec, path=path, reader=reader, encoding=codec)
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
        """The absolute path; links are kept, so that a link moved on stays the same source.

        A folder's name may be of another encoding than UTF-8.
        """
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")

    def stamp(self) -> str | None:
        """Path, size and time of the last change; None for a pipe.

        Raises:
            InputError: There is no such file.
        """
        state = stat_file(self.path, name=self.name)
        if not S_ISREG(state.st_mode):
            return None
        return f"{self.uri} {state.st_size} {state.st_mtime_ns}"

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


def _ending(spec: str) -> str:
    path = Path(spec.lower())
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _shown(spec: str) -> str:
    """A URI may hold a password."""
    scheme, found, _ = spec.partition("://")
    return f"{scheme}://…" if found else spec
