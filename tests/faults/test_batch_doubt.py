"""What makes it hard to know how many batches there are: FAULTS.md 84, 85 and their neighbours."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from batch_bench import Bench, off, walk

ROWS = 12


async def live(bench: Bench) -> list[Any]:
    """The sandbox's batches that neither failed nor were cancelled."""
    batches = (await bench.admin("batches"))["batches"]
    return [batch for batch in batches if batch["status"] not in {"failed", "cancelled"}]


@pytest.mark.fault(85)
def test_a_batch_that_is_found_too_late_is_cancelled_and_what_it_did_is_taken(
    tmp_path: Path,
) -> None:
    """No list shows it within the grace, so that there are two."""

    async def visit(bench: Bench) -> None:
        run = asyncio.create_task(bench.run(grace_s=30))
        await bench.heard("batch_created")
        await bench.admin("faults", {"clear": "lag"})
        report = await run
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        assert stats["by_route"]["POST /v1/batches"] == 2
        assert len(bench.results()) == ROWS
        assert len(bench.told("batch_found")) == 1
        (settled,) = bench.told("shard_settled")
        assert settled["duplicates"] == settled["paid_twice"] == stats["items"]["paid_twice"]
        assert stats["paid"] == ROWS + stats["items"]["paid_twice"]

    lags = "lag:on=batches,seconds=1000000"
    walk(tmp_path, visit, "lost_answer:on=create,count=1", lags, in_progress_s=100)


@pytest.mark.fault(60, 85)
def test_a_batch_that_failed_before_is_not_taken_for_one_whose_answer_is_lost(
    tmp_path: Path,
) -> None:
    """The second create of a shard is lost; a list shows the first one, which found no room."""

    async def visit(bench: Bench) -> None:
        report = await bench.run(grace_s=600)
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)
        assert len(await live(bench)) == 1

    walk(
        tmp_path,
        visit,
        "batch_fails:code=token_limit_exceeded,message=No room.,count=1",
        "lost_answer:on=create,after=1,count=1",
        "lag:on=batches,seconds=40",
    )


@pytest.mark.parametrize("off_s", [-3_660.0, 3_660.0, -86_400.0, 86_400.0])
def test_a_clock_that_is_wrong_makes_no_second_batch(tmp_path: Path, off_s: float) -> None:
    async def visit(bench: Bench) -> None:
        report = await off(bench, off_s).run(grace_s=60)
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        assert (stats["paid"], stats["by_route"]["POST /v1/batches"]) == (ROWS, 1)

    walk(tmp_path, visit, "lost_answer:on=create,count=1", "lost_answer:on=upload,count=1")


@pytest.mark.parametrize(
    "told",
    [
        ("told:field=output_file_id,value=null,while=completed",),
        ("told:field=output_file_id,value=absent,while=completed",),
    ],
    ids=" ".join,
)
def test_files_that_are_never_told_of_are_waited_for_and_then_rows_are_missing(
    tmp_path: Path, told: tuple[str, ...]
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(grace_s=60, rounds=1)
        assert report.exit_code == 2
        assert report.snapshot.errors == {"missing": ROWS}
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 1

    walk(tmp_path, visit, *told)
