"""Shards that fare differently: none is in another's way, and none is paid twice."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from batch_bench import KEY, SAY, Bench, off, walk

from processor.batch.until import Until
from processor.jobs import cancelling
from processor.ledger.ledger import open_ledger
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings

ROWS = 12
TOKENS = 100  # of a row, and a little more: four bytes each
CAPPED = "[parameters]\nmax_completion_tokens = 60\n"
AWAY = BatchTerms(until=Until.SUBMITTED)


def wordy(bench: Bench, count: int) -> None:
    """Rows of which a provider counts as many tokens as we do, nearly."""
    rows = ({"id": n, "word": f"word{n}.".ljust(4 * TOKENS, "x")} for n in range(1, count + 1))
    (bench.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def ledger(bench: Bench, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with sqlite3.connect(bench.out / "ledger.sqlite") as connection:
        return connection.execute(statement, values).fetchall()


def answered(bench: Bench) -> list[int]:
    return [seq for (seq,) in ledger(bench, "SELECT seq FROM outcomes ORDER BY seq")]


async def ends(bench: Bench) -> Counter[str]:
    """How many batches there are in each status."""
    return Counter(batch["status"] for batch in (await bench.admin("batches"))["batches"])


@pytest.mark.fault(60, 85)
def test_a_batch_that_found_no_room_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(grace_s=20.0)).exit_code == 0
        assert await ends(bench) == {"failed": 1, "completed": 1}
        stats = await bench.stats()
        assert stats["by_fault"] == {"batch_fails": 1, "lost_answer": 1}
        assert stats["paid"] == ROWS

    full = "batch_fails:code=token_limit_exceeded,count=1"
    walk(tmp_path, visit, full, "lost_answer:on=create,after=1,count=1", in_progress_s=200)


@pytest.mark.fault(61)
def test_a_shard_that_is_no_batch_after_all_does_not_wait_for_itself(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        wordy(bench, 20)
        assert (await bench.run(grace_s=5.0, shard_size=10)).exit_code == 0
        stats = await bench.stats()
        assert stats["by_fault"] == {"reset": 1}
        assert (stats["paid"], stats["items"]["paid_twice"]) == (20, 0)

    lost = "reset:on=create,after=2,count=1"
    limit = {"enqueued_tokens": 15 * TOKENS, "enqueued_form": "429"}
    walk(tmp_path, visit, lost, in_progress_s=150, **limit)


@pytest.mark.fault(70)
def test_a_lost_batch_keeps_no_other_from_its_results(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY, shard_size=4)).exit_code == 6
        ((lost,),) = ledger(bench, "SELECT id FROM batches WHERE shard = 1")
        fault = f"status:on=batches,status=404;status:on=batch,status=404,match={lost}".split(";")
        await bench.admin("faults", {"set": fault})
        report = await off(bench, 300).run(shard_size=4)
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (3, "batch_lost")
        assert lost in report.stop.message
        assert answered(bench) == list(range(5, ROWS + 1))
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 3

    walk(tmp_path, visit)


@pytest.mark.fault(70)
def test_a_lost_batch_keeps_no_other_from_being_cancelled(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY, shard_size=6)).exit_code == 6
        ((lost,), (other,)) = ledger(bench, "SELECT id FROM batches ORDER BY shard")
        await bench.admin("faults", {"set": [f"status:on=cancel,status=404,match={lost}"]})
        settings = Settings.of({"base_url": bench.url, "api_key": KEY})
        with open_ledger(bench.out) as opened:
            async with remote_of(settings) as remote:
                jobs = cancelling.cancellable(opened, None)
                done = await cancelling.cancel(opened, remote, bench.clock, jobs, None)
        assert (done.lost, [batch.id for batch in done.batches]) == ([lost], [other])

    walk(tmp_path, visit, in_progress_s=1e9)


@pytest.mark.fault(70)
def test_nobody_waits_for_the_money_of_a_lost_batch(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        (bench.folder / "task.toml").write_text(SAY + CAPPED)
        # One shard needs 1.4 dollars.
        tight: dict[str, Any] = {"shard_size": 6, "price": "1000,5000", "budget_usd": 2.0}
        assert (await bench.run(terms=AWAY, **tight)).exit_code == 6
        assert ledger(bench, "SELECT state FROM shards") == [("open",), ("written",)]
        await bench.admin("faults", {"set": ["status:on=batch,status=404"]})
        report = await off(bench, 300).run(**tight)
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (4, "budget")

    walk(tmp_path, visit)


@pytest.mark.fault(69)
def test_a_batch_that_cannot_be_looked_at_keeps_no_other_from_its_results(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY, shard_size=6)).exit_code == 6
        ((odd,),) = ledger(bench, "SELECT id FROM batches WHERE shard = 1")
        await bench.admin("faults", {"set": [f"server_error:on=batch,match={odd}"]})
        await bench.clock.sleep(60)
        once = BatchTerms(until=Until.FETCHED)
        assert (await bench.run(terms=once, shard_size=6)).exit_code == 6
        assert answered(bench) == list(range(7, ROWS + 1))
        await bench.admin("faults", {"clear": True})
        assert (await bench.run(shard_size=6)).exit_code == 0
        assert (await bench.stats())["paid"] == ROWS

    walk(tmp_path, visit)


def test_a_second_name_of_a_batch_is_no_other_batch(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        assert len(ledger(bench, "SELECT id FROM batches")) == 1
        assert (await bench.stats())["paid"] == ROWS

    walk(tmp_path, visit, 'told:field=id,value="deployment:1",while=in_progress')


@pytest.mark.fault(84, 85)
def test_a_double_that_could_not_be_cancelled_is_cancelled_at_the_next_look(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        ((file,),) = ledger(bench, "SELECT file_id FROM shards")
        double = {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{bench.url}/batches", json=double) as response,
        ):
            assert response.status == 200
        ledger(bench, "DELETE FROM batches")
        ledger(bench, "UPDATE shards SET state = 'creating'")  # as if killed before it was kept
        await bench.admin("faults", {"set": ["server_error:on=cancel,count=1"]})
        assert (await bench.run()).exit_code == 0
        assert await ends(bench) == {"completed": 1, "cancelled": 1}
        assert len(bench.told("cancel_failed")) == 1

    walk(tmp_path, visit, in_progress_s=400)


@pytest.mark.fault(79)
def test_results_that_cannot_be_fetched_keep_no_other_from_its_own(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY, shard_size=6)).exit_code == 6
        await bench.clock.sleep(60)
        ((first,),) = ledger(bench, "SELECT id FROM batches WHERE shard = 1")
        batches = (await bench.admin("batches"))["batches"]
        (odd,) = (each["output_file_id"] for each in batches if each["id"] == first)
        await bench.admin("faults", {"set": [f"server_error:on=content,match={odd}"]})
        report = await bench.run(shard_size=6, give_up_s=20.0)
        assert report.stop is not None
        assert (report.exit_code, report.stop.message[:8]) == (3, "shard 1:")
        assert answered(bench) == list(range(7, ROWS + 1))

    walk(tmp_path, visit)
