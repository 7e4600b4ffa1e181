"""One look at a run: what state it is in, what is to be done next, and what reading it costs."""

import json
import time
from contextlib import closing
from dataclasses import replace as changed
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ledger_parts import (
    asked_again,
    failed,
    item,
    ledger_of,
    retried,
    settle,
    shard,
    succeeded,
    vitals,
)
from msgspec.structs import replace

from processor.exports.look import as_json
from processor.ledger import control, database
from processor.ledger.control import Order
from processor.ledger.gauges import DRAINING, PAUSED, SENDING, Gauges, written
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.requeue import requeue
from processor.ledger.samples import Earlier, Sampler
from processor.ledger.shards import Batch, add, see
from processor.watch import look, snapshot
from processor.watch.look import Look, State, state_of
from processor.watch.snapshot import LaneTotals, Session, Snapshot
from processor.watch.speed import speed_of

NOTHING = Gauges(at=0.0)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Of ten items, one of which has succeeded."""
    folder = tmp_path_factory.mktemp("run")
    with ledger_of(folder, 10) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        return snapshot.take(folder)


def made(
    shot: Snapshot,
    *,
    exit_code: int | None = None,
    stop_code: str | None = None,
    gauges: Gauges | None = NOTHING,
    pending: int = 9,
    at_provider: int = 0,
) -> Snapshot:
    assert shot.session is not None
    overall: LaneTotals = changed(shot.overall, succeeded=10 - pending)
    session: Session = changed(shot.session, exit_code=exit_code, stop_code=stop_code)
    jobs = replace(shot.jobs, at_provider=at_provider)
    return changed(
        shot, succeeded=10 - pending, overall=overall, session=session, now=gauges, jobs=jobs
    )


def stated(state: str) -> Gauges:
    return replace(NOTHING, state=state)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"gauges": None}, State.READING),
        ({"gauges": None, "pending": 0}, State.READING),
        ({"exit_code": 2}, State.READING),  # of the start before this one
        ({}, State.SENDING),
        ({"gauges": stated(SENDING)}, State.SENDING),
        ({"gauges": stated(PAUSED)}, State.PAUSED),
        ({"gauges": stated(DRAINING)}, State.DRAINING),
        ({"gauges": stated("levitating")}, State.SENDING),  # as a newer version may say
        ({"gauges": stated(PAUSED), "pending": 0}, State.FINISHING),
        ({"pending": 0}, State.FINISHING),
        ({"at_provider": 9}, State.SENDING),
    ],
)
def test_the_state_of_a_run_that_works(shot: Snapshot, told: dict[str, Any], state: State) -> None:
    assert state_of(made(shot, **told), is_running=True) is state


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"exit_code": 0, "pending": 0}, State.DONE),
        ({"exit_code": 2, "pending": 0}, State.DONE),
        ({"exit_code": 0}, State.RESUMABLE),  # with a limit
        ({"exit_code": 2}, State.RESUMABLE),  # whose failed items are pending again
        ({"exit_code": 3, "stop_code": "auth"}, State.STOPPED),
        ({"exit_code": 4, "stop_code": "budget"}, State.STOPPED),
        ({"exit_code": 5}, State.RESUMABLE),
        ({"exit_code": 6, "at_provider": 9}, State.AT_PROVIDER),
        ({"exit_code": 130, "at_provider": 9}, State.AT_PROVIDER),
        ({"exit_code": 6, "at_provider": 4}, State.RESUMABLE),
        ({"exit_code": 130}, State.RESUMABLE),
        ({}, State.RESUMABLE),  # killed
        ({"gauges": None}, State.RESUMABLE),
        ({"gauges": stated(PAUSED)}, State.RESUMABLE),
        ({"pending": 0}, State.RESUMABLE),  # killed while it wrote its tables
    ],
)
def test_the_state_of_a_run_that_nothing_works_on(
    shot: Snapshot, told: dict[str, Any], state: State
) -> None:
    assert state_of(made(shot, **told), is_running=False) is state


def test_whatever_a_ledger_holds_is_some_state(shot: Snapshot) -> None:
    """Done is said of nothing that works, and nothing works is said of nothing that does."""
    at_rest = {State.DONE, State.AT_PROVIDER, State.STOPPED, State.RESUMABLE}
    gauges = (None, *map(stated, (SENDING, PAUSED, DRAINING, "x")))
    for exit_code, stop_code, now, pending, held, works in product(
        (None, 0, 1, 2, 3, 4, 5, 6, 130), (None, "auth"), gauges, (0, 9), (0, 9), (True, False)
    ):
        told = made(
            shot,
            exit_code=exit_code,
            stop_code=stop_code,
            gauges=now,
            pending=pending,
            at_provider=min(held, pending),
        )
        assert (state_of(told, is_running=works) in at_rest) is not works
    nobody = changed(shot, session=None)
    assert state_of(nobody, is_running=False) is State.RESUMABLE
    assert state_of(nobody, is_running=True) is State.READING


def test_when_a_paused_run_will_be_done_is_not_told(shot: Snapshot) -> None:
    soon = Earlier(at=time.time() - 5, finished=0)
    sends = changed(made(shot, gauges=stated(SENDING)), earlier=soon)
    assert speed_of(sends).eta_s is not None
    paused = speed_of(changed(sends, now=stated(PAUSED)))
    assert paused.per_s is not None
    assert paused.eta_s is None


def full(ledger: Ledger) -> None:
    """Something of everything that a look reads; ten chunks of ten."""
    connection = ledger.connection
    records = [succeeded(item(seq)) for seq in range(1, 60)]
    records += [failed(item(seq), code="timeout", message=f"late {seq}") for seq in (60, 61, 62)]
    settle(connection, *records, failed(item(63), code="refused", retryable=False))
    settle(connection, retried(item(64), 1), asked_again(item(65), 1))
    with database.transaction(connection):
        add(connection, shard(number=1, items=10), list(range(90, 100)))
        see(connection, [_batch(1)])
        sampler = Sampler(connection, 1)
        for second in range(30):
            sampler.take(connection, Gauges(at=time.time() - 30 + second), vitals())
        connection.execute("UPDATE sessions SET gauges = ?", (written(NOTHING),))
    control.ask(ledger.folder, Order.parse(["pause"]))


def _batch(shard: int) -> Batch:
    return Batch(id="batch_1", shard=shard, status="in_progress", created_at=1.0, seen_at=2.0)


def seen(folder: Path) -> Look:
    with ledger_of(folder, 100) as ledger:
        full(ledger)
        return look.take(folder)


def test_a_look_tells_everything(tmp_path: Path) -> None:
    found = seen(tmp_path)
    assert found.state is State.SENDING
    assert [(fault.code, fault.count) for fault in found.faults] == [("timeout", 3), ("refused", 1)]
    assert (found.faults[0].example_id, found.faults[0].example_message) == ("60", "late 60")
    assert [chunk.number for chunk in found.open_chunks] == [7]
    assert [held.batch.id for held in found.batches] == ["batch_1"]
    assert [asked.words for asked in found.orders] == ["pause"]
    assert len(found.points) == 30
    assert found.next_steps == ()
    told = json.loads(json.dumps(as_json(found), allow_nan=False))
    assert len(told["points"][0]) == len(told["point_columns"])
    assert told["batches"][0]["state"] == "open"


def test_only_newer_points_are_read_again(tmp_path: Path) -> None:
    seen(tmp_path)
    assert [point.number for point in look.take(tmp_path, after=28).points] == [29, 30]
    assert look.take(tmp_path, after=30).points == []


def test_a_look_changes_nothing_and_is_of_one_moment(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 100) as ledger:
        full(ledger)
        before = ledger.connection.total_changes
        with closing(database.open_to_read(ledger.path)) as connection:
            connection.execute("BEGIN")
            first = look.read(tmp_path, connection)
            with database.transaction(ledger.connection):
                requeue(ledger.connection, None)
            again = look.read(tmp_path, connection)
            assert again.shot.finished == first.shot.finished
            assert again.faults == first.faults
        assert look.take(tmp_path).shot.finished == first.shot.finished - 3
        assert ledger.connection.total_changes > before


LARGE = ("items", "outcomes", "attempts", "shard_items", "vectors", "outbox", "chunks")


def test_nothing_that_grows_with_the_items_is_read_from_end_to_end(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 100) as ledger:
        full(ledger)
    statements: list[str] = []
    with closing(database.open_to_read(tmp_path / database.LEDGER_NAME)) as connection:
        connection.set_trace_callback(statements.append)
        look.read(tmp_path, connection)
        connection.set_trace_callback(None)
        plans = [
            (row[3], statement)
            for statement in statements
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert len(statements) > 10
    scans = [
        (plan, statement)
        for plan, statement in plans
        for table in LARGE
        if plan.startswith(f"SCAN {table}") and "open_chunks" not in plan
    ]
    assert scans == []


def test_work_does_not_grow_with_the_items(tmp_path: Path) -> None:
    """Steps of SQLite's machine, which are the same on every computer."""

    def steps(folder: Path, items: int) -> int:
        taken = 0

        def count() -> None:
            nonlocal taken
            taken += 1

        with ledger_of(folder, items) as ledger:
            settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, items // 2)))
            settle(ledger.connection, failed(item(items // 2)))
        with closing(database.open_to_read(folder / database.LEDGER_NAME)) as connection:
            connection.set_progress_handler(count, 10)
            look.read(folder, connection)
        return taken

    small, large = steps(tmp_path / "small", 1_500), steps(tmp_path / "large", 15_000)
    assert large <= 1.3 * small + 10


def test_a_start_that_was_killed_can_be_gone_on_with_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger_of(tmp_path / "run", 3) as ledger:
        place = json.dumps(str(tmp_path))
        ledger.set_meta(command="processor run --task 'my task.toml'", place=place)
        ledger.connection.execute("UPDATE sessions SET gauges = ?", (written(NOTHING),))
    monkeypatch.chdir(tmp_path)
    here = look.take(tmp_path / "run")
    assert (here.state, here.is_running, here.per_s, here.eta_s) == (
        State.RESUMABLE,
        False,
        None,
        None,
    )
    assert here.next_steps[0].endswith("goes on: processor run --task 'my task.toml'")
    monkeypatch.chdir("/")
    (step,) = look.take(tmp_path / "run").next_steps
    assert step.endswith(f"cd {tmp_path} && processor run --task 'my task.toml'")


def test_a_start_that_was_killed_before_its_files_were_written_is_gone_on_with(
    tmp_path: Path,
) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        assert look.take(tmp_path).next_steps == ()
    (step,) = look.take(tmp_path).next_steps
    assert step == "its files were not written to the end: the same command does: processor run …"
    with open_ledger(tmp_path) as ledger:
        ledger.end_session(1, 0)
    assert look.take(tmp_path).next_steps == ()


def test_a_run_of_a_program_has_no_command(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        ledger.set_meta(command="", place='"/"')
    found = look.take(tmp_path)
    assert found.shot.command is None
    assert found.next_steps[0].endswith("processor run …")


def test_ceilings_that_were_set_meanwhile_bound_what_is_hoped_for(shot: Snapshot) -> None:
    assert shot.session is not None
    slow = changed(shot, session=changed(shot.session, rpm=1), now=replace(NOTHING, rpm=3))
    assert slow.pending_least_s == 9 / 3 * 60
    assert changed(slow, now=NOTHING).pending_least_s == 0
    assert changed(slow, now=None).pending_least_s == 9 * 60


def test_a_ledger_without_items_can_be_looked_at(tmp_path: Path) -> None:
    with open_ledger(tmp_path):
        pass
    found = look.take(tmp_path)
    assert (found.state, found.points, found.targets) == (State.RESUMABLE, [], [])
    assert json.dumps(as_json(found), allow_nan=False)
