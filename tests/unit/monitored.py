"""Looks at a run, for tests of what is drawn of them."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ledger_parts import failed, item, ledger_of, settle, shard, succeeded
from msgspec import structs

from processor.console.monitor.picture import Scene
from processor.ledger import database, shards
from processor.ledger.control import Asked
from processor.ledger.gauges import Gauges
from processor.ledger.shards import Batch
from processor.watch import look
from processor.watch.look import Look, State
from processor.watch.speed import Speed
from processor.watch.trend import Point

AT_S = 1.8e9
NOW_S = AT_S + 90
KOREAN = "질문-7번의 아주 긴 이름"


@cache
def a_look() -> Look:
    """At a run that sends: 30 items, of which 20 are done and 3 of these failed; and a batch."""
    with tempfile.TemporaryDirectory() as name, ledger_of(Path(name), 30) as ledger:
        settle(
            ledger.connection,
            *(succeeded(item(seq), latency_ms=1_200) for seq in range(1, 18)),
            *(failed(item(seq), code="refused", message=f"{KOREAN}: no") for seq in (18, 19)),
            failed(item(20), code="timeout"),
        )
        batch = Batch(
            id="batch_1",
            shard=1,
            status="in_progress",
            created_at=NOW_S - 3_700,
            seen_at=NOW_S,
            total=5,
            completed=3,
            failed=1,
        )
        with database.transaction(ledger.connection):
            shards.add(ledger.connection, shard(number=1, items=5), [*range(26, 31)])
            shards.see(ledger.connection, [batch])
        seen = look.take(Path(name))
    gauges = Gauges(at=NOW_S, window=12, in_flight=9, waiting=2, calls_per_s=8.3, held_s=4.0)
    return replace(
        seen,
        shot=replace(seen.shot, now=gauges),
        state=State.SENDING,
        is_running=True,
        speed=Speed(per_s=3.5, eta_s=42.0),
        points=[point(number) for number in range(1, 61)],
        orders=[asked("pause", accepted=True, answer="Nothing new is sent.")],
        next_steps=(),
    )


def killed() -> Look:
    """The same, when nothing works on it."""
    command = "30 pending: the same command goes on: processor run --task greet.toml --input x.csv"
    return replace(
        a_look(),
        is_running=False,
        state=State.RESUMABLE,
        speed=Speed(per_s=None, eta_s=None),
        next_steps=(command,),
    )


def scene(seen: Look) -> Scene:
    return Scene(look=seen, timing=None, now_s=NOW_S)


def point(number: int, **changes: Any) -> Point:
    """A stretch of a second."""
    nothing = dict.fromkeys(("failed_per_s", "retries_per_s", "limited_per_s"), 0.0)
    usual = Point(
        number=number,
        at=AT_S + number,
        span_s=1.0,
        finished=number,
        failed=0,
        cost_usd=0.1,
        per_s=float(number),
        requests_per_s=float(number),
        p50_ms=100.0,
        p95_ms=200.0,
        window=12,
        in_flight=9,
        limit_per_s=None,
        cpu=0.25,
        rss_mb=81.0,
        sent_per_s=1_200.0,
        received_per_s=900.0,
        at_provider=0,
        **nothing,
    )
    return structs.replace(usual, **changes)


def asked(words: str, *, accepted: bool | None, answer: str | None) -> Asked:
    return Asked(
        number=1,
        at=AT_S,
        by="ann",
        words=words,
        taken_at=None if accepted is None else AT_S + 1,
        accepted=accepted,
        answer=answer,
    )


def texts(lines: Sequence[Any]) -> list[str]:
    """Without styles."""
    return [line.plain for line in lines]
