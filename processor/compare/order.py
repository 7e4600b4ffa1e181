"""What a process that runs a trial is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from processor.settings import Settings

# A profile may set these: then no arm would be what its name says.
_VARIED = (
    *("limit", "repeat", "only", "wait_s", "chunk_size", "concurrency", "shard_size"),
    *("fallback", "urgent", "urgent_field", "direct_first"),
)


class Order(Struct, frozen=True, kw_only=True):
    """A trial to run.

    Attributes:
        folder: Of its run.
        rows: File of the comparison's rows.
        items: How many of them.
        task: Its name or path.
        settings: By name, secrets too: an order goes through a pipe, and is kept nowhere.
        in_turn: Batch jobs wait for each other.
        leaves: Batches are made, or looked at once, and left.
        scale: Seconds of the provider in one of the machine's.
    """

    folder: str
    rows: str
    items: int
    task: str
    settings: Mapping[str, Any]
    in_turn: bool
    leaves: bool
    scale: float

    def line(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self) + b"\n"

    @classmethod
    def of(cls, line: bytes) -> "Order":
        """As it came."""
        return msgspec.json.decode(line, type=cls)


def told(settings: Settings) -> dict[str, Any]:
    """Settings with their secrets, as JSON values; those that arms vary have their defaults."""
    values = settings.public()
    values |= {name: Settings.model_fields[name].default for name in _VARIED}
    values["headers"] = [(name, value.get_secret_value()) for name, value in settings.headers]
    for name in ("api_key", "proxy"):
        secret = getattr(settings, name)
        values[name] = secret.get_secret_value() if secret is not None else None
    return values


def logs_of(comparison: Path) -> Path:
    """Where the logs of a comparison's runs are."""
    return comparison / "logs"
