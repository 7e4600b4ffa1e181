"""What a start that sends says of itself, so that whoever watches the ledger knows it, too."""

import sqlite3

import msgspec
from msgspec import Struct

SENDING = "sending"
PAUSED = "paused"
DRAINING = "draining"


class Gauges(Struct, frozen=True, kw_only=True, gc=False):
    """How a start sends at one moment; what belongs to calls is 0 or None without a direct lane.

    Attributes:
        at: Seconds since 1970.
        state: `sending`, `paused` or `draining`.
        window: Calls that may be in flight.
        in_flight: Calls that are.
        waiting: Work that was begun and waits for its time: a retry, a limit, a pause.
        concurrency: Ceiling of the window that somebody set; None for none.
        rpm: The same of requests a minute.
        tpm: The same of tokens a minute.
        calls_per_s: What known limits allow; None where none is known.
        requests_per_min: The provider's limit, as far as it is known.
        tokens_per_min: The same of tokens.
        held_s: For how long nothing is sent, because the provider or a pause between chunks says
            so.
    """

    at: float
    state: str = SENDING
    window: int | None = None
    in_flight: int = 0
    waiting: int = 0
    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    calls_per_s: float | None = None
    requests_per_min: float | None = None
    tokens_per_min: float | None = None
    held_s: float = 0.0


def written(gauges: Gauges) -> str:
    """As the ledger keeps them."""
    return msgspec.json.encode(gauges).decode()


def latest(connection: sqlite3.Connection) -> Gauges | None:
    """Those of the latest start; None before it sends."""
    row = connection.execute("SELECT gauges FROM sessions ORDER BY number DESC LIMIT 1").fetchone()
    if row is None or row[0] is None:
        return None
    return msgspec.json.decode(row[0], type=Gauges)
