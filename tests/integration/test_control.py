"""Orders to runs that work: in the direct lane as processes, in the others on a quick clock."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from batch_bench import Bench, Notes, walk
from ledger_parts import ledger_of
from run_bench import Folder, folder_before, wait_for

from processor.ledger import control, database
from processor.ledger.control import Asked, Order
from processor.notice import Notice
from processor.sandbox_process import sandbox
from processor.watch import look
from processor.watch.look import Look, State

ROWS = 400
FAILS = "status:status=400,type=odd,match=word1"  # of 400 words, 111 begin so
FAILING = 111


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "30"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=ROWS) as folder:
        yield folder


def ask(folder: Folder, *words: str) -> Asked:
    """Ask something of the run in `out`, and wait for its answer."""
    out = folder.path / "out"
    number = control.ask(out, Order.parse(words))
    wait_for(lambda: answer(out, number).answer is not None)
    return answer(out, number)


def answer(out: Path, number: int) -> Asked:
    asked = control.answer_of(out, number)
    assert asked is not None
    return asked


def by_hand(out: Path, *rows: Sequence[object]) -> None:
    """Rows in the table of orders that no `Order` made: who asked, and the words."""
    with closing(sqlite3.connect(out / "ledger.sqlite", timeout=30)) as connection, connection:
        connection.executemany("INSERT INTO control (at, asked_by, words) VALUES (1, ?, ?)", rows)


def orders(out: Path, most: int = 10_000) -> list[Asked]:
    """All orders, the oldest first."""
    with database.reading(out / "ledger.sqlite") as connection:
        return control.latest(connection, most)[::-1]


def rests(out: Path) -> Look:
    """The look of a run that is paused, once nothing is in flight and two more seconds went by."""
    seen: list[Look] = [look.take(out)]

    def is_quiet() -> bool:
        seen[-1] = look.take(out)
        now = seen[-1].shot.now
        return seen[-1].state is State.PAUSED and now is not None and not now.in_flight

    wait_for(is_quiet)
    last = seen[-1].points[-1].number
    wait_for(lambda: look.take(out).points[-1].number >= last + 2)
    return look.take(out)


def test_a_pause_stops_sending_until_it_goes_on(folder: Folder) -> None:
    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(50)
    asked = ask(folder, "pause")
    assert asked.accepted
    received = folder.admin("stats")["received"]
    seen = rests(folder.path / "out")
    assert folder.admin("stats")["received"] <= received + 10
    assert folder.admin("stats")["received"] == seen.shot.finished < ROWS
    assert seen.points[-1].per_s == 0
    ask(folder, "concurrency", "50")
    assert ask(folder, "resume").answer == "It goes on."
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(ROWS)
    assert folder.admin("stats")["received"] == ROWS
    (told,) = [line for line in folder.run_log() if line.get("order") == "pause"]
    assert told["by"] == asked.by
    assert told["accepted"] is True


def control_command(place: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "processor", "control", *words],
        check=False,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_no_order_goes_to_a_run_by_chance(tmp_path: Path) -> None:
    """Of several the one that works is meant, whichever was written last."""
    with ledger_of(tmp_path / "runs/a", 1) as works:
        with ledger_of(tmp_path / "runs/b", 1):
            code, told = control_command(tmp_path, "drain")
            assert code == 1
            assert re.fullmatch(
                r"Error: several runs work: runs/[ab], runs/[ab]\. Name one with --run\.\n", told
            )
        os.utime(tmp_path / "runs/b/ledger.sqlite", (time.time() + 60,) * 2)
        assert control_command(tmp_path, "--patience", "0", "drain")[0] == 6
        assert [asked.words for asked in control.waiting(works.path, 10)] == ["drain"]
    code, told = control_command(tmp_path, "drain")
    assert code == 1
    assert "runs/b: nothing works on it" in told


def test_the_command_tells_what_the_run_did(folder: Folder) -> None:
    def command(*words: str) -> tuple[int, str]:
        return control_command(folder.path, "--run", "out", *words)

    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(20)
    code, told = command("pause")
    assert code == 0
    assert "Nothing new is sent" in told
    code, told = command("requeue", "no_such_code")
    assert code == 2
    assert "no_such_code" in told
    assert command("concurrency", "many")[0] == 1
    assert command("concurrency", "8")[1].rstrip().endswith("concurrency is 8 at most.")
    ask(folder, "drain")
    process.communicate(timeout=30)
    assert process.returncode == 130
    code, told = command("resume")
    assert code == 1
    assert "nothing works on it" in told
    assert [asked.accepted for asked in orders(folder.path / "out")] == [
        True, False, True, True,
    ]  # fmt: skip
    assert folder.run()[0] == 0
    folder.assert_whole(ROWS)


@pytest.mark.parametrize("end", ["drain", signal.SIGINT])
def test_a_run_that_is_paused_can_be_ended(folder: Folder, end: str | signal.Signals) -> None:
    process = folder.start("--concurrency", "2", "--rpm", "100000")
    folder.wait_for_answers(50)
    ask(folder, "pause")
    if isinstance(end, str):
        ask(folder, end)
    else:
        process.send_signal(end)
    process.communicate(timeout=20)
    assert process.returncode == 130
    kept = folder.figures()
    assert kept["succeeded"] == folder.admin("stats")["received"]
    assert kept["reconciled"] is True
    assert folder.run()[0] == 0  # which is not paused
    folder.assert_whole(ROWS)
    assert folder.admin("stats")["received"] == ROWS


def test_what_nobody_could_ask_is_refused_and_the_run_goes_on(folder: Folder) -> None:
    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(20)
    strange: list[Sequence[object]] = [
        ("a newer version", "teleport 3"),
        ("nobody", ""),
        ("nobody", "concurrency " + "9" * 5_000),
        ("nobody", "concurrency 1e400"),
        ("nobody", "rpm -1"),
        ("nobody", "pause now"),
        ("nobody", "\x00pause"),
        (b"\xff\xfe", b"\xff\xfe\x00"),
        (7, 12.5),
        ("nobody", "x" * 1_000_000),
    ]
    by_hand(folder.path / "out", *strange, ("somebody", "concurrency 20"))
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(ROWS)
    *refused, last = orders(folder.path / "out")
    assert [asked.accepted for asked in refused] == [False] * len(strange)
    assert all(asked.answer and len(asked.answer) < 400 for asked in refused)
    assert last.accepted


def test_a_thousand_orders_of_two_people_are_done_in_their_order(folder: Folder) -> None:
    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(20)
    by_hand(
        folder.path / "out",
        *((f"person {n % 2}", f"concurrency {n % 50 + 1}") for n in range(999)),
        ("person 1", "concurrency 7"),
    )
    out = folder.path / "out"
    wait_for(lambda: orders(out)[-1].answer is not None)
    found = orders(out)
    assert all(asked.accepted for asked in found)
    taken = [asked.taken_at or 0.0 for asked in found]
    assert taken == sorted(taken)
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(ROWS)
    now = look.take(out).shot.now
    assert now is not None
    assert now.concurrency == 7


def test_what_a_killed_start_was_asked_binds_no_other(folder: Folder) -> None:
    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(50)
    process.kill()
    process.communicate()
    out = folder.path / "out"
    by_hand(out, ("somebody", "pause"))  # as if it had been killed before it took the order
    seen = look.take(out)
    assert (seen.state, seen.is_running) == (State.RESUMABLE, False)
    assert any("processor run" in step for step in seen.next_steps)
    assert folder.run("--concurrency", "10")[0] == 0
    folder.assert_whole(ROWS)
    (asked,) = orders(out)
    assert asked.accepted is False
    assert asked.answer == "The run ended before it took this order."


def test_what_failed_is_sent_again_while_the_rest_is(folder: Folder) -> None:
    folder.rows(rows := 700)
    folder.admin("faults", {"set": [FAILS]})
    process = folder.start("--concurrency", "3", "--chunk-size", "30")
    folder.wait_for_answers(220)
    folder.admin("faults", {"clear": True})
    asked = ask(folder, "requeue", "bad_request")
    assert asked.accepted
    assert asked.answer is not None
    moved = int(asked.answer.split()[0])
    assert moved >= FAILING - 10
    ask(folder, "concurrency", "50")
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(rows)
    assert folder.figures()["errors"] == {}
    assert folder.admin("stats")["received"] == rows + moved
    assert folder.figures()["requests_sent"] == rows + moved
    (calls,) = folder.ledger("SELECT SUM(count) FROM latencies")[0]
    assert calls == rows
    assert all(point.per_s >= 0 for point in look.take(folder.path / "out").points)


def test_what_failed_in_an_earlier_start_is_sent_by_the_next(folder: Folder) -> None:
    """Behind where it reads, in chunks larger than a slice, with a limit and a paused lane."""
    folder.rows(2_500)
    folder.admin("faults", {"set": [FAILS]})
    options = ("--route", "direct", "--chunk-size", "1200", "--limit", "1300")
    assert folder.run(*options, "--concurrency", "50")[0] == 2
    failed = folder.figures()["failed"]
    folder.admin("faults", {"clear": True})
    process = folder.start(*options, "--concurrency", "10")
    folder.wait_for_answers(1_400)
    ask(folder, "pause")
    assert (
        ask(folder, "requeue", "bad_request").answer == f"{failed} failed items are pending again."
    )
    assert ask(folder, "requeue", "bad_request").answer == "No failed item is one of these."
    ask(folder, "concurrency", "50")
    ask(folder, "resume")
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(2_500)
    assert folder.admin("stats")["received"] == 2_500 + failed


def test_a_pause_between_chunks_and_a_ceiling_bind_what_is_sent_again(folder: Folder) -> None:
    folder.rows(60)
    folder.admin("faults", {"set": ["status:status=400,type=odd,match=word1."]})
    process = folder.start("--chunk-size", "20", "--wait", "1", "--rpm", "100000")
    folder.wait_for_answers(21)
    folder.admin("faults", {"clear": True})
    assert ask(folder, "requeue", "bad_request").accepted
    process.communicate(timeout=30)
    assert process.returncode == 0
    folder.assert_whole(60)
    assert folder.admin("stats")["received"] == 61


def test_a_lower_limit_holds_at_once_and_none_lets_go(folder: Folder) -> None:
    """The hard ceiling remembers the calls of a whole minute: nobody waits for it who is let go."""
    process = folder.start("--concurrency", "2", "--rpm", "100000")
    folder.wait_for_answers(40)
    assert ask(folder, "rpm", "5").answer == "rpm is 5 at most."
    received = folder.admin("stats")["received"]
    last = look.take(folder.path / "out").points[-1].number
    wait_for(lambda: look.take(folder.path / "out").points[-1].number >= last + 2)
    assert folder.admin("stats")["received"] <= received + 1
    ask(folder, "concurrency", "50")
    begun_s = time.monotonic()
    assert ask(folder, "rpm", "none").accepted
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert time.monotonic() - begun_s < 25
    folder.assert_whole(ROWS)


def test_a_drain_does_not_wait_for_a_low_limit(folder: Folder) -> None:
    process = folder.start("--concurrency", "2", "--rpm", "100000")
    folder.wait_for_answers(40)
    ask(folder, "rpm", "5")
    begun_s = time.monotonic()
    ask(folder, "drain")
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun_s < 15
    assert folder.figures()["reconciled"] is True


@dataclass(slots=True)
class Asking(Notes):
    """Asks something of the run when something happens for the first time."""

    out: Path = Path()
    when: dict[str, Sequence[str]] = field(default_factory=dict)

    def notice(self, notice: Notice) -> None:
        for words in self.when.pop(notice.event, ()):
            control.ask(self.out, Order.parse(words.split()))
        Notes.notice(self, notice)


def asking(bench: Bench, when: Mapping[str, Sequence[str]]) -> Bench:
    return replace(bench, notes=Asking(out=bench.out, when=dict(when)))


def told(bench: Bench) -> list[tuple[str, bool]]:
    return [(facts["order"], facts["accepted"]) for facts in bench.told("order")]


def test_what_is_asked_before_anything_is_sent_holds_from_the_start(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"run_started": ["pause", "concurrency 3", "drain"]})
        report = await bench.run(route="direct")
        assert report.exit_code == 130
        assert report.snapshot.pending == report.snapshot.total == 12
        assert (await bench.stats())["received"] == 0
        assert told(bench) == [("pause", True), ("concurrency 3", True), ("drain", True)]

    walk(tmp_path, visit)


QUEUE = {"enqueued_tokens": 60, "in_progress_s": 150}
"""One shard of two items at a time is all that the provider takes, for longer than a pulse."""


def test_a_pause_keeps_shards_here_and_settles_what_is_at_the_provider(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"batch_created": ["pause"], "shard_settled": ["resume"]})
        report = await bench.run(shard_size=2)
        assert report.exit_code == 0
        events = [notice.event for notice in bench.notes.notices]
        words = [facts["order"] for facts in bench.told("order")]
        assert words == ["pause", "resume"]
        settled, resumed = events.index("shard_settled"), _place(bench, "resume")
        assert _place(bench, "pause") < settled < resumed
        between = events[_place(bench, "pause") : resumed]
        assert not {"batch_created", "file_uploaded", "shard_written"}.intersection(between)
        assert {"batch_created", "shard_settled"} <= set(events[resumed:])
        assert (await bench.stats())["items"]["paid_twice"] == 0
        assert sorted(bench.results()) == list(range(1, 7))

    walk(tmp_path, visit, rows=6, **QUEUE)


def _place(bench: Bench, order: str) -> int:
    """Of an order among all that was told."""
    (place,) = (
        place
        for place, notice in enumerate(bench.notes.notices)
        if notice.event == "order" and notice.facts["order"] == order
    )
    return place


@pytest.mark.parametrize("fallback", ["none", "direct"])
def test_what_failed_goes_again_while_shards_are_open(tmp_path: Path, fallback: str) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"shard_settled": ["requeue bad_request"]})
        report = await bench.run(shard_size=4, fallback=fallback)
        assert report.exit_code == 0
        assert report.differences == []
        (order,) = bench.told("order")
        assert order["answer"] == "2 failed items are pending again."
        assert (await bench.stats())["items"]["paid_twice"] == 0
        assert report.snapshot.succeeded == 12

    walk(tmp_path, visit, "bad_request:on=line,count=2", in_progress_s=150)


def test_what_somebody_waits_for_is_sent_again_directly(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"shard_settled": ["requeue bad_request"]})
        report = await bench.run(direct_first=3, shard_size=3)
        assert (report.exit_code, report.differences) == (0, [])
        lanes = {seq: entry["lane"] for seq, entry in bench.results().items()}
        assert {lanes[seq] for seq in (1, 2, 3)} == {"direct"}
        items = (await bench.stats())["items"]
        assert (items["answered"], items["paid_twice"]) == (12, 0)

    walk(tmp_path, visit, "status:status=400,type=odd,match=word2.,times=1")


def test_a_deadline_ends_a_run_that_is_paused(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"run_started": ["pause"]})
        report = await bench.run(route="hybrid", deadline="40m")
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (4, "deadline")
        stats = await bench.stats()
        assert stats["by_route"].get("POST /v1/chat/completions", 0) == 0
        assert stats["by_route"].get("POST /v1/batches", 0) == 0
        assert report.snapshot.pending == 100
        later = await replace(bench, notes=Notes()).run(route="hybrid", deadline="5h")
        assert later.exit_code == 0

    walk(tmp_path, visit, rows=100, speed=600.0)


def test_under_a_deadline_what_failed_goes_again_too(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        bench = asking(bench, {"shard_settled": ["pause", "requeue bad_request", "resume"]})
        report = await bench.run(route="hybrid", deadline="3h", shard_size=30)
        assert (report.exit_code, report.differences) == (0, [])
        (order,) = (facts for facts in bench.told("order") if facts["order"].startswith("requeue"))
        assert order["answer"] == "3 failed items are pending again."
        items = (await bench.stats())["items"]
        assert (items["answered"], items["paid_twice"]) == (100, 0)

    walk(tmp_path, visit, "bad_request:on=line,count=3", rows=100, speed=300.0, in_progress_s=60)
