"""Both lanes under a deadline, on one quick clock with the sandbox."""

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from batch_bench import Bench, walk

from processor.errors import UsageError
from processor.ledger import decisions
from processor.ledger.database import LEDGER_NAME
from processor.plan import told
from processor.plan.decide import decide

ROWS = 200
QUICK = 1_000.0  # an hour takes four seconds
CALM = 300.0  # where seconds of a busy machine must not be hours


@pytest.fixture
def own_history(own_state: Path) -> Path:
    return own_state / "processor" / "batches.jsonl"


def hybrid(
    tmp_path: Path, *faults: str, deadline: str = "45m", **options: Any
) -> tuple[Any, Counter[str], Any]:
    """The report of a run, which lane answered how many rows, and what the sandbox saw."""
    seen: list[Any] = []
    settings = {"route": "hybrid", "deadline": deadline, **options.pop("settings", {})}

    async def visit(bench: Bench) -> None:
        report = await bench.run(**settings)
        lanes = Counter(
            entry["lane"] for entry in bench.results().values() if entry["status"] == "success"
        )
        seen.extend((report, lanes, (await bench.stats())["items"]))

    walk(tmp_path, visit, *faults, **{"rows": ROWS, "speed": CALM, "latency_ms": 500, **options})
    report, lanes, items = seen
    return report, lanes, items


def kept(tmp_path: Path) -> list[tuple[float, Any, Any]]:
    with closing(sqlite3.connect(tmp_path / "out" / LEDGER_NAME)) as connection:
        return list(decisions.all_of(connection))


def test_batches_that_are_quick_bring_everything_but_a_sample(
    tmp_path: Path, own_history: Path
) -> None:
    report, lanes, items = hybrid(tmp_path, in_progress_s=60)
    assert report.exit_code == 0
    assert lanes == {"batch": 190, "direct": 10}
    assert items["paid_twice"] == 0
    (line,) = own_history.read_text().splitlines()
    noted = json.loads(line)
    assert (noted["model"], noted["requests"]) == ("gpt-6-luna", 190)
    assert 60 < noted["seconds"] < 600


@pytest.mark.parametrize(
    "fault",
    ["batch_stuck:status=validating", "batch_stuck:status=in_progress,share=0.5"],
    ids=["validating", "half-done"],
)
def test_a_batch_that_will_be_late_comes_back_in_time(tmp_path: Path, fault: str) -> None:
    report, lanes, items = hybrid(tmp_path, fault)
    assert report.exit_code == 0
    assert sum(lanes.values()) == ROWS
    assert items["paid_twice"] == 0
    if "half" in fault or "share" in fault:
        assert lanes["batch"] >= 80  # what it had done is kept


@pytest.mark.parametrize(
    "fault",
    ["batch_fails:code=invalid_request", "batch_expires:share=0.5"],
    ids=["fails", "expires"],
)
def test_what_a_batch_leaves_goes_directly(tmp_path: Path, fault: str) -> None:
    patient = {"timeout_s": 80_000}  # four seconds of the machine's
    report, lanes, items = hybrid(tmp_path, fault, deadline="30h", speed=20_000.0, settings=patient)
    assert report.exit_code == 0
    assert sum(lanes.values()) == ROWS
    assert lanes["direct"] >= ROWS // 3
    assert items["paid_twice"] == 0


def test_a_decision_can_be_made_again_from_what_was_kept(tmp_path: Path) -> None:
    hybrid(tmp_path, "batch_stuck:status=in_progress,share=0.5")
    made = kept(tmp_path)
    assert any(decision["cancel"] for _, _, decision in made)
    for _, view, decision in made:
        assert decide(told.view_of(view)) == told.decision_of(decision)


def test_what_is_not_done_in_time_is_left_and_told(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        slow: dict[str, Any] = {"route": "hybrid", "concurrency": 1, "deadline": "30m"}
        report = await bench.run(**slow)
        assert report.exit_code == 4
        assert report.stop is not None
        assert report.stop.code == "deadline"
        left = report.snapshot.pending
        assert 100 < left < ROWS
        with pytest.raises(UsageError, match="which has passed"):
            await bench.run(**slow)
        report = await bench.run(route="hybrid", deadline="3h")
        assert report.exit_code == 0
        assert (await bench.stats())["items"]["paid_twice"] == 0

    walk(
        tmp_path,
        visit,
        "batch_stuck:status=in_progress",
        rows=ROWS,
        speed=QUICK,
        latency_ms=60_000,
        latency_sigma=0,
    )


def test_who_waits_for_some_rows_gets_them_first(tmp_path: Path) -> None:
    report, lanes, _ = hybrid(tmp_path, settings={"direct_first": 30})
    assert report.exit_code == 0
    assert lanes["direct"] >= 30


def test_a_server_without_batches_is_asked_directly(tmp_path: Path) -> None:
    other = {"provider": "another's"}
    report, lanes, _ = hybrid(tmp_path, "status:on=batches,status=404", settings=other)
    assert (report.exit_code, lanes) == (0, {"direct": ROWS})


@pytest.mark.parametrize("route", ["auto", "direct"])
def test_a_deadline_holds_whatever_the_route(tmp_path: Path, route: str) -> None:
    report, lanes, _ = hybrid(tmp_path, settings={"route": route})
    assert report.exit_code == 0
    assert (lanes["batch"] > 0) is (route == "auto")


def test_no_budget_is_broken(tmp_path: Path) -> None:
    prices = {"price": (1000.0, 1000.0, 5000.0), "max_output_tokens": 60}
    report, _, _ = hybrid(
        tmp_path,
        "batch_stuck:status=in_progress,share=0.5",
        settings={**prices, "budget_usd": 8.0},
    )
    assert report.exit_code == 4
    assert report.snapshot.spent_usd <= 8.0


def test_who_ends_it_goes_on_later(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        work = asyncio.create_task(bench.run(route="hybrid", deadline="3h"))
        await bench.heard("batch_created")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        report = await bench.run(route="hybrid", deadline="3h")
        assert report.exit_code == 0
        assert (await bench.stats())["items"]["paid_twice"] == 0

    walk(tmp_path, visit, rows=ROWS, speed=QUICK, in_progress_s=1_200)


STUCK = "batch_stuck:status=in_progress,share=0.5"


@pytest.mark.parametrize(
    "fault",
    ["server_error:on=cancel,count=3", "lost_answer:on=create"],
    ids=["cancel-fails", "creation-in-doubt"],
)
def test_a_batch_is_told_to_come_back_until_it_does(tmp_path: Path, fault: str) -> None:
    report, lanes, items = hybrid(tmp_path, STUCK, fault)
    assert report.exit_code == 0
    assert sum(lanes.values()) == ROWS
    assert items["paid_twice"] == 0


def test_a_batch_that_cannot_be_stopped_is_not_paid_for_twice(tmp_path: Path) -> None:
    report, lanes, items = hybrid(
        tmp_path, STUCK, "status:on=cancel,status=409", deadline="40m", rows=40
    )
    assert (report.exit_code, report.stop.code) == (4, "deadline")
    assert (report.snapshot.pending, sum(lanes.values())) == (38, 0)  # of a chunk that is not done
    assert items["paid_twice"] == 0


def test_rows_that_no_batch_may_hold_go_directly(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="hybrid", deadline="5h")
        assert report.exit_code == 0
        assert {entry["lane"] for entry in bench.results().values()} == {"direct"}
        assert len(bench.told("shard_written")) <= 2 * 20 + 2  # in one, then each alone

    walk(tmp_path, visit, rows=20, speed=QUICK, enqueued_tokens=5)


def test_a_shard_in_doubt_does_not_keep_the_others_from_their_deadline(tmp_path: Path) -> None:
    report, lanes, items = hybrid(
        tmp_path,
        "lost_answer:on=create,count=1",
        "status:on=batches,status=404",
        STUCK,
        settings={"shard_size": 40},
    )
    assert (report.exit_code, report.stop.code) == (3, "in_doubt")
    assert report.snapshot.pending == 40
    assert lanes["direct"] > 20
    assert items["paid_twice"] == 0


def test_what_cannot_be_uploaded_goes_directly(tmp_path: Path) -> None:
    report, lanes, _ = hybrid(tmp_path, "server_error:on=upload")
    assert (report.exit_code, lanes) == (0, {"direct": ROWS})


def test_a_limit_holds_while_items_are_put_into_shards(tmp_path: Path) -> None:
    report, lanes, items = hybrid(tmp_path, STUCK, settings={"limit": 70, "shard_size": 20})
    assert report.exit_code == 0
    assert sum(lanes.values()) == items["seen"] == 70


def test_when_the_money_is_gone_nobody_waits_for_the_deadline(tmp_path: Path) -> None:
    prices = {"price": (1000.0, 1000.0, 5000.0), "max_output_tokens": 60}
    report, _, _ = hybrid(
        tmp_path,
        deadline="20h",
        in_progress_s=600,
        settings={**prices, "budget_usd": 12.0, "shard_size": 20},
    )
    assert (report.exit_code, report.stop.code) == (4, "budget")
    assert 11.0 < report.snapshot.spent_usd <= 12.0
