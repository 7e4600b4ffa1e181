"""Shards of the batch lane and their batches: how far each one is, and which items are in it.

An item is in at most one shard. It leaves with the record of its answer, in one transaction, so
that an answer read twice counts once, and one that never came is seen by what is left.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from processor import jsontext
from processor.ledger import counters, database


class State(StrEnum):
    """What is durable of a shard. Between an intent and what follows the provider must be asked."""

    WRITTEN = "written"
    UPLOADING = "uploading"  # an intent
    UPLOADED = "uploaded"
    CREATING = "creating"  # an intent
    OPEN = "open"
    ENDED = "ended"
    FETCHED = "fetched"
    SETTLED = "settled"
    DROPPED = "dropped"  # given up; its items are pending again


DONE = (State.SETTLED, State.DROPPED)
_UNSENT = (State.WRITTEN, State.UPLOADING, State.UPLOADED)
_AWAY = (State.CREATING, State.OPEN, State.ENDED)
UNSENT = (State.WRITTEN, State.UPLOADING, State.UPLOADED)  # certainly no batch
AT_PROVIDER = (State.CREATING, State.OPEN, State.ENDED, State.FETCHED)


class Shard(Struct, frozen=True, kw_only=True, gc=False):
    """An input file.

    Attributes:
        at: When it came into its state, in seconds since 1970.
        account: Short hash of provider and key that it was sent with.
        upload: How many times its file was sent, or is about to be, from 1.
        items: Lines of its file.
        bytes: Of its file.
        sha256: Of its file, in hexadecimal.
        tokens: Of its prompts, estimated.
        reserved_usd: What it may cost, while it counts as spent.
        file_id: At the provider.
        problem: Why it was given up.
    """

    number: int
    state: State
    at: float
    account: str | None
    endpoint: str
    model: str
    upload: int
    items: int
    bytes: int
    sha256: str
    tokens: int
    reserved_usd: float = 0.0
    file_id: str | None = None
    problem: str | None = None


class Batch(Struct, frozen=True, kw_only=True, gc=False):
    """A job at the provider, as it was last seen; the counts are the provider's.

    Attributes:
        created_at: Seconds since 1970, by the provider's clock.
        seen_at: The same, by ours.
        problem: Why it failed.
    """

    id: str
    shard: int
    status: str
    created_at: float | None
    seen_at: float
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    problem: str | None = None


class Standing(Struct, frozen=True, kw_only=True, gc=False):
    """How far the work of the batch lane is.

    Attributes:
        shards: All that there were.
        batches: All that there were.
        at_provider: Items that are, or may be, in a batch whose results are not here.
        waiting: Items in shards that are no batch yet.
        statuses: Of the batches that hold them, as they were seen last, to how many; the most
            frequent first.
        answered: Of their requests, those that the provider has done, as it counts.
        oldest_at: When the oldest of them was made, in seconds since 1970; None without any.
        reserved_usd: What shards may cost that are not settled.
    """

    shards: int
    batches: int
    at_provider: int
    waiting: int
    statuses: Mapping[str, int]
    answered: int
    oldest_at: float | None
    reserved_usd: float


class Paid(Struct, frozen=True, kw_only=True, gc=False):
    """What settled shards have cost.

    Attributes:
        items: Lines of their files.
        bytes: Of their files.
    """

    items: int
    bytes: int
    cost_usd: float


_SHARD = ", ".join(Shard.__struct_fields__)
_BATCH = ", ".join(Batch.__struct_fields__)


def all_of(connection: sqlite3.Connection) -> list[Shard]:
    """All shards, in their order."""
    return _shards(connection, "ORDER BY number")


def live(connection: sqlite3.Connection) -> list[Shard]:
    """Shards that are neither settled nor given up."""
    return _shards(connection, "WHERE state NOT IN (?, ?) ORDER BY number", DONE)


def next_number(connection: sqlite3.Connection) -> int:
    """The number of a shard that is about to be written."""
    (number,) = connection.execute("SELECT IFNULL(MAX(number), 0) + 1 FROM shards").fetchone()
    return int(number)


def batches(connection: sqlite3.Connection) -> list[Batch]:
    """All batches, the oldest first."""
    return _batches(connection)


def standing(connection: sqlite3.Connection) -> Standing:
    """How far the work is; a read of some hundred rows, however many items there are."""
    of_states = dict(connection.execute("SELECT state, SUM(items) FROM shards GROUP BY state"))
    counts = connection.execute(
        "SELECT (SELECT COUNT(*) FROM shards), (SELECT COUNT(*) FROM batches)"
    ).fetchone()
    held = connection.execute(
        "SELECT status, COUNT(*), SUM(IFNULL(completed, 0) + IFNULL(failed, 0)), "
        "MIN(IFNULL(created_at, seen_at)) FROM batches JOIN shards ON number = shard "
        "WHERE state IN (?, ?, ?) GROUP BY status ORDER BY 2 DESC, 1",
        _AWAY,
    ).fetchall()
    return Standing(
        shards=counts[0],
        batches=counts[1],
        at_provider=sum(of_states.get(state, 0) for state in _AWAY),
        waiting=sum(of_states.get(state, 0) for state in _UNSENT),
        statuses={status: count for status, count, *_ in held},
        answered=sum(answered for _, _, answered, _ in held),
        oldest_at=min((oldest_at for *_, oldest_at in held), default=None),
        reserved_usd=reserved_usd(connection),
    )


def at_provider(connection: sqlite3.Connection) -> int:
    """Items that are, or may be, in a batch whose results are not here."""
    (items,) = connection.execute(
        "SELECT IFNULL(SUM(items), 0) FROM shards WHERE state IN (?, ?, ?)", _AWAY
    ).fetchone()
    return int(items)


def waiting_by_shard(connection: sqlite3.Connection) -> Mapping[int, int]:
    """Shard to how many of its items were not answered yet."""
    return dict(connection.execute("SELECT shard, COUNT(*) FROM shard_items GROUP BY shard"))


def reserved_usd(connection: sqlite3.Connection) -> float:
    """What shards may cost that are not settled, and whose files were sent or are about to be."""
    (usd,) = connection.execute(
        "SELECT IFNULL(SUM(reserved_usd), 0) FROM shards WHERE state NOT IN (?, ?, ?)",
        (State.WRITTEN, *DONE),
    ).fetchone()
    return float(usd)


def paid(connection: sqlite3.Connection, model: str) -> Paid | None:
    """What settled shards of a model have cost.

    Returns:
        None when there are none, they are of several models, or a price is unknown.
    """
    models, items, size = connection.execute(
        "SELECT json_group_array(DISTINCT model), SUM(items), SUM(bytes) FROM shards "
        "WHERE state = ?",
        (State.SETTLED,),
    ).fetchone()
    spent = counters.read(connection).get("batch", {})
    if jsontext.loads(models) != [model] or spent.get("unpriced"):
        return None
    return Paid(items=items, bytes=size, cost_usd=spent.get("cost_usd", 0.0))


def holds(connection: sqlite3.Connection, batch_id: str) -> bool:
    """Whether a batch is one of the run's."""
    found = connection.execute("SELECT 1 FROM batches WHERE id = ?", (batch_id,))
    return found.fetchone() is not None


def batches_of(connection: sqlite3.Connection, number: int) -> list[Batch]:
    """The batches of a shard, the oldest first."""
    return _batches(connection, "WHERE shard = ?", (number,))


def add(connection: sqlite3.Connection, shard: Shard, seqs: Sequence[int]) -> None:
    """A shard whose file is written, within the caller's transaction."""
    save(connection, shard)
    connection.execute(
        "INSERT INTO shard_items SELECT value, ? FROM json_each(?)",
        (shard.number, jsontext.dumps(seqs)),
    )


def save(connection: sqlite3.Connection, shard: Shard) -> None:
    """What is new of a shard, within the caller's transaction."""
    places = ", ".join("?" * len(Shard.__struct_fields__))
    connection.execute(
        f"INSERT OR REPLACE INTO shards ({_SHARD}) VALUES ({places})",
        [getattr(shard, name) for name in Shard.__struct_fields__],
    )


def see(connection: sqlite3.Connection, seen: Iterable[Batch]) -> None:
    """Batches as they are now, within the caller's transaction."""
    places = ", ".join("?" * len(Batch.__struct_fields__))
    connection.executemany(
        f"INSERT OR REPLACE INTO batches ({_BATCH}) VALUES ({places})",
        [[getattr(batch, name) for name in Batch.__struct_fields__] for batch in seen],
    )


def pending(path: Path) -> tuple[int, int]:
    """How many items have no outcome, and how many of these are in shards.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    items, held, _ = pending_of(path, ())
    return items, held


def pending_of(path: Path, seqs: Sequence[int]) -> tuple[int, int, int]:
    """The same, and how many of some items have no outcome and are in no shard.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        items, held, free = connection.execute(  # one statement: all of the same moment
            "SELECT (SELECT COUNT(*) FROM items) - (SELECT COUNT(*) FROM outcomes), "
            "(SELECT COUNT(*) FROM shard_items), "
            "(SELECT COUNT(*) FROM json_each(?) WHERE value NOT IN (SELECT seq FROM outcomes) "
            "AND value NOT IN (SELECT seq FROM shard_items))",
            (jsontext.dumps(list(seqs)),),
        ).fetchone()
    return items, held, free


def waiting(connection: sqlite3.Connection, number: int) -> list[int]:
    """Items of a shard that were not answered yet, in their order."""
    found = connection.execute(
        "SELECT json_group_array(seq) FROM (SELECT seq FROM shard_items WHERE shard = ? "
        "ORDER BY seq)",
        (number,),
    )
    return list(jsontext.loads(found.fetchone()[0]))


def answered(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Take items out of their shards, within the transaction that records their answers."""
    connection.execute(
        "DELETE FROM shard_items WHERE seq IN (SELECT value FROM json_each(?))",
        (jsontext.dumps(seqs),),
    )


def forget(connection: sqlite3.Connection, number: int) -> None:
    """A shard's batches are not its own any more, within the caller's transaction."""
    connection.execute("DELETE FROM batches WHERE shard = ?", (number,))


def release(connection: sqlite3.Connection, number: int) -> None:
    """Let all items of a shard be pending again, within the caller's transaction."""
    connection.execute("DELETE FROM shard_items WHERE shard = ?", (number,))


def let_go_unsent(connection: sqlite3.Connection, problem: str, at: float) -> None:
    """Give up all shards that are no batch yet, within the caller's transaction."""
    unsent = "SELECT number FROM shards WHERE state IN (?, ?, ?)"
    connection.execute(f"DELETE FROM shard_items WHERE shard IN ({unsent})", UNSENT)
    connection.execute(
        f"UPDATE shards SET state = ?, problem = ?, at = ? WHERE number IN ({unsent})",
        (State.DROPPED, problem, at, *UNSENT),
    )


def _batches(
    connection: sqlite3.Connection, which: str = "", parameters: Sequence[int] = ()
) -> list[Batch]:
    found = connection.execute(
        f"SELECT {_BATCH} FROM batches {which} ORDER BY created_at, id", parameters
    )
    return [Batch(**dict(zip(Batch.__struct_fields__, row, strict=True))) for row in found]


def _shards(
    connection: sqlite3.Connection, which: str, parameters: Sequence[str] = ()
) -> list[Shard]:
    found = connection.execute(f"SELECT {_SHARD} FROM shards {which}", parameters)
    names = Shard.__struct_fields__
    return [
        Shard(**{**values, "state": State(values["state"])})
        for values in (dict(zip(names, row, strict=True)) for row in found)
    ]
