"""What is drawn of a run, or of several, where there is little room and where there is much."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from ledger_parts import ledger_of, vitals
from monitored import KOREAN, NOW_S, a_look, asked, killed, scene, texts

from processor.codes import CAUSES
from processor.console.monitor import figures, lists, picture, workings
from processor.console.monitor.overview import overview
from processor.console.monitor.watched import Watched
from processor.ledger import database, samples
from processor.ledger.gauges import Gauges
from processor.ledger.samples import Sampler
from processor.watch.faults import Fault
from processor.watch.look import State

WIDTHS = [40, 80, 200]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (40, "calls   20 sent · 0 retries · 429: 0"),
        (80, "calls   20 sent · 0 retries · 429: 0"),
        (24, "calls   429: 0"),
    ],
)
def test_calls(width: int, line: str) -> None:
    assert texts(workings.calls(a_look(), width)) == [line]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (40, "flight  9 of 12 in flight · held 4.0s"),
        (80, "flight  9 of 12 in flight · 2 waiting · held 4.0s · limit 8.3/s"),
    ],
)
def test_what_is_in_flight_and_what_holds_it(width: int, line: str) -> None:
    assert texts(workings.flight(a_look(), width, NOW_S)) == [line]


def test_how_long_each_stage_took() -> None:
    shot = a_look().shot
    assert workings.stages(shot, 80) == []
    told = replace(shot, stages_s={"import": 0.4, "send": 252.0})
    assert texts(workings.stages(told, 80)) == ["stages  import 0.4s · send 4m12s"]


def test_nothing_is_in_flight_of_a_killed_run() -> None:
    assert workings.flight(killed(), 80, NOW_S) == []


def test_a_process_that_says_nothing_is_told() -> None:
    (line,) = texts(workings.flight(a_look(), 60, NOW_S + 40))
    assert line.startswith("flight  not heard of for 40s · 9 of 12 in flight")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            80,
            [
                "targets success ≥ 95%: 85.0% ✗ missed · 2–5 s an item: 1.0 s ✓",
                "        errors ≤ 5%: 15.0% ✗ missed",
            ],
        ),
        (
            40,
            [
                "targets success ≥ 95%: 85.0% ✗ missed",
                "        2–5 s an item: 1.0 s ✓",
                "        errors ≤ 5%: 15.0% ✗ missed",
            ],
        ),
    ],
)
def test_the_targets_are_all_there(width: int, lines: list[str]) -> None:
    assert texts(figures.targets(a_look(), width)) == lines


def test_the_rate_has_its_course_beside_it() -> None:
    (line,) = texts(figures.speed(a_look(), 60))
    assert line.startswith("rate    3.5/s now")
    assert line.endswith("█")
    assert len(line) == 60


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_head(state: State) -> None:
    first, _ = figures.header(replace(a_look(), state=state), 80, NOW_S)
    assert first.plain.endswith(state)


def test_a_pause_promises_no_end() -> None:
    (line,) = texts(figures.progress(replace(a_look(), state=State.PAUSED), 80, NOW_S))
    assert "left" not in line
    assert "left 42s" in texts(figures.progress(a_look(), 80, NOW_S))[0]


def test_errors_with_examples_and_remedies_as_far_as_there_is_room() -> None:
    found = a_look().faults
    section = lists.faults(1, found, 100)
    remedy = CAUSES["refused"].remedy
    assert texts(section.draw(6)) == [
        f"errors  refused 2 · {CAUSES['refused'].means}",
        f"        18: {KOREAN}: no",
        f"        → {remedy}",
        f"        timeout 1 · {CAUSES['timeout'].means}",
        "        20: no answer",
        f"        → {CAUSES['timeout'].remedy}",
    ]
    assert len(section.draw(4)) == 4
    assert texts(section.draw(2))[0] == f"errors  refused 2 · → {remedy}"
    assert texts(section.draw(1)) == ["        … and 2 more"]


def test_a_batch_has_its_age_until_it_is_over() -> None:
    (line,) = texts(lists.batches(1, a_look(), 80, NOW_S).draw(5))
    assert line == "batches batch_1 · in_progress · 4/5 · 1 failed · for 1h01m · shard 1 open"


@pytest.mark.parametrize(
    ("accepted", "answer", "end"),
    [(None, None, "waits to be read"), (True, "Done.", "✓ Done."), (False, "No.", "✗ No.")],
)
def test_an_order_has_its_answer(accepted: bool | None, answer: str | None, end: str) -> None:
    seen = replace(a_look(), orders=[asked("rpm 60", accepted=accepted, answer=answer)])
    (line,) = texts(lists.orders(1, seen, 80).draw(1))
    assert "rpm 60 · by ann · " in line
    assert line.endswith(end)


def test_what_to_type_stands_below_the_head_of_a_killed_run() -> None:
    lines = texts(picture.live(scene(killed()), 80, 20))
    assert lines[0].endswith("not running, resumable")
    assert lines[3].startswith("next    30 pending: the same command goes on: processor run")


def test_much_room_is_used_for_charts_and_two_columns() -> None:
    lines = texts(picture.live(scene(a_look()), 200, 50))
    assert any("items a second · at most 60.0" in line for line in lines)
    assert any(line.startswith("targets") and "errors  refused 2" in line for line in lines)


marks_of_people = st.text(max_size=60)


@given(
    width=st.integers(1, 220),
    height=st.integers(0, 60),
    name=marks_of_people,
    message=marks_of_people,
    is_running=st.booleans(),
)
def test_it_fits_whatever_the_room_and_the_words(
    width: int, height: int, name: str, message: str, is_running: bool
) -> None:
    seen = a_look() if is_running else killed()
    fault = replace(seen.faults[0], example_id=name, example_message=message)
    faults: list[Fault] = [fault, *seen.faults]
    named = replace(seen, shot=replace(seen.shot, task=name, model=message), faults=faults)
    foot = [picture.keys(width, of_one=True)]
    lines = picture.above(picture.live(scene(named), width, height - 1), foot, height)
    assert len(lines) == height
    for line in (*lines, *picture.whole(scene(named), width)):
        assert line.cell_len <= width
        assert not any(mark < " " or "\x7f" <= mark < "\xa0" for mark in line.plain)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_foot_stays_at_the_bottom(width: int) -> None:
    lines = picture.above([], [picture.keys(width, of_one=False)], 5)
    assert len(lines) == 5
    assert lines[-1].plain.endswith("q quit")


def watched(tmp_path: Path, *names: str) -> list[Watched]:
    runs = []
    for name in names:
        with ledger_of(tmp_path / name, 10):
            pass
        runs.append(Watched(tmp_path / name))
        runs[-1].refresh()
    return runs


@pytest.mark.parametrize("width", WIDTHS)
def test_several_runs_stand_in_columns(tmp_path: Path, width: int) -> None:
    runs = watched(tmp_path, "한글-이름", "second", "third")
    lines = overview(runs, width, None, 1)
    assert len(lines) == 5
    assert {line.cell_len for line in lines} == {lines[0].cell_len}
    assert lines[0].cell_len <= width
    assert lines[1].plain.startswith("1 한글-이름")
    assert lines[4].plain.startswith("all 3")


def test_a_run_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (run,) = watched(tmp_path, "gone")
    (tmp_path / "gone" / "ledger.sqlite").unlink()
    for _ in range(5):
        assert not run.is_over or run.problem is None
        assert run.refresh() is None
    assert run.is_over
    assert run.exit_code == 5
    assert "cannot be read" in overview([run], 80, None, 0)[1].plain


def test_the_list_moves_with_its_mark(tmp_path: Path) -> None:
    runs = watched(tmp_path, *"abcdef")
    assert [line.plain[:3] for line in overview(runs, 80, 5, 4)] == [
        "run",
        "4 d",
        "5 e",
        "6 f",
        "all",
    ]


def test_points_are_read_once_and_never_become_too_many(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        run, sampler = Watched(tmp_path), Sampler(ledger.connection, 1)
        known: list[int] = []
        for first in range(0, samples.MOST + 200, 50):
            with database.transaction(ledger.connection):
                for second in range(first, first + 50):
                    sampler.take(ledger.connection, Gauges(at=second), vitals())
            fresh = run.refresh()
            assert fresh is not None
            assert all(point.number > known[-1] for point in fresh.points if known)
            known += [point.number for point in fresh.points]
        assert run.look is not None
        kept = [point.number for point in run.look.points]
        assert kept == sorted(set(kept) & set(known))
        assert kept[-1] == known[-1]
        assert len(kept) <= samples.MOST < len(known)
