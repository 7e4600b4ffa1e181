"""The rows that all arms of a comparison send: read once, kept beside their runs."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from processor import jsontext
from processor.columns import Column
from processor.data import BadRow, Source
from processor.errors import InputError
from processor.exports.atomic import replacing
from processor.items import Row

ROWS_NAME = "rows.jsonl"


def first_rows(source: Source, most: int) -> list[Row]:
    """The first rows of a source.

    Raises:
        InputError: One of them cannot be read, or there are fewer than two.
    """
    rows = []
    for row in islice(source.rows(), most):
        if isinstance(row, BadRow):
            raise InputError(row.problem, source=source.name, row=row.number)
        rows.append(row)
    if len(rows) < 2:
        raise InputError("it takes two rows to compare", source=source.name)
    return rows


def text_of(rows: Sequence[Row]) -> str:
    """Rows as lines of JSON."""
    return "".join(
        f"{jsontext.dumps({'id': row.id, 'fields': dict(row.fields)})}\n" for row in rows
    )


def digest_of(text: str) -> str:
    """What tells rows from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keep(folder: Path, text: str) -> None:
    """Write rows into a comparison's folder.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing(folder / ROWS_NAME) as file:
        file.write(text)


def kept(path: Path, count: int) -> "HeldRows":
    """The first rows that a comparison has kept.

    Raises:
        InputError: The file is gone.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = [jsontext.loads(line) for line in islice(file, count)]
    except OSError as error:
        raise InputError(str(error.strerror), source=str(path)) from error
    return HeldRows(
        name=str(path),
        uri=str(path.absolute()),
        content=[
            Row(number=number, fields=line["fields"], id=line["id"])
            for number, line in enumerate(lines, 1)
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows:
    """Rows in memory; implements `Source`."""

    content: Sequence[Row]
    name: str
    uri: str

    def stamp(self) -> str:
        """They never change."""
        return f"first {len(self.content)}"

    def columns(self) -> Sequence[Column]:
        """None: values speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row]:
        """The rows."""
        return iter(self.content)
