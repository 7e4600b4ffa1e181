"""Rows that are asked more than once: each becomes several items."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from processor.errors import UsageError
from processor.ledger.ids import ROW_ID

REPEAT_OF, REPEAT = "repeat_of", "repeat"
"""The columns that tell of which row an item is, and which of its items, from 1."""
COLUMNS = (REPEAT_OF, REPEAT)
NUMBERED = f"""
id = replace(id, '#', '-' || twin.place || '#'),
fields = replace(fields, '"{REPEAT_OF}":"' || substr(id, 1, instr(id, '#') - 1) || '"',
                 '"{REPEAT_OF}":"' || substr(id, 1, instr(id, '#') - 1) || '-' || twin.place || '"')
"""
"""For rows without an id that are alike: what becomes of the items of the `place`th of them."""

_KEY = "repeat"
_WAYS_OUT = "--new starts afresh, --out FOLDER begins another run."


def of_run(connection: sqlite3.Connection, asked: int | None) -> int:
    """How many items a run makes of a row.

    More than before adds to what is there; fewer would leave items that nobody asked for.

    Args:
        connection: The ledger.
        asked: What this start wants; None for what the run has.

    Raises:
        UsageError: The run has items that do not go with it.
    """
    known = _known(connection)
    if known is None or asked in {None, known}:
        return known or asked or 1
    assert asked is not None
    if asked > known > 1:
        return asked
    begun = f"with --repeat {known}" if known > 1 else "without --repeat"
    raise UsageError(f"--repeat {asked}: this run was begun {begun}", way_out=_WAYS_OUT)


def keep(connection: sqlite3.Connection, times: int) -> None:
    """Note it, within the caller's transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, str(times)))


def fields_of(
    fields: Mapping[str, Any], *, id_field: str, key: str | int, times: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The id and the fields of each item of a row.

    The column of the id, where there is one, tells the item's: one row apart from another.

    Args:
        fields: The row's.
        id_field: The column of its id, or `ROW_ID`.
        key: The row's id.
        times: How many items.
    """
    has_id = id_field != ROW_ID and id_field in fields
    for turn in range(1, times + 1):
        name = f"{key}#{turn}"
        own = {id_field: name} if has_id else {}
        yield name, {**fields, **own, REPEAT_OF: key, REPEAT: turn}


def row_of(fields: Mapping[str, Any], id_field: str) -> Mapping[str, Any]:
    """The columns of the row that an item is of, as far as the item changed them."""
    if REPEAT_OF not in fields or id_field == ROW_ID:
        return fields
    return {**fields, id_field: fields[REPEAT_OF]}


def _known(connection: sqlite3.Connection) -> int | None:
    """Of a run that has items; None before."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    (items,) = connection.execute("SELECT EXISTS (SELECT 1 FROM items)").fetchone()
    if not items:
        return None
    return int(found[0]) if found else 1
