"""The part of the logs that is about a run, without rows and answers."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from processor.codes import cause_of
from processor.doctor.contents import Contents

_RUN_LOGS = "batch_conversion_*.log"
_DETAIL_LOG = "batch_conversion.log"
_RUN_LOG_BYTES = 5_000_000
_DETAIL_LOG_BYTES = 1_000_000
_LOGS_SEARCHED = 50
_HEAD_BYTES = 65_536
_CONTENT_KEYS = frozenset({"fields", "result"})  # with --log-content only
_ID_KEYS = frozenset({"id", "ids"})
_WORDS = frozenset({"error", "message", "problem"})
_CODES_THAT_QUOTE = frozenset({"invalid", "malformed", "refused"})  # by an answer's words
# A refusal quotes an id or a cell of a row that never came into the ledger; a database, a key.
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<=\)=)\([^)]*\)""")

Event = dict[str, Any]


def of_run(logs: Path, run_id: str, contents: Contents) -> tuple[list[Event], list[Event]]:
    """The run's own log and its part of the detailed one, without rows and answers.

    Args:
        logs: Folder of the logs.
        run_id: As its lines name it.
        contents: What rows and answers say.

    Raises:
        OSError: A log cannot be read.
    """
    mark = f'"run_id":"{run_id}"'.encode()
    own = next((path for path in _newest(logs) if mark in _head(path)), None)
    lines = _end_of(own, _RUN_LOG_BYTES) if own is not None else []
    detail = [line for line in _end_of(logs / _DETAIL_LOG, _DETAIL_LOG_BYTES) if mark in line]
    return _cleaned(lines, contents), _cleaned(detail, contents)


def newest(logs: Path) -> list[Event]:
    """The log of a run that has no ledger, because it was refused, without rows and answers.

    Raises:
        OSError: It cannot be read.
    """
    return [
        event
        for path in _newest(logs)[:1]
        for event in _cleaned(_end_of(path, _RUN_LOG_BYTES), None)
    ]


def _newest(logs: Path) -> list[Path]:
    found = sorted(logs.glob(_RUN_LOGS), key=lambda path: path.stat().st_mtime, reverse=True)
    return found[:_LOGS_SEARCHED]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _end_of(path: Path, most_bytes: int) -> list[bytes]:
    """The last lines of a file, whole; none of one that is not there."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - most_bytes))
            read = file.read()
    except FileNotFoundError:
        return []
    lines = read.split(b"\n")
    return lines[1:] if size > most_bytes else lines


def _cleaned(lines: Iterable[bytes], contents: Contents | None) -> list[Event]:
    events = (_parsed(line) for line in lines)
    return [_line(event, contents) for event in events if event is not None]


def _parsed(line: bytes) -> Event | None:
    """A line's event; None for what is none."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _line(event: Event, contents: Contents | None) -> Event:
    """An event without content: of an item, of a stop, or of what never came into a ledger."""
    kept = {name: value for name, value in event.items() if name not in _CONTENT_KEYS}
    for name, value in kept.items():
        if name in _ID_KEYS:
            kept[name] = _hashed(value)
        elif name == "message" and event.get("code"):
            kept[name] = _message(event, contents)
        elif name in _WORDS:
            kept[name] = _QUOTED.sub("'…'", str(value))
    return kept


def _message(event: Event, contents: Contents | None) -> str:
    """What is said of a failure, without what it quotes."""
    code, said, item_id = str(event["code"]), str(event["message"]), event.get("id")
    if code in _CODES_THAT_QUOTE or contents is None:
        return cause_of(code).means
    return contents.hidden_in_stop(said) if item_id is None else contents.hidden(said, str(item_id))


def _hashed(value: Any) -> Any:
    if isinstance(value, list):
        return [_hashed(each) for each in value]
    return "id-" + hashlib.sha256(str(value).encode()).hexdigest()[:10]
