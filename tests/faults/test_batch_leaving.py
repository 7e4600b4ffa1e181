"""Leaving the batch lane and coming back in another way: nothing is lost, held up or sent twice."""

import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from batch_bench import KEY, SAY, Bench, Notes, off, rows_in, walk
from run_bench import Folder, folder_before

from processor.batch.steps import Step
from processor.batch.until import Until
from processor.data import open_source
from processor.errors import UsageError
from processor.identity import NO_CONSENT, Consent
from processor.jobs import deciding
from processor.ledger.ledger import open_ledger
from processor.notice import Notice
from processor.run import Run
from processor.sandbox_process import sandbox
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.tasks.toml import load_task

AWAY = BatchTerms(until=Until.SUBMITTED)


def ledger(bench: Bench, statement: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(bench.out / "ledger.sqlite") as connection:
        return connection.execute(statement).fetchall()


def states(bench: Bench) -> list[str]:
    return [state for (state,) in ledger(bench, "SELECT state FROM shards ORDER BY number")]


@dataclass(slots=True)
class Leaver:
    """A start of a run that is ended behind a step."""

    bench: Bench
    step: Step | None
    consent: Consent = NO_CONSENT
    drains: bool = False
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        bench = self.bench
        settings = {"route": "batch", "base_url": bench.url, "api_key": KEY, "logs": bench.folder}
        self.run = Run(
            folder=bench.out,
            task=load_task(str(bench.folder / "task.toml")),
            source=open_source(str(bench.folder / "rows.jsonl")),
            settings=Settings.of(settings),
            consent=self.consent,
            batch=BatchTerms(at=self._end),
            clock=bench.clock,
        )

    def _end(self, step: Step) -> None:
        if step is self.step:
            if self.drains:
                self.run.drain()
            else:
                self.run.abort()


@pytest.mark.fault(87)
@pytest.mark.parametrize("step", Step)
def test_a_second_interrupt_behind_any_step_leaves_everything_to_the_next_start(
    tmp_path: Path, step: Step
) -> None:
    async def visit(bench: Bench) -> None:
        report = await Leaver(bench, step).run.execute()
        assert report.exit_code in {0, 130}
        assert report.stop is None
        assert (await bench.run(grace_s=2.0)).exit_code == 0
        assert set(states(bench)) == {"settled"}
        assert not list((bench.out / "batches").iterdir())
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (1_100, 0)

    walk(tmp_path, visit, rows=1_100)


@pytest.mark.fault(87)
@pytest.mark.parametrize("step", [Step.SHARD_KEPT, Step.CREATE_INTENDED, Step.BATCH_KEPT])
def test_an_interrupt_ends_every_wait(tmp_path: Path, step: Step) -> None:
    async def visit(bench: Bench) -> None:
        assert (await Leaver(bench, step, drains=True).run.execute()).exit_code == 130
        assert states(bench) == ["written" if step is Step.SHARD_KEPT else "open"]

    walk(tmp_path, visit, in_progress_s=1e9)


def test_what_a_batch_did_not_answer_goes_directly_where_that_follows(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        await bench.clock.sleep(60)
        assert (await bench.run(route="direct", rounds=1)).exit_code == 0
        stats = await bench.stats()
        assert (stats["paid"], stats["by_route"]["POST /v1/batches"]) == (12, 1)

    walk(tmp_path, visit, "server_error:on=line,count=12")


@pytest.mark.fault(76)
def test_batches_of_earlier_starts_count_among_those_of_the_hour(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await Leaver(bench, Step.FILE_KEPT).run.execute()).exit_code == 130
        made = ((f"b{n}", 9, "completed", bench.clock.time() - n, 0.0) for n in range(2_000))
        with sqlite3.connect(bench.out / "ledger.sqlite") as connection:
            names = "id, shard, status, created_at, seen_at"
            connection.executemany(f"INSERT INTO batches ({names}) VALUES (?, ?, ?, ?, ?)", made)
        assert (await bench.run(terms=AWAY)).exit_code == 6
        assert states(bench) == ["uploaded"]
        assert (await off(bench, 3_600.0).run(terms=AWAY)).exit_code == 6
        assert states(bench) == ["open"]

    walk(tmp_path, visit)


@pytest.mark.fault(84)
def test_a_shard_whose_items_are_all_answered_is_settled_after_all(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        assert (await bench.run()).exit_code == 0
        ledger(bench, "UPDATE shards SET state = 'ended'")  # as if killed right before that
        assert (await bench.run()).exit_code == 0
        assert states(bench) == ["settled"]

    walk(tmp_path, visit)


@pytest.mark.fault(84)
@pytest.mark.parametrize("state", ["written", "uploading"])
def test_a_shard_whose_file_is_gone_is_written_anew(tmp_path: Path, state: str) -> None:
    async def visit(bench: Bench) -> None:
        assert (await Leaver(bench, Step.SHARD_KEPT).run.execute()).exit_code == 130
        ledger(bench, f"UPDATE shards SET state = '{state}'")
        (bench.out / "batches" / "shard_0001.jsonl").unlink()
        assert (await bench.run()).exit_code == 0
        assert states(bench) == ["dropped", "settled"]
        assert (await bench.stats())["paid"] == 12

    walk(tmp_path, visit)


@pytest.mark.parametrize("step", [Step.SHARD_KEPT, Step.UPLOAD_INTENDED, Step.FILE_KEPT])
def test_what_is_no_batch_yet_goes_by_the_route_that_is_asked_for_now(
    tmp_path: Path, step: Step
) -> None:
    async def visit(bench: Bench) -> None:
        assert (await Leaver(bench, step).run.execute()).exit_code == 130
        assert (await bench.run(route="direct", grace_s=1.0)).exit_code == 0
        assert states(bench) == ["dropped"]
        stats = await bench.stats()
        assert "POST /v1/batches" not in stats["by_route"]
        assert (stats["paid"], stats["items"]["paid_twice"]) == (12, 0)

    walk(tmp_path, visit)


def test_what_is_no_batch_yet_is_asked_anew_when_the_task_changes(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await Leaver(bench, Step.FILE_KEPT).run.execute()).exit_code == 130
        (bench.folder / "task.toml").write_text(SAY.replace("Say", "Please say"))
        changed = Leaver(bench, None, consent=Consent(task=True))
        assert (await changed.run.execute()).exit_code == 0
        assert states(bench) == ["dropped", "settled"]
        ((before, after),) = ledger(bench, "SELECT MIN(bytes), MAX(bytes) FROM shards")
        assert after - before == 12 * len("Please ")

    walk(tmp_path, visit)


def test_rows_of_a_batch_that_never_ends_can_be_sent_once_more(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        later = off(bench, 26 * 3600.0)
        settings = Settings.of({"base_url": bench.url, "api_key": KEY})
        with open_ledger(bench.out) as opened:
            async with remote_of(settings) as remote:
                with pytest.raises(UsageError, match="paid twice"):
                    await deciding.send_again(opened, remote, bench.clock, 1)
                assert await deciding.send_again(opened, remote, later.clock, 1) == 12
        assert (await bench.run()).exit_code == 0
        assert states(bench) == ["dropped", "settled"]

    walk(tmp_path, visit, "batch_stuck:count=1")


def test_a_batch_that_brought_nothing_is_taken_over_once(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        elsewhere = replace(bench, folder=tmp_path / "elsewhere", notes=Notes())
        elsewhere.folder.mkdir()
        rows_in(elsewhere.folder, 12)
        assert (await elsewhere.run()).exit_code == 0
        assert len(elsewhere.told("batch_found")) == 1
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 2

    walk(tmp_path, visit, "server_error:on=line,count=12")


@pytest.mark.fault(84, 85)
def test_a_shard_that_was_kept_only_takes_over_what_was_left(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(terms=AWAY)).exit_code == 6
        elsewhere = replace(bench, folder=tmp_path / "elsewhere", notes=Notes())
        elsewhere.folder.mkdir()
        rows_in(elsewhere.folder, 12)
        assert (await Leaver(elsewhere, Step.SHARD_KEPT).run.execute()).exit_code == 130
        assert (await elsewhere.run()).exit_code == 0
        stats = await bench.stats()
        assert (stats["paid"], stats["by_route"]["POST /v1/batches"]) == (12, 1)

    walk(tmp_path, visit)


class Faulty(Notes):
    """An observer with a fault of its own."""

    def notice(self, notice: Notice) -> None:
        if notice.event == "batch_status":
            raise RuntimeError("a fault of its own")


def test_a_fault_while_looking_ends_the_run_and_does_not_hang_it(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        with pytest.raises(RuntimeError, match="of its own"):
            await replace(bench, notes=Faulty()).run()

    walk(tmp_path, visit)


@pytest.fixture
def small(tmp_path: Path) -> Any:
    with sandbox(["--latency-ms", "1"]) as url, folder_before(url, tmp_path, rows=50) as folder:
        yield folder


def test_many_shards_at_once_need_few_open_files(small: Folder) -> None:
    few = ["sh", "-c", 'ulimit -n 100; exec "$@"', "few"]
    process = small.start("--route", "batch", "--shard-size", "1", under=few)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 0, said + told
    small.assert_whole(50)


@pytest.mark.fault(89)
def test_a_place_for_shards_that_cannot_be_is_told_in_a_line(small: Folder) -> None:
    (small.path / "out").mkdir()
    (small.path / "out" / "batches").write_text("in the way")
    code, _, told = small.run("--route", "batch")
    assert code == 5
    assert "batches: File exists" in told
    assert "Traceback" not in told
