"""What the tests of the ledger share: a table in memory, records of calls, a ledger with items."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.columns import Column
from processor.data.source import BadRow
from processor.items import Accepted, Attempt, Check, Failure, Item, Lane, Outcome, Row, Usage
from processor.ledger import database
from processor.ledger.commit import Record, write
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.reading import IntakeRules
from processor.ledger.shards import Shard, State
from processor.ledger.vitals import Vitals

UNPRICED = "a model without a price"


@dataclass(slots=True)
class Table:
    """A source in memory; plain mappings become rows numbered from 1."""

    content: Iterable[Mapping[str, Any] | BadRow]
    name: str = "table.csv"
    uri: str = "memory:table"
    version: str | None = "1"
    readings: list[int] = field(default_factory=list)

    def columns(self) -> Sequence[Column]:
        return ()

    def stamp(self) -> str | None:
        return self.version

    def rows(self) -> Iterator[Row | BadRow]:
        for number, one in enumerate(self.content, 1):
            self.readings.append(number)
            yield one if isinstance(one, BadRow) else Row(number=number, fields=one)


def numbered(count: int) -> Table:
    return Table([{"id": n, "text": f"text {n}"} for n in range(1, count + 1)])


def rules(
    id_field: str = "id",
    *,
    required: Sequence[str] = (),
    chunk_size: int = 10,
    limit: int | None = None,
    skip_invalid: bool = False,
    problem_with: Callable[[Mapping[str, Any]], str | None] | None = None,
    **changes: Any,
) -> IntakeRules:
    return IntakeRules(
        id_field=id_field,
        required=required,
        chunk_size=chunk_size,
        limit=limit,
        skip_invalid=skip_invalid,
        problem_with=problem_with,
        **changes,
    )


@contextmanager
def ledger_of(
    folder: Path, count: int, *, chunk_size: int = 10, provider: str = "openai"
) -> Iterator[Ledger]:
    """A ledger with `count` items in one session."""
    with open_ledger(folder) as ledger:
        ledger.set_meta(
            run_id="r1", task="mathml", model="m", provider=provider, id_field="id", identity="{}"
        )
        ledger.start_session({"provider": provider})
        if count:
            ledger.take_in(numbered(count), rules(chunk_size=chunk_size))
        yield ledger


def item(seq: int, *, chunk_size: int = 10) -> Item:
    fields = {"id": seq, "text": f"text {seq}"}
    return Item(seq=seq, chunk=(seq - 1) // chunk_size + 1, id=seq, fields=fields)


def shard(*, number: int, items: int, state: State = State.OPEN, **changes: Any) -> Shard:
    told: dict[str, Any] = {
        "at": 1.8e9,
        "account": None,
        "endpoint": "/v1/chat/completions",
        "model": "m",
        "upload": 1,
        "bytes": 100 * items,
        "sha256": f"{number:064}",
        "tokens": 25 * items,
    }
    return Shard(number=number, state=state, items=items, **{**told, **changes})


def price(model: str | None, _tier: str | None, lane: str, usage: Usage) -> float | None:
    """Fractions of two, so that sums are exact in whatever order."""
    if model == UNPRICED:
        return None
    usd = (usage.prompt_tokens + 4 * usage.completion_tokens) / 1024
    return usd / 2 if lane == "batch" else usd


def usage(prompt: int = 100, completion: int = 20, cached: int = 0) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


def succeeded(
    one: Item,
    *,
    attempts: int = 1,
    result: str = "x^2",
    check: Check = "verified",
    notes: tuple[str, ...] = (),
    lane: Lane = "direct",
    latency_ms: float = 100.0,
    paid: Usage | None = usage(),  # noqa: B008 - frozen
    model: str = "m-1",
) -> Outcome:
    return Outcome(
        item=one,
        lane=lane,
        attempts=attempts,
        latency_ms=latency_ms,
        answered=True,
        accepted=Accepted(result=result, check=check, notes=notes),
        model=model,
        usage=paid,
        request_id="req-1",
    )


def failed(
    one: Item,
    *,
    attempts: int = 1,
    code: str = "timeout",
    message: str = "no answer",
    retryable: bool = True,
    lane: Lane = "direct",
    latency_ms: float = 100.0,
    answered: bool = False,
    paid: Usage | None = None,
    model: str | None = None,
    body: str | None = None,
) -> Outcome:
    return Outcome(
        item=one,
        lane=lane,
        attempts=attempts,
        latency_ms=latency_ms,
        answered=answered,
        failure=Failure(code=code, message=message, retryable=retryable),
        model=model,
        usage=paid,
        body=body,
    )


def retried(
    one: Item, number: int, *, code: str = "server_error", status: int = 500, lane: Lane = "direct"
) -> Attempt:
    return Attempt(
        item=one,
        lane=lane,
        number=number,
        code=code,
        message="later",
        latency_ms=50.0,
        wait_s=1.0,
        status=status,
    )


def asked_again(
    one: Item,
    number: int,
    *,
    answer: str = "y",
    problem: str = "is wrong",
    lane: Lane = "direct",
    paid: Usage | None = usage(),  # noqa: B008 - frozen
    model: str = "m-1",
) -> Attempt:
    return Attempt(
        item=one,
        lane=lane,
        number=number,
        code="invalid",
        message=problem,
        latency_ms=60.0,
        wait_s=0.0,
        status=200,
        answered=True,
        usage=paid,
        model=model,
        answer=answer,
        problem=problem,
    )


def settle(connection: sqlite3.Connection, *records: Record, session: int = 1) -> None:
    """Make records durable in one transaction, without the thread."""
    with database.transaction(connection):
        write(connection, records, price, session)


def vitals() -> Vitals:
    return Vitals(cpu_s=1.5, rss_mb=50.0, peak_rss_mb=64.0, bytes_sent=10, bytes_received=20)
