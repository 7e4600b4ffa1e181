"""The kinds of columns that no source told, found out in one pass over the ledger."""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Set as AbstractSet

from processor.columns import ARROW, Column
from processor.exports.table import ResultTable

_EXACT = 2**53  # the integers up to here are floats as well
_NUMERIC = re.compile(r"numeric\(\d+, ?\d+\)")
# An ephemeral index of the few distinct rows; grouping would sort every cell there is.
_SEEN = f"""
SELECT DISTINCT cell.key, cell.type,
    cell.type = 'integer' AND typeof(cell.atom) <> 'integer',
    cell.type = 'integer' AND typeof(cell.atom) = 'integer'
        AND cell.atom NOT BETWEEN -{_EXACT} AND {_EXACT}
FROM items, json_each(items.fields) AS cell WHERE cell.type <> 'null'
"""
_DIGITS = """
SELECT IFNULL(MAX(INSTR(digits || '.', '.') - 1), 0),
    IFNULL(MAX(MAX(0, LENGTH(digits) - INSTR(digits || '.', '.'))), 0),
    IFNULL(MAX(digits GLOB '*[^0-9.]*'), 0)
FROM (SELECT LTRIM(cell.value, '-+') AS digits
      FROM items, json_each(items.fields) AS cell
      WHERE cell.key = ? AND cell.type <> 'null')
"""
_LONGEST_DIGITS = 76


def resolved(connection: sqlite3.Connection, table: ResultTable) -> list[Column]:
    """The columns of the results, each with a kind; decimals with their digits as `numeric(p,s)`.

    A column whose values are of one kind is of that kind; whole numbers among fractions are
    fractions, as long as they are the same number then. Objects and arrays are `json`, what is
    mixed is `text`.
    """
    given = table.given
    seen = _seen(connection) if any(column.kind is None for column in given) else {}
    found = []
    for origin, column in zip(given, table.columns, strict=False):
        kind = column.kind or _kind(seen.get(origin.name, frozenset()))
        native = column.native
        if kind == "decimal" and not _says_digits(native):
            native = _measured(connection, origin.name) or native
        found.append(Column(column.name, kind, native))
    rest = table.columns[len(found) :]
    return [*found, *(Column(one.name, one.kind or "text", one.native) for one in rest)]


def _says_digits(native: str | None) -> bool:
    return native is not None and (native.startswith(ARROW) or bool(_NUMERIC.fullmatch(native)))


_Sight = tuple[str, bool, bool]


def _seen(connection: sqlite3.Connection) -> Mapping[str, AbstractSet[_Sight]]:
    """By field: the JSON types seen, whether beyond 64 bits, whether beyond a float's exactness."""
    seen: dict[str, set[_Sight]] = {}
    for name, kind, is_long, is_inexact in connection.execute(_SEEN):
        seen.setdefault(name, set()).add((kind, bool(is_long), bool(is_inexact)))
    return seen


def _kind(sights: Iterable[_Sight]) -> str:
    sights = list(sights)
    kinds = {kind for kind, _, _ in sights}
    if kinds and kinds <= {"true", "false"}:
        return "boolean"
    if kinds and kinds <= {"object", "array"}:
        return "json"
    if not kinds or not kinds <= {"integer", "real"} or any(is_long for _, is_long, _ in sights):
        return "text"
    if kinds == {"integer"}:
        return "integer"
    return "text" if any(is_inexact for _, _, is_inexact in sights) else "real"


def _measured(connection: sqlite3.Connection, name: str) -> str | None:
    """`numeric(p,s)` that holds every value of a column of decimals; None when none does."""
    whole, fraction, is_odd = connection.execute(_DIGITS, (name,)).fetchone()
    digits = max(1, whole + fraction)
    return None if is_odd or digits > _LONGEST_DIGITS else f"numeric({digits},{fraction})"
