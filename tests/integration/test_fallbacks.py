"""Where items go when their lane fails them: from a batch to calls, from calls to a batch."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from batch_bench import Bench, off, walk

from processor.batch.until import Until
from processor.ledger.database import LEDGER_NAME
from processor.sending.terms import BatchTerms

ROWS = 12
MODELS = ("gpt-0-missing", "gpt-6-luna", "gpt-6.1-terra")
BY_ROW = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[overrides]
model = "model"
[output]
kind = "text"
"""
AWAY = BatchTerms(until=Until.SUBMITTED)
DIRECTLY: Mapping[str, Any] = {"fallback": "direct", "shard_size": 4, "grace_s": 20.0}


def lanes(bench: Bench) -> Counter[str]:
    """How many rows succeeded by each lane."""
    entries = bench.results().values()
    return Counter(entry["lane"] for entry in entries if entry["status"] == "success")


def ledger(bench: Bench, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(bench.out / LEDGER_NAME)) as connection:
        return connection.execute(statement).fetchall()


def by_model(bench: Bench) -> None:
    """Each row names one of three models, in its words, too."""
    (bench.folder / "task.toml").write_text(BY_ROW)
    named = ((n, MODELS[n % 3]) for n in range(ROWS))
    rows = ({"id": n, "word": f"word{n} of {model}", "model": model} for n, model in named)
    (bench.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


async def statuses(bench: Bench) -> Counter[str]:
    """How many batches there are in each status."""
    return Counter(batch["status"] for batch in (await bench.admin("batches"))["batches"])


@pytest.mark.parametrize(
    ("fault", "by_batch"),
    [
        pytest.param("batch_fails:code=invalid_request,count=1", 8, id="fails"),
        pytest.param("batch_fails:code=model_not_found", 0, id="all-fail"),
        pytest.param("status:on=create,status=400,count=1", 8, id="refused"),
        pytest.param("model_not_found:on=create,count=1", 8, id="model-refused"),
        pytest.param("too_large:on=upload,count=1", 8, id="file-refused"),
        pytest.param("batch_expires:share=0.5,count=1", 10, id="expires"),
        pytest.param("batch_cancels:share=0.5,count=1", 10, id="cancelled-by-others"),
        pytest.param("batch_stuck:status=validating,count=1", 8, id="validating"),
    ],
)
def test_what_batches_do_not_do_goes_directly(tmp_path: Path, fault: str, by_batch: int) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(**DIRECTLY, validating_most_s=600, timeout_s=80_000)
        assert (report.exit_code, report.stop) == (0, None)
        assert lanes(bench) == Counter(batch=by_batch, direct=ROWS - by_batch)
        assert [told["items"] for told in bench.told("fallback")] == [ROWS - by_batch]
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)

    speed = 20_000.0 if "expires" in fault else 1_000.0
    walk(tmp_path, visit, fault, rows=ROWS, speed=speed)


def test_what_a_lost_batch_held_goes_directly(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY, **DIRECTLY)).exit_code == 6
        ((lost,),) = ledger(bench, "SELECT id FROM batches WHERE shard = 1")
        fault = f"status:on=batches,status=404;status:on=batch,status=404,match={lost}".split(";")
        await bench.admin("faults", {"set": fault})
        assert (await off(bench, 300).run(**DIRECTLY)).exit_code == 0
        assert lanes(bench) == {"batch": 8, "direct": 4}

    walk(tmp_path, visit)


def test_what_is_too_large_for_the_queue_is_split_and_not_sent_directly(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(fallback="direct")).exit_code == 0
        assert lanes(bench) == {"batch": ROWS}
        assert (await bench.stats())["by_route"]["POST /v1/batches"] > 2

    walk(tmp_path, visit, enqueued_tokens=60, enqueued_form="400")


def test_a_limit_of_items_holds_for_what_goes_directly(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(**DIRECTLY, limit=8)).exit_code == 0
        assert lanes(bench) == {"batch": 4, "direct": 4}
        assert (await bench.run(**DIRECTLY, limit=4)).exit_code == 0
        assert [told["items"] for told in bench.told("fallback")] == [4]

    walk(tmp_path, visit, "batch_fails:code=invalid_request,count=1")


def test_a_batch_that_begins_late_is_let_be(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(**DIRECTLY, validating_most_s=600)
        assert report.exit_code == 0
        assert lanes(bench) == {"batch": ROWS}

    walk(tmp_path, visit, "batch_stuck:status=validating,seconds=300", speed=1_000.0)


def test_one_that_is_stuck_and_nobody_falls_back_is_waited_for(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(validating_most_s=60)).exit_code == 0
        assert lanes(bench) == {"batch": ROWS}
        assert not bench.told("batch_stuck")

    walk(tmp_path, visit, "batch_stuck:status=validating,seconds=900", speed=1_000.0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("batch_fails:code=invalid_request,count=1", "batch_failed"),
        ("bad_request:on=create,after=2,count=1", "bad_request"),
        ("model_not_found:on=create,after=2,count=1", "model_not_found"),
        ("too_large:on=upload,after=2,count=1", "too_large"),
        ("model_not_found:on=line,after=4,count=4", "model_not_found"),
    ],
    ids=["fails", "refused", "model-refused", "file-refused", "lines-refused"],
)
def test_without_a_fallback_others_are_settled_before_the_stop(
    tmp_path: Path, fault: str, code: str
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(shard_size=4, grace_s=20.0)
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (3, code)
        ends = await statuses(bench)
        assert ends.keys() <= {"completed", "failed"}
        good = ends["completed"] - ("on=line" in fault)
        assert (report.snapshot.succeeded, good > 0) == (4 * good, True)
        (told,) = bench.told("batch_closed")
        assert told["code"] == code
        assert (await bench.run(shard_size=4)).exit_code == 0
        assert lanes(bench) == {"batch": ROWS}
        assert (await bench.stats())["paid"] == ROWS

    walk(tmp_path, visit, fault, in_progress_s=30)


def test_nothing_more_is_sent_after_a_refusal(tmp_path: Path) -> None:
    """Those that wait for room or their turn stay where they are."""

    async def visit(bench: Bench) -> None:
        report = await bench.run(shard_size=1, grace_s=20.0)
        assert report.exit_code == 3
        ends = await statuses(bench)
        assert report.snapshot.succeeded == ends["completed"] < ROWS - 1
        assert (await bench.run(shard_size=1)).exit_code == 0

    walk(tmp_path, visit, "batch_fails:code=invalid_request,count=1", enqueued_tokens=30)


def test_what_one_model_is_refused_is_in_no_other_ones_way(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        by_model(bench)
        report = await bench.run(grace_s=20.0, shard_size=2)
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (3, "batch_failed")
        assert (report.snapshot.succeeded, report.snapshot.pending) == (8, 4)
        assert (await bench.run(fallback="direct")).exit_code == 3  # nobody has such a model
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (8, 0)

    walk(tmp_path, visit, models=MODELS[1:])


@pytest.mark.parametrize("first", [0, 5], ids=["from-the-start", "on-the-way"])
@pytest.mark.parametrize(
    "fault", ["daily_limit", "rate_limit:retry-after=7200"], ids=["daily", "blocked"]
)
def test_when_calls_are_over_for_the_day_the_rest_goes_by_batch(
    tmp_path: Path, fault: str, first: int
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="auto", concurrency=1)
        assert (report.exit_code, report.stop) == (0, None)
        assert lanes(bench) == Counter(direct=first, batch=ROWS - first)
        (told,) = bench.told("route_changed")
        assert (told["lane"], told["items"]) == ("batch", ROWS - first)
        assert report.snapshot.route["reason"] == told["reason"]
        assert "calls are over for now" in told["reason"]
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)

    walk(tmp_path, visit, f"{fault}{',' if ':' in fault else ':'}after={first}")


@pytest.mark.parametrize(
    "asked",
    [
        {"route": "direct"},
        {"route": "auto", "urgent": True},
        {"route": "auto", "provider": "another's"},
    ],
    ids=["direct", "urgent", "without-batches"],
)
def test_who_waits_or_has_no_batches_stops_when_calls_are_over(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(**asked)
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (3, "daily_limit")
        assert "POST /v1/files" not in (await bench.stats())["by_route"]
        assert not bench.told("route_changed")

    no_batches = ["status:on=batches,status=404"] if "provider" in asked else []
    walk(tmp_path, visit, "daily_limit", *no_batches)


def test_the_limit_of_one_model_moves_its_rows(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        by_model(bench)
        report = await bench.run(route="auto")
        assert (report.exit_code, report.stop) == (0, None)
        entries = bench.results().values()
        assert {(entry["fields"]["model"], entry["lane"]) for entry in entries} == {
            (MODELS[0], "batch"),
            (MODELS[1], "direct"),
            (MODELS[2], "direct"),
        }
        assert (await bench.stats())["items"]["paid_twice"] == 0

    walk(tmp_path, visit, f"daily_limit:match=of {MODELS[0]}", models=MODELS)


def test_rows_for_which_somebody_waits_do_not_end_what_goes_by_batch(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="auto", direct_first=10, shard_size=330, concurrency=2)
        assert (report.exit_code, report.stop) == (0, None)
        by_lane = lanes(bench)
        assert by_lane["batch"] == 1_100 - by_lane["direct"]
        assert 3 <= by_lane["direct"] < 10
        assert (await bench.stats())["items"]["paid_twice"] == 0

    walk(tmp_path, visit, "daily_limit:after=4", rows=1_100)


def test_who_detaches_leaves_the_rest_in_batches(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(route="auto", terms=AWAY)).exit_code == 6
        assert (await bench.run(route="auto")).exit_code == 0
        assert lanes(bench) == {"batch": ROWS}
        assert (await bench.stats())["paid"] == ROWS

    walk(tmp_path, visit, "daily_limit")


def test_a_limit_of_items_holds_over_both_ways(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="auto", concurrency=1, limit=8)
        assert (report.exit_code, report.snapshot.succeeded) == (0, 8)
        assert lanes(bench) == {"direct": 3, "batch": 5}

    walk(tmp_path, visit, "daily_limit:after=3")


def test_what_batches_left_goes_into_another_when_calls_are_over(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="auto", fallback="direct")
        assert (report.exit_code, report.stop) == (0, None)
        assert lanes(bench) == {"batch": 1_000}
        assert len(bench.told("route_changed")) == 1

    walk(tmp_path, visit, "server_error:on=line,count=3", "daily_limit", rows=1_000)


def test_a_mix_without_a_deadline_does_not_wait_for_what_never_begins(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="hybrid", validating_most_s=600)
        assert (report.exit_code, report.stop) == (0, None)
        assert lanes(bench) == {"direct": ROWS}
        assert len(bench.told("batch_stuck")) == 1

    walk(tmp_path, visit, "batch_stuck:status=validating", speed=1_000.0)


@pytest.mark.parametrize("deadline", [None, "6h"])
def test_a_mix_goes_on_by_batch_alone(tmp_path: Path, deadline: str | None) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="hybrid", deadline=deadline, direct_first=6)
        assert (report.exit_code, report.stop) == (0, None)
        assert lanes(bench) == {"direct": 4, "batch": ROWS - 4}
        assert [told["lane"] for told in bench.told("route_changed")] == ["hybrid"]
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)

    fault = "daily_limit:after=4"
    walk(tmp_path, visit, fault, speed=1_000.0, in_progress_s=300, latency_ms=500)


def test_a_deadline_ends_a_mix_that_batches_alone_cannot_end(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="hybrid", deadline="30m")
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (4, "deadline")
        assert report.snapshot.succeeded == 0

    walk(tmp_path, visit, "daily_limit", "batch_stuck:status=in_progress", speed=1_000.0)
