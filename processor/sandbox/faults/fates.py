"""What can go wrong with a whole batch: decided at its creation, and kept with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from processor.sandbox.faults.hit import Reader, seconds, share
from processor.sandbox.faults.places import LIFE

ABSENT = "absent"


def some(text: str) -> int:
    """At least one."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def told_value(text: str) -> Any:
    """A JSON value; raises ValueError when it is none."""
    return None if text == ABSENT else orjson.loads(text)


def _one_of(*words: str) -> Reader:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """A way for a batch to go wrong.

    Attributes:
        params: The parameters it takes, and how each is read.
        places: Where it can hit.
    """

    params: Mapping[str, Reader] = field(default_factory=dict)
    places: tuple[str, ...] = (LIFE,)


_LINES: Mapping[str, Reader] = {"lines": some}
_FILE = _one_of("output", "error", "both")
_SHARE: Mapping[str, Reader] = {"share": share}

FATES: Mapping[str, Fate] = {
    # Its way.
    "batch_fails": Fate(
        params={"code": str, "message": str, "line": some, "param": str},
    ),
    "batch_stuck": Fate(
        params={
            "status": _one_of("validating", "in_progress", "finalizing", "cancelling"),
            "seconds": seconds,
            **_SHARE,
        },
    ),
    "batch_expires": Fate(params=_SHARE),
    "batch_cancels": Fate(params=_SHARE),
    # What is told of it: `told:field=request_counts,value=null`, or `value=absent`.
    "told": Fate(params={"field": str, "value": told_value, "while": str}),
    "plain_ids": Fate(),
    # Which files it has.
    "no_file": Fate(params={"file": _FILE}),
    "empty_file": Fate(params={"file": _FILE}),
    "file_gone": Fate(params={"file": _FILE}),
    # What stands in them.
    "lines_missing": Fate(params=_LINES),
    "lines_twice": Fate(params=_LINES),
    "lines_strange": Fate(params=_LINES),
    "lines_contradicted": Fate(params=_LINES),
    "lines_without_success": Fate(params={**_LINES, "status": int, "body": told_value}),
    "cut_mid_line": Fate(params={"bytes": some, "file": _FILE}),
    "line_separators": Fate(),
    "bodies_as_text": Fate(),
    "bare_errors": Fate(params={"how": _one_of("no_response", "type", "both")}),
    "crlf": Fate(),
    "blank_lines": Fate(),
    "byte_order_mark": Fate(),
}
