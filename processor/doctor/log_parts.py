"""The part of the logs that is about a run, without rows and answers."""

import hashlib
import re
from collections.abc import Iterable, Mapping
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
# A refusal quotes an id or a cell of a row that never came into the ledger.
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def of_run(logs: Path, run_id: str, contents: Contents) -> tuple[str, str]:
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


def _newest(logs: Path) -> list[Path]:
    return sorted(logs.glob(_RUN_LOGS), key=lambda path: path.stat().st_mtime)[
        : -_LOGS_SEARCHED - 1 : -1
    ]


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


def _cleaned(lines: Iterable[bytes], contents: Contents) -> str:
    events = (_parsed(line) for line in lines)
    kept = (_line(event, contents) for event in events if event is not None)
    return "".join(orjson.dumps(event).decode() + "\n" for event in kept)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line's event; None for what is none."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _line(event: Mapping[str, Any], contents: Contents) -> dict[str, Any]:
    """An event without content: of a known item, or of one that was refused before it had a row."""
    kept = {name: value for name, value in event.items() if name not in _CONTENT_KEYS}
    code, item_id = kept.get("code"), kept.get("id")
    if code in _CODES_THAT_QUOTE:
        kept["message"] = cause_of(str(code)).means
    for name, value in kept.items():
        if name in _ID_KEYS:
            kept[name] = _hashed(value)
        elif name == "message" and item_id is not None:
            kept[name] = contents.hidden(str(value), str(item_id))
        elif name == "message" and code is not None:
            kept[name] = contents.hidden_in_stop(str(value))
        elif name in _WORDS:
            kept[name] = _QUOTED.sub("'…'", str(value))
    return kept


def _hashed(value: Any) -> Any:
    if isinstance(value, list):
        return [_hashed(each) for each in value]
    return "id-" + hashlib.sha256(str(value).encode()).hexdigest()[:10]
