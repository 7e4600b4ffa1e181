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
        words: What happens, as `--list-faults` tells it.
        params: The parameters it takes, and how each is read.
        places: Where it can hit.
    """

    words: str
    params: Mapping[str, Reader] = field(default_factory=dict)
    places: tuple[str, ...] = (LIFE,)


_LINES: Mapping[str, Reader] = {"lines": some}
_FILE: Mapping[str, Reader] = {"file": _one_of("output", "error", "both")}
_SHARE: Mapping[str, Reader] = {"share": share}
_STATUS = _one_of("validating", "in_progress", "finalizing", "cancelling")

FATES: Mapping[str, Fate] = {
    # Its way.
    "batch_fails": Fate(
        words="its validation finds this error",
        params={"code": str, "message": str, "line": some, "param": str},
    ),
    "batch_stuck": Fate(
        words="it stays in a status (in_progress, a share of its lines done), for ever by default",
        params={"status": _STATUS, "seconds": seconds, **_SHARE},
    ),
    "batch_expires": Fate(words="it expires with a share (0.5) done", params=_SHARE),
    "batch_cancels": Fate(words="it is cancelled with a share (0.5) done", params=_SHARE),
    # What is told of it.
    "told": Fate(
        words="a field has another value (JSON, or absent), while it has a status or always",
        params={"field": str, "value": told_value, "while": str},
    ),
    "plain_ids": Fate(words="it and its files have plain UUIDs"),
    # Which files it has.
    "no_file": Fate(words="there is no output file, though lines were answered", params=_FILE),
    "empty_file": Fate(words="the output file is there, and empty", params=_FILE),
    "file_gone": Fate(words="the output file is named, and deleted already", params=_FILE),
    # What stands in them.
    "lines_missing": Fate(words="answers are left out", params=_LINES),
    "lines_twice": Fate(words="answers come twice", params=_LINES),
    "lines_strange": Fate(words="there are answers to ids that nobody sent", params=_LINES),
    "lines_contradicted": Fate(words="ids have an answer and an error", params=_LINES),
    "lines_without_success": Fate(
        words="the output file has lines of another status (0)",
        params={**_LINES, "status": int, "body": told_value},
    ),
    "cut_mid_line": Fate(words="the last bytes (20) are missing", params={"bytes": some, **_FILE}),
    "line_separators": Fate(words="answers hold U+2028 and all that looks like the end of a line"),
    "bodies_as_text": Fate(words="the body of a response is JSON in a text"),
    "bare_errors": Fate(
        words="error lines without response, with type for code",
        params={"how": _one_of("no_response", "type", "both")},
    ),
    "crlf": Fate(words="lines end as on Windows"),
    "blank_lines": Fate(words="a blank line stands behind every line"),
    "byte_order_mark": Fate(words="the files begin with a byte order mark"),
}
