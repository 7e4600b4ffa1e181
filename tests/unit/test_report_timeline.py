"""What happened to a run: starts, ends, orders and decisions, one after the other."""

import re
from pathlib import Path

from ledger_parts import ledger_of

from processor.ledger import control, database, decisions
from processor.ledger.control import Order
from processor.reporting import timeline
from processor.reporting.timeline import Event


def events(folder: Path, *, is_running: bool = False) -> list[Event]:
    with database.reading(folder / database.LEDGER_NAME) as connection:
        begun = timeline.starts(connection)
        return timeline.events(connection, begun, is_running=is_running)


def test_a_start_without_an_end_was_killed_unless_it_works(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        assert [one.what for one in events(tmp_path, is_running=True)] == ["start"]
        assert [one.what for one in events(tmp_path)] == ["start", "killed: seen last"]
        ledger.start_session({"provider": "openai"})
        told = [one.what for one in events(tmp_path, is_running=True)]
    assert sorted(told) == ["killed: seen last", "start 1", "start 2"]


def test_an_end_tells_its_code_and_its_cause(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        ledger.connection.execute("UPDATE sessions SET exit_code = 4, stop_code = 'budget'")
    (end,) = (one for one in events(tmp_path) if one.kind == "end")
    assert end.what == "end: stopped by the budget or the deadline (exit 4, budget)"


def test_orders_stand_with_what_was_done_about_them(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        number = control.ask(tmp_path, Order.parse(["rpm", "60"]))
        control.ask(tmp_path, Order.parse(["pause"]))
        with database.transaction(ledger.connection):
            control.take(ledger.connection, number, accepted=True, answer="at most 60 a minute")
        orders = [one for one in events(tmp_path) if one.kind == "order"]
    assert {(one.what, one.detail) for one in orders} == {
        ("asked: rpm 60", "at most 60 a minute"),
        ("asked: pause", "waits"),
    }


def test_decisions_that_did_nothing_are_not_told(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger, database.transaction(ledger.connection):
        for at, decision in enumerate(
            (
                {"direct": 0, "batch": 0, "cancel": [], "reason": "wait"},
                {"direct": 5, "batch": 0, "cancel": [], "reason": "five at once"},
                {"direct": 0, "batch": 0, "cancel": [2], "reason": "too late"},
            ),
            1,
        ):
            decisions.add(ledger.connection, at, {}, decision)
    told = [one.detail for one in events(tmp_path) if one.kind == "decision"]
    assert told == ["five at once", "too late"]


def test_a_zone_is_told_as_people_write_it() -> None:
    assert re.fullmatch(r"UTC[+-]\d\d:\d\d", timeline.zone(0.5))
