"""The results of a run as one table: the input's columns, then what became of each row.

Every form in which results leave is written from this: files, databases, data frames.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Any

from processor import jsoncells, jsontext, labels
from processor.columns import VECTOR, Column
from processor.ledger import results, vectors
from processor.ledger.ids import ROW_ID
from processor.ledger.results import Result

OWN = (
    Column("status", "text"),
    Column("result", "text"),
    Column("check", "text"),
    Column("notes", "text"),
    Column("error_code", "text"),
    Column("error_message", "text"),
    Column("lane", "text"),
    Column("provider", "text"),
    Column("model", "text"),
    Column("attempts", "integer"),
    Column("latency_ms", "real"),
    Column("prompt_tokens", "integer"),
    Column("completion_tokens", "integer"),
    Column("cached_tokens", "integer"),
    Column("cost_usd", "decimal", "numeric(18,8)"),
)
LABEL_NAME = Column("label_name", "text")
EMBEDDING = Column("embedding", VECTOR, "real[]")
ID = Column("id")

_EMBEDS = "embedding"

Slice = tuple[Sequence[Result], list[list[Any]]]
"""Some items, and the row of each: JSON values in the order of the columns."""


class ResultTable:
    """What a run has come to, row by row in input order.

    Args:
        connection: The ledger.
        with_vectors: Give embeddings as a column, too; its cells are little-endian float32.

    Attributes:
        columns: Of the rows. A column of the input whose name a result has is `input_<name>`.
        given: The input's columns as it names them; the first of `columns`, in the same order.
        left_out: Columns that other forms have.
    """

    def __init__(self, connection: sqlite3.Connection, *, with_vectors: bool = False) -> None:
        self._connection = connection
        self.given: Sequence[Column] = results.columns(connection)
        self._labels: Mapping[str, str] = jsontext.loads(_meta(connection, "labels") or "{}")
        self._parts: Mapping[str, str] = jsontext.loads(_meta(connection, "result_columns") or "{}")
        names = [column.name for column in self.given]
        id_field = _meta(connection, "id_field")
        # With `row` the id is the row's content, whatever a column of that name holds.
        self._with_id = id_field == ROW_ID or id_field not in names
        own = list(OWN)
        own[2:2] = _parts_apart(self._parts, {*names, *(column.name for column in (ID, *OWN))})
        if self._labels:
            own.insert(2, LABEL_NAME)
        embeds = _meta(connection, "kind") == _EMBEDS
        self._with_vectors = embeds and with_vectors
        if self._with_vectors:
            own.insert(2, EMBEDDING)
        self.left_out: Sequence[str] = [EMBEDDING.name] if embeds and not with_vectors else []
        if self._with_id:
            own.insert(0, ID)
        # What other forms have counts, too: of one run, a name means the same in all of them.
        named = apart(names, {*self.left_out, *(column.name for column in own)})
        self.columns: Sequence[Column] = [
            *(
                Column(name, column.kind, column.native)
                for name, column in zip(named, self.given, strict=True)
            ),
            *own,
        ]
        self.id_column: str = "id" if self._with_id else named[names.index(str(id_field))]

    def slices(self) -> Iterator[Slice]:
        """All items, a slice of them at a time."""
        for items in self.items():
            yield items, self.rows(items)

    def items(self) -> Iterator[Sequence[Result]]:
        """All items, a slice of them at a time, for those who want the rows of some."""
        return results.of_run(self._connection)

    def rows(self, items: Sequence[Result]) -> list[list[Any]]:
        """The rows of some items."""
        found = self._vectors_of(items) if self._with_vectors else {}
        return [
            [*self._given_cells(item), *self._own_cells(item, found.get(item.seq))]
            for item in items
        ]

    def _vectors_of(self, items: Sequence[Result]) -> Mapping[int, bytes]:
        return vectors.of_items(self._connection, [item.seq for item in items])

    def _given_cells(self, item: Result) -> list[Any]:
        fields = item.fields()
        cells = [fields.get(column.name) for column in self.given]
        return [*cells, item.id] if self._with_id else cells

    def _own_cells(self, item: Result, vector: bytes | None) -> tuple[Any, ...]:
        return (
            item.status,
            item.result,
            *((vector,) if self._with_vectors else ()),
            *((labels.name_of(item.result or "", self._labels),) if self._labels else ()),
            *(self._parts_of(item.result) if self._parts else ()),
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

    def _parts_of(self, result: str | None) -> Iterator[Any]:
        """The values of a result's keys."""
        whole = _object(result or "")
        for key, kind in self._parts.items():
            value = whole.get(key)
            is_text_of_json = isinstance(value, str) and jsoncells.holds_json(kind)
            yield jsoncells.cell_of(value) if is_text_of_json else value


def _parts_apart(parts: Mapping[str, str], taken: AbstractSet[str]) -> list[Column]:
    """The columns of a result's keys; they give up names that others have for `result_<name>`."""
    columns: dict[str, Column] = {}
    for key, kind in parts.items():
        name = key
        while name in columns or name in taken or (name != key and name in parts):
            name = f"result_{name}"
        columns[name] = Column(name, kind)
    return list(columns.values())


def _object(result: str) -> dict[str, Any]:
    """A result as an object; one of before the task was changed may be none."""
    try:
        # The standard library's: orjson reads integers beyond 64 bits as floats.
        found = json.loads(result)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def apart(names: Sequence[str], own: AbstractSet[str]) -> list[str]:
    """The names of the input's columns beside those of results: theirs is `input_` and more.

    Args:
        names: Of the input's columns.
        own: Of results.
    """
    taken = {*names, *own}
    found = []
    for name in names:
        chosen = name
        while chosen in own or (chosen != name and chosen in taken):
            chosen = f"input_{chosen}"
        taken.add(chosen)
        found.append(chosen)
    return found
