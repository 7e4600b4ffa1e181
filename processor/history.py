"""How long batches have taken, kept from run to run, outside their folders.

A file of JSON lines in the user's state folder, which programs may lose without harm: forecasts are
then made from what users report.
"""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from processor import jsontext
from processor.plan.latency import Latencies, Seen

_LATEST = 500
_PART = ("processor", "batches.jsonl")


def place(environment: Mapping[str, str]) -> Path:
    """Where it is: below XDG_STATE_HOME, or ~/.local/state."""
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home).joinpath(*_PART)


def latencies(path: Path, host: str, model: str) -> Latencies:
    """What is known of a provider's batches of a model; lines that are unreadable do not count."""
    found: deque[Seen] = deque(maxlen=_LATEST)
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError):
                told = jsontext.loads(line)
                if (told["host"], told["model"]) == (host, model):
                    seconds = float("inf") if told["seconds"] is None else float(told["seconds"])
                    found.append(Seen(int(told["requests"]), seconds))
    return Latencies(found)


def add(path: Path, host: str, model: str, seen: Iterable[Seen]) -> None:
    """Note batches that have ended; a folder that cannot be written is let be."""
    lines = [
        jsontext.dumps(
            {
                "host": host,
                "model": model,
                "requests": each.requests,
                "seconds": None if each.seconds == float("inf") else round(each.seconds, 1),
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
