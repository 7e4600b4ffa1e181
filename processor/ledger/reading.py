"""One reading of a source: its rows told good from bad."""

import math
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from processor import jsontext
from processor.columns import Column
from processor.data import batch_lines
from processor.data.source import BadRow, Source, place
from processor.errors import InputError
from processor.items import Row
from processor.ledger import ids, repeats
from processor.ledger.changes import Differs
from processor.ledger.only import Only

Record = tuple[str, bool, int, str]
"""An item to be: its id, whether that is an integer, the row's number, its fields as JSON."""

EVERY_ROW = Only(())
_SHOWN_PROBLEMS = 5
_PATIENCE_ROWS = 1_000
_RENAME = "Rename the column or choose another task."
_NAME_ANOTHER = "Name one of them with --only."


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """How rows become items.

    Attributes:
        id_field: The column that identifies a row, or `row` for the row's content.
        required: Columns that must be there and not empty, beside the id's.
        named: Columns that must be there, though a row may leave them empty or out.
        chunk_size: Items per chunk.
        only: Which rows are meant.
        repeat: How many items a row becomes.
        limit: How many new items are taken at most; None for all.
        skip_invalid: Leave bad rows out and list them, instead of refusing the source.
        problem_with: What else makes a row's fields unfit; None when nothing does.
        differs: Whether a row that changed asks for something else; None: every change does.
        update: Make items pending again whose row asks for something else than their outcome.
        outdated: Told the numbers of chunks whose files are no longer true, before they are not.
        accept: Called with the ledger once all rows are in it; nothing is imported if it raises.
    """

    id_field: str
    required: Sequence[str]
    chunk_size: int
    named: Sequence[str] = ()
    only: Only = EVERY_ROW
    repeat: int = 1
    limit: int | None = None
    skip_invalid: bool = False
    problem_with: Callable[[Mapping[str, Any]], str | None] | None = None
    differs: Differs | None = None
    update: bool = False
    outdated: Callable[[Sequence[int]], None] | None = None
    accept: Callable[[sqlite3.Connection], None] | None = None

    def stamp_of(self, source: Source) -> str | None:
        """The source's, and what is made of it; None when nobody can tell.

        Raises:
            InputError: There is no such table.
        """
        stamp = source.stamp()
        if stamp is None:
            return None
        only = f" only {self.only.terms}" if self.only else ""
        return stamp + only + (f" repeat {self.repeat}" if self.repeat > 1 else "")


class Reading:
    """What is learnt while a source is read.

    Args:
        connection: The ledger; bad rows that are left out are listed in it.
        source: The rows.
        rules: How they become items.

    Attributes:
        stamp: As `IntakeRules.stamp_of`, from before it is read.
        is_known: Whether rows of this source were imported before.
        typed_columns: The source's columns with their types, where it knows any.
        columns: The source's columns, in the order in which they were first seen.
        are_repeated: Whether a row becomes several items.
        are_named: Whether rows have ids of their own, rather than one made of their content.
    """

    def __init__(self, connection: sqlite3.Connection, source: Source, rules: IntakeRules) -> None:
        self._connection = connection
        self._source = source
        self._rules = rules
        self._skip = rules.skip_invalid
        self._id_field = rules.id_field
        self.are_named = rules.id_field != ids.ROW_ID
        self.are_repeated = rules.repeat > 1
        own = () if rules.id_field == ids.ROW_ID else (rules.id_field,)
        self._required = tuple(dict.fromkeys((*own, *rules.required)))
        self._named = tuple(dict.fromkeys((*self._required, *rules.named, *rules.only.columns)))
        self._problem_with = rules.problem_with
        self._problems: list[BadRow] = []
        self.stamp = rules.stamp_of(source)
        self.typed_columns = self._typed(source.columns())
        found = connection.execute("SELECT 1 FROM sources WHERE uri = ?", (source.uri,))
        self.is_known = found.fetchone() is not None
        self.columns = dict.fromkeys(column.name for column in self.typed_columns)
        self.rows_read = 0
        self.bad_rows = 0
        self._meant = 0

    @contextmanager
    def of_one_state(self) -> Iterator[None]:
        """Refuse what was read within if the source changed meanwhile, whatever else is wrong.

        A file that is still being copied ends in the middle of a row. Sources without a stamp
        are taken at their word.

        Raises:
            InputError: It changed.
        """
        fault = None
        try:
            yield
        except InputError as error:  # a change explains it: a torn row, a broken gzip file
            fault = error
        if self.stamp is not None and self._rules.stamp_of(self._source) != self.stamp:
            raise _changed(self._source.name) from fault
        if fault is not None:
            raise fault

    def records(self) -> Iterator[Record]:
        """Every good row that is meant, as often as it is asked.

        Raises:
            InputError: A required column is not there, one is that repeats need, or no row is
                meant.
        """
        if not batch_lines.tell_more(self.columns):
            self._check_columns()  # of a source that knows them, before its first row
        only, repeat = self._rules.only, self._rules.repeat
        for row in batch_lines.read(self._source.rows()):
            self.rows_read += 1
            if isinstance(row, BadRow):
                self.note(row)
                continue
            if only and not self._is_meant(row.fields):
                continue
            try:
                record = self._record(row)
            except ValueError as error:
                self.note(BadRow(number=row.number, problem=str(error)))
                continue
            if repeat == 1:
                yield record
            else:
                yield from self._repeated(row, record)
        self._check_columns()
        if only and not self._meant:
            raise InputError(f"no row has {only}", source=self._source.name)

    def note(self, bad: BadRow) -> None:
        """Count a row that cannot be an item.

        Raises:
            InputError: By now it is clear that a required column is not there.
        """
        self.bad_rows += 1
        if self._skip:
            self._connection.execute(
                "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)",
                (self._source.uri, bad.number, self._told(bad)),
            )
        elif self.bad_rows == _PATIENCE_ROWS:
            self._check_columns()
        if len(self._problems) < _SHOWN_PROBLEMS:
            self._problems.append(bad)

    def check(self) -> None:
        """Refuse the source if it has bad rows, unless they are left out.

        Raises:
            InputError: It has; names the first rows.
        """
        if self.bad_rows and not self._skip:
            raise _refusal(self._source, self._problems, self.bad_rows)

    def where(self, number: int) -> str:
        """A row in words; with its table when the source is made of several."""
        return f"row {_where(self._source, number, self._source.name)}"

    def _told(self, bad: BadRow) -> str:
        table, row = place(self._source, bad.number)
        return bad.problem if table == self._source.name else f"{table}: row {row}: {bad.problem}"

    def _record(self, row: Row) -> Record:
        fields = row.fields
        text = jsontext.dumps(fields)
        if not self.columns.keys() >= fields.keys():
            self.columns.update(dict.fromkeys(fields))
        for name in self._required:
            if _is_empty(fields.get(name)):
                raise ValueError(f"{name} is {'empty' if name in fields else 'missing'}")
        if self._problem_with is not None and (problem := self._problem_with(fields)):
            raise ValueError(problem)
        if self._id_field != ids.ROW_ID:
            return *ids.identify(fields[self._id_field], self._id_field), row.number, text
        if row.id is None:
            return ids.of_content(text), False, row.number, text
        self.are_named = True
        return *ids.identify(row.id, "custom_id"), row.number, text

    def _is_meant(self, fields: Mapping[str, Any]) -> bool:
        self.columns.update(dict.fromkeys(fields))
        is_meant = self._rules.only.takes(fields)
        self._meant += is_meant
        return is_meant

    def _repeated(self, row: Row, record: Record) -> Iterator[Record]:
        if name := next((name for name in repeats.COLUMNS if name in row.fields), None):
            raise InputError(
                f"there is a column {name!r}, which --repeat makes",
                source=self._source.name,
                way_out="Rename it, or leave --repeat out.",
            )
        key, is_integer, number, _ = record
        for name, fields in repeats.fields_of(
            row.fields,
            id_field=self._id_field,
            key=int(key) if is_integer else key,
            times=self._rules.repeat,
        ):
            self.columns.update(dict.fromkeys(fields))
            yield name, False, number, jsontext.dumps(fields)

    def _typed(self, columns: Sequence[Column]) -> Sequence[Column]:
        """The ids of repeats are text, whatever those of rows are."""
        if self._rules.repeat == 1:
            return columns
        own = [column for column in columns if column.name == self._id_field]
        kept = [Column(one.name) if one in own else one for one in columns]
        return [*kept, *(Column(repeats.REPEAT_OF, one.kind, one.native) for one in own)]

    def _check_columns(self) -> None:
        for name in self._named if self.columns else ():
            if name not in self.columns:
                raise _no_column(self._source.name, name, list(self.columns), self._cure(name))

    def _cure(self, name: str) -> str:
        """What to do about a column that is not there."""
        if name in self._rules.only.columns:
            return _NAME_ANOTHER
        return batch_lines.way_to_tell(name, self.columns) or _RENAME


def _where(source: Source, number: int, table: str) -> str:
    """A row, and its table when that is not the one that is spoken of."""
    name, row = place(source, number)
    return str(row) if name == table else f"{row} of {name}"


def _refusal(source: Source, problems: Sequence[BadRow], count: int) -> InputError:
    """Why a source is refused: its first problem, where the others are, how many there are."""
    first, *others = problems
    table, row = place(source, first.number)
    more = ""
    if count > 1:
        rows = ", ".join(_where(source, bad.number, table) for bad in others)
        more = f" (and {count - 1:,} more: row {rows}{', …' if count > len(problems) else ''})"
    return InputError(
        f"{first.problem}{more}; nothing was imported",
        source=table,
        row=row,
        way_out="Mend the rows, or leave them out with --skip-invalid.",
    )


def _changed(source: str) -> InputError:
    return InputError(
        "changed while it was read; nothing was imported",
        source=source,
        way_out="The same command reads it again; give it once the file is complete.",
    )


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, float) and math.isnan(value))


def _no_column(source: str, name: str, columns: list[str], cure: str) -> InputError:
    return InputError(
        f"there is no column {name!r}",
        source=source,
        way_out=f"It has: {', '.join(columns)}; {_hint(name, columns)}{cure}",
    )


def _hint(name: str, columns: Sequence[str]) -> str:
    """Which of them may be meant."""
    if unicodedata.normalize("NFC", name) in {unicodedata.normalize("NFC", one) for one in columns}:
        return "one looks like it, but one of the two is spelt in pieces (NFD, as on a Mac). "
    close = get_close_matches(name, columns, n=1)
    return f"did you mean {close[0]!r}? " if close else ""
