"""How long batches have taken, kept from run to run, outside their folders.

A file of JSON lines in the user's state folder, which programs may lose without harm: forecasts are
then made from what users report. Whatever stands in it, only its end is read.
"""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.plan.latency import Latencies, Seen

_LATEST = 500
_READ_BYTES = 1 << 18  # some thousand lines
_SECONDS_MOST = 10 * 86_400.0
_STATE = (".local", "state")
_PART = ("processor", "batches.jsonl")


def place(environment: Mapping[str, str]) -> Path:
    """Where it is: below XDG_STATE_HOME, or ~/.local/state.

    A user without a home has it where nothing can be kept.
    """
    told = Path(environment.get("XDG_STATE_HOME", ""))
    if told.is_absolute():
        return told.joinpath(*_PART)
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.devnull)
    return home.joinpath(*_STATE, *_PART)


def latencies(path: Path, host: str, model: str) -> Latencies:
    """What is known of a provider's batches of a model; lines that are unreadable do not count."""
    found: deque[Seen] = deque(maxlen=_LATEST)
    for line in _latest_lines(path):
        with suppress(ValueError, KeyError, TypeError, OverflowError):
            told = jsontext.loads(line)
            if (told["host"], told["model"]) == (host, model):
                found.append(_seen(told))
    return Latencies(found)


def _latest_lines(path: Path) -> list[str]:
    """Some thousand; none of what is no file, or cannot be read."""
    with suppress(OSError):
        if not path.is_file():  # a pipe would never end
            return []
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ_BYTES))
            lines = file.read(_READ_BYTES).decode(errors="replace").splitlines()
            return lines if size <= _READ_BYTES else lines[1:]  # the first is cut
    return []


def _seen(told: Mapping[str, Any]) -> Seen:
    """A batch.

    Raises:
        ValueError: It took a time that none takes.
    """
    seconds = inf if told["seconds"] is None else float(told["seconds"])
    requests = int(told["requests"])
    if requests < 1 or not (0 <= seconds <= _SECONDS_MOST or seconds == inf):
        raise ValueError(seconds)
    return Seen(requests, seconds)


def add(path: Path, host: str, model: str, seen: Iterable[Seen]) -> None:
    """Note batches that have ended; a folder that cannot be written is let be."""
    lines = [
        jsontext.dumps(
            {
                "host": host,
                "model": model,
                "requests": each.requests,
                "seconds": None if each.seconds == inf else round(each.seconds, 1),
            }
        )
        for each in seen
    ]
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", opener=_private) as file:
            file.writelines(f"{line}\n" for line in lines)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
