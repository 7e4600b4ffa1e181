"""The table of articles: what is in it before anything is sent, and rows that come back."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.columns import Column
from processor.data import open_source
from processor.data.source import BadRow, Source
from processor.errors import InputError, UsageError
from processor.items import Row
from processor.labelling.columns import FAILURES, RUN, apart
from processor.labelling.template import TEXT
from processor.tasks.prompt import PromptTask

_HASHED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """A table, looked through once.

    Attributes:
        source: Its rows.
        path: As it was typed.
        columns: In their order.
        rows: How many, bad ones not counted.
        run: Name of the run whose failed rows these are; None for a table of the user's.
        sha256: Of its bytes.
        sample: The first rows.
    """

    source: Source
    path: str
    columns: Sequence[str]
    rows: int
    run: str | None
    sha256: str
    sample: Sequence[Row]


def articles(path: str, *, encoding: str | None, sample: int = 0) -> Articles:
    """Look through a table.

    Args:
        path: Of a file.
        encoding: Of it; None to recognise it.
        sample: How many of the first rows are wanted.

    Raises:
        InputError: It cannot be read, or has no column `text`.
        UsageError: It is no file.
    """
    if not Path(path).is_file() and Path(path).exists():
        raise UsageError(
            f"{path} 는 파일이 아닙니다", way_out="CSV 파일을 --input 으로 지정하세요."
        )
    whole = open_source(path, encoding=encoding)
    digest = _sha256(Path(path))
    columns: dict[str, None] = {}
    first: list[Row] = []
    count, run = 0, None
    for row in whole.rows():
        if isinstance(row, BadRow):
            continue
        if not columns.keys() >= row.fields.keys():
            columns.update(dict.fromkeys(row.fields))
        if run is None and row.fields.keys() >= set(FAILURES):
            run = str(row.fields[RUN])
        if len(first) < sample:
            first.append(row)
        count += 1
    if count and TEXT not in columns:
        raise InputError(
            f"'{TEXT}' 열이 없습니다",
            source=path,
            way_out=f"있는 열: {', '.join(columns)}. 본문 열의 이름을 '{TEXT}' 로 바꾸세요.",
        )
    return Articles(
        source=whole,
        path=path,
        columns=list(columns),
        rows=count,
        run=run,
        sha256=digest,
        sample=first,
    )


class Wrapped:
    """A table that is read in another way; what else is known of it stays.

    Args:
        source: The table.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def name(self) -> str:
        """As the table's."""
        return self._source.name

    @property
    def uri(self) -> str:
        """As the table's."""
        return self._source.uri

    def stamp(self) -> str | None:
        """As the table's."""
        return self._source.stamp()

    def columns(self) -> Sequence[Column]:
        """None: no text file says them."""
        return ()


class WithoutResults(Wrapped):
    """A table of failed rows as they were before: what the script has put there is left out.

    Args:
        source: The table.
        given: The columns that its rows had; empty where nobody knows, and all others stay.
    """

    def __init__(self, source: Source, given: Sequence[str]) -> None:
        super().__init__(source)
        self._before = dict(zip(apart(given), given, strict=True))

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, with the names that their columns had."""
        for row in self._source.rows():
            yield row if isinstance(row, BadRow) else self._as_before(row)

    def _as_before(self, row: Row) -> Row:
        fields = {
            self._before.get(name, name): value
            for name, value in row.fields.items()
            if name not in FAILURES
        }
        return Row(number=row.number, fields=fields)


def good_rows(source: Source) -> Iterator[Row]:
    """The rows that can be read."""
    return (row for row in source.rows() if not isinstance(row, BadRow))


def problem_of(task: PromptTask, fields: Mapping[str, Any]) -> str | None:
    """Why a row cannot be asked, as a submission with `--skip-invalid` leaves it out."""
    for name in task.required_fields():
        value = fields.get(name)
        if value is None or not str(value).strip():
            return f"{name} is empty"
    return task.problem_with(fields)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_HASHED_BYTES):
                digest.update(block)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", source=str(path)) from error
    return digest.hexdigest()
