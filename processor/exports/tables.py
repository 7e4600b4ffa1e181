"""Tables of a run: `results.csv`, `failed.csv`, `review.csv`, `skipped.csv`."""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence, Set as AbstractSet
from contextlib import ExitStack, contextmanager
from itertools import compress
from pathlib import Path
from typing import IO, Any

from processor import jsontext
from processor.exports.atomic import replacing
from processor.ledger import database, results
from processor.ledger.results import Result

SKIPPED_NAME = "skipped.csv"

_OWN = (
    "status",
    "result",
    "check",
    "notes",
    "error_code",
    "error_message",
    "lane",
    "provider",
    "model",
    "attempts",
    "latency_ms",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cost_usd",
)
_BOM = "\ufeff"  # not by the codec utf-8-sig, which is written in Python and ten times slower
_PLAIN = frozenset({str, int, float, type(None)})


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
    paths = [folder / name for name in wanted]
    with database.guard(folder / database.LEDGER_NAME), ExitStack() as stack:
        names = results.columns(connection)
        with_id = _id_field(connection) not in names
        header = [*(["id"] if with_id else []), *_OWN]
        if labels:
            header.insert(header.index("check"), "label_name")
        tables = []
        for path, belongs in zip(paths, wanted.values(), strict=True):
            writer = csv.writer(stack.enter_context(_table(path, bom=bom)))
            writer.writerow([*_apart(names, set(header)), *header])
            tables.append((writer, belongs))
        for items in results.of_run(connection):
            rows = [[*_given(item, names, with_id=with_id), *_own(item, labels)] for item in items]
            for writer, belongs in tables:
                writer.writerows(compress(rows, map(belongs, items)))
        skipped = connection.execute(
            "SELECT source, row, problem FROM skipped ORDER BY source, row"
        ).fetchall()
    return [*paths, *_write_skipped(folder / SKIPPED_NAME, skipped, bom=bom)]


@contextmanager
def _table(path: Path, *, bom: bool) -> Iterator[IO[str]]:
    with replacing(path) as file:
        if bom:
            file.write(_BOM)
        yield file


def _write_skipped(path: Path, rows: Sequence[Sequence[Any]], *, bom: bool) -> list[Path]:
    if not rows:
        path.unlink(missing_ok=True)
        return []
    with _table(path, bom=bom) as file:
        writer = csv.writer(file)
        writer.writerow(("source", "row", "problem"))
        writer.writerows(rows)
    return [path]


def _id_field(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'id_field'").fetchone()
    return row[0] if row else None


def _given(item: Result, names: Sequence[str], *, with_id: bool) -> list[Any]:
    """The cells of the input's columns, and the id where it is none of them."""
    fields = item.fields()
    cells = [_cell(fields.get(name)) for name in names]
    return [*cells, item.id] if with_id else cells


def _own(item: Result, labels: Mapping[str, str]) -> tuple[Any, ...]:
    """The cells of `_OWN`, with the label's name behind its key when there are labels."""
    return (
        item.status,
        item.result,
        *((labels.get(item.result or ""),) if labels else ()),
        item.check,
        "; ".join(item.notes),
        item.code,
        item.message,
        item.lane,
        item.provider,
        item.model,
        item.attempts,
        None if item.latency_ms is None else round(item.latency_ms, 1),
        item.prompt_tokens,
        item.completion_tokens,
        item.cached_tokens,
        None if item.cost_usd is None else f"{item.cost_usd:.8f}",
    )


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


def _cell(value: Any) -> Any:
    """A value as CSV holds it: nested values and booleans as JSON, nothing for null."""
    return value if type(value) in _PLAIN else jsontext.dumps(value).strip()
