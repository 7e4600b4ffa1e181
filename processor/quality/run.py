"""A run as its answers are measured: what it is, and where it tells of itself."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from processor import jsontext
from processor.errors import UsageError
from processor.ledger import counters, results

Form = Literal["labels", "texts", "vectors"]

_PROSE = frozenset({"text", "json"})
_FORMS: Mapping[str, Form] = {"label": "labels", "embedding": "vectors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run is.

    Attributes:
        folder: Where it is.
        kind: Of its task's answers.
        labels: Of a task with labels: key to name, in their order.
        has_several: An item may have several labels.
        columns: Of its input.
        items: How many it has.
    """

    folder: str
    task: str
    model: str
    kind: str
    labels: Mapping[str, str]
    has_several: bool
    columns: Sequence[str]
    items: int

    @property
    def form(self) -> Form:
        """What its answers are compared as."""
        return _FORMS.get(self.kind, "texts")

    @property
    def is_prose(self) -> bool:
        """Whether it means something that answers are different from each other."""
        return self.kind in _PROSE

    def expect(self, column: str, option: str) -> None:
        """See that the input has a column.

        Raises:
            UsageError: It has not.
        """
        if column in self.columns:
            return
        close = get_close_matches(column, self.columns, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise UsageError(
            f"{option}: the input has no column {column!r}",
            way_out=f"It has: {', '.join(self.columns)}{hint}",
        )


def read(folder: Path, connection: sqlite3.Connection) -> Run:
    """What the ledger in a folder says of its run.

    Raises:
        UsageError: Its run was killed before it began.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if "task" not in meta:
        raise UsageError(
            f"{folder}: its run was killed before it began",
            way_out="Give its command again, then this one.",
        )
    labels = jsontext.loads(meta.get("labels", "{}"))
    samples = jsontext.loads(meta.get("samples", "[]"))
    return Run(
        folder=str(folder),
        task=meta["task"],
        model=meta.get("model", ""),
        kind=meta.get("kind", "text"),
        labels=labels,
        has_several=bool(labels) and samples != list(labels),  # then they are lists of keys
        columns=[column.name for column in results.columns(connection)],
        items=int(counters.read(connection).get("", {}).get(counters.ITEMS, 0)),
    )
