"""Tables of a run: `results.csv`, `failed.csv`, `review.csv`, `skipped.csv`."""

import csv
import sqlite3
from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.exports.atomic import replacing
from processor.ledger import database, results
from processor.ledger.results import Result

SKIPPED_NAME = "skipped.csv"

Column = tuple[str, Callable[[Result], Any]]

_RESULT: Sequence[Column] = (
    ("status", lambda item: item.status),
    ("result", lambda item: item.result),
    ("check", lambda item: item.check),
    ("notes", lambda item: "; ".join(item.notes)),
    ("error_code", lambda item: item.code),
    ("error_message", lambda item: item.message),
    ("lane", lambda item: item.lane),
    ("provider", lambda item: item.provider),
    ("model", lambda item: item.model),
    ("attempts", lambda item: item.attempts),
    ("latency_ms", lambda item: None if item.latency_ms is None else round(item.latency_ms, 1)),
    ("prompt_tokens", lambda item: item.prompt_tokens),
    ("completion_tokens", lambda item: item.completion_tokens),
    ("cached_tokens", lambda item: item.cached_tokens),
    ("cost_usd", lambda item: None if item.cost_usd is None else f"{item.cost_usd:.8f}"),
)


def write_all(
    connection: sqlite3.Connection,
    folder: Path,
    *,
    labels: Mapping[str, str],
    reviews: bool,
    bom: bool,
) -> list[Path]:
    """Write the tables of a run, in input order, in one pass over the ledger.

    Rows that were left out have a table of their own, when there are any.

    Args:
        connection: The ledger.
        folder: The run's folder.
        labels: Names of labels, for a column of its own; empty for none.
        reviews: Whether the task tells answers to be looked at apart.
        bom: Begin with a byte order mark, without which Excel takes Korean for something else.

    Raises:
        LedgerError: The disk refuses.
    """
    wanted: dict[str, Callable[[Result], bool]] = {
        "results.csv": lambda _: True,
        "failed.csv": lambda item: item.status == "failed",
    }
    if reviews:
        wanted["review.csv"] = lambda item: item.check == "review"
    encoding = "utf-8-sig" if bom else "utf-8"
    paths = [folder / name for name in wanted]
    with database.guard(folder / database.LEDGER_NAME), ExitStack() as stack:
        columns = _columns(connection, labels)
        tables = []
        for path, belongs in zip(paths, wanted.values(), strict=True):
            file = stack.enter_context(replacing(path, encoding=encoding))
            writer = csv.writer(file)
            writer.writerow([name for name, _ in columns])
            tables.append((writer, belongs))
        for item in results.of_run(connection):
            row = [_cell(value(item)) for _, value in columns]
            for writer, belongs in tables:
                if belongs(item):
                    writer.writerow(row)
        skipped = connection.execute(
            "SELECT source, row, problem FROM skipped ORDER BY source, row"
        ).fetchall()
    return [*paths, *_write_skipped(folder / SKIPPED_NAME, skipped, encoding)]


def _write_skipped(path: Path, rows: Sequence[Sequence[Any]], encoding: str) -> list[Path]:
    if not rows:
        path.unlink(missing_ok=True)
        return []
    with replacing(path, encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(("source", "row", "problem"))
        writer.writerows(rows)
    return [path]


def _columns(connection: sqlite3.Connection, labels: Mapping[str, str]) -> list[Column]:
    own = list(_RESULT)
    if labels:
        own.insert(2, ("label_name", lambda item: labels.get(item.result or "")))
    names = results.columns(connection)
    row = connection.execute("SELECT value FROM meta WHERE key = 'id_field'").fetchone()
    if row is None or row[0] not in names:
        own.insert(0, ("id", lambda item: item.id))
    given = zip(_apart(names, {name for name, _ in own}), map(_field, names), strict=True)
    return [*given, *own]


def _apart(names: Sequence[str], own: AbstractSet[str]) -> list[str]:
    """The names of the input's columns; those of results are given up for `input_` and more."""
    taken = {*names, *own}
    apart = []
    for name in names:
        chosen = name
        while chosen in own or (chosen != name and chosen in taken):
            chosen = f"input_{chosen}"
        taken.add(chosen)
        apart.append(chosen)
    return apart


def _field(name: str) -> Callable[[Result], Any]:
    return lambda item: item.fields.get(name)


def _cell(value: Any) -> Any:
    """A value as CSV holds it: nested values and booleans as JSON, nothing for null."""
    if isinstance(value, (dict, list, bool)):
        return jsontext.dumps(value).strip()
    return value
