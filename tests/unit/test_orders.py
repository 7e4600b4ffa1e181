"""Orders in words, and who may ask what when."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from ledger_parts import item, ledger_of, settle, succeeded

from processor.errors import LedgerError, UsageError
from processor.ledger import control, database
from processor.ledger.control import Asked, Order, Verb
from processor.ledger.gauges import DRAINING, Gauges, written
from processor.ledger.ledger import Ledger, open_ledger

CODES = st.lists(st.sampled_from(["timeout", "rate_limited", "bad_request"])).map(tuple)
MOST = {Verb.CONCURRENCY: 10_000, Verb.RPM: 10**9, Verb.TPM: 10**12}


@st.composite
def any_order(draw: st.DrawFn) -> Order:
    verb = draw(st.sampled_from(Verb))
    if verb is Verb.REQUEUE:
        return Order(verb=verb, codes=draw(CODES))
    if verb in MOST:
        return Order(verb=verb, most=draw(st.none() | st.integers(1, MOST[verb])))
    return Order(verb=verb)


@given(any_order())
def test_an_order_is_read_as_it_is_written(order: Order) -> None:
    assert Order.parse(order.words.split()) == order


@pytest.mark.parametrize(
    "words",
    [
        "",
        "stop",
        "Pause",
        "pause now",
        "drain 3",
        "concurrency",
        "concurrency 0",
        "concurrency -1",
        "concurrency 1.5",
        "concurrency ٣",
        "concurrency 3 4",
        "concurrency 10001",
        "concurrency " + "9" * 5_000,
        "rpm 1e400",
        "rpm unlimited",
        "tpm 1000000000001",
    ],
)
def test_what_is_no_order_is_refused_in_one_short_line(words: str) -> None:
    with pytest.raises(UsageError) as refused:
        Order.parse(words.split())
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "most"), [("7", 7), ("007", 7), ("auto", None), ("none", None), ("10000", 10_000)]
)
def test_a_ceiling_is_a_number_or_none(words: str, most: int | None) -> None:
    assert Order.parse(["concurrency", words]).most == most


@given(st.lists(st.text(max_size=8), max_size=4))
def test_any_words_are_an_order_or_a_usage_error(words: Sequence[str]) -> None:
    try:
        order = Order.parse(words)
    except UsageError:
        return
    assert Order.parse(order.words.split()).verb is order.verb


def pause(folder: Path) -> int:
    return control.ask(folder, Order(verb=Verb.PAUSE))


def answer(folder: Path, number: int) -> Asked:
    asked = control.answer_of(folder, number)
    assert asked is not None
    return asked


def test_nothing_can_be_asked_of_what_does_not_work(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        pause(tmp_path)
    with ledger_of(tmp_path, 1):
        assert pause(tmp_path) == 1
    with pytest.raises(UsageError, match="nothing works on it") as refused:
        control.ask(tmp_path, Order(verb=Verb.REQUEUE))
    assert "processor retry" in str(refused.value)


def sends(ledger: Ledger, gauges: Gauges | None = None) -> None:
    """The latest start says that it sends."""
    told = written(gauges or Gauges(at=time.time()))
    ledger.connection.execute("UPDATE sessions SET gauges = ?", (told,))


def test_what_has_sent_everything_takes_no_order(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        sends(ledger)
        assert pause(tmp_path)
        settle(ledger.connection, succeeded(item(2)))
        with pytest.raises(UsageError, match="about to end"):
            pause(tmp_path)
        ledger.end_session(1, 0)
        assert pause(tmp_path)  # a start that has only begun may find more rows


def test_a_start_refuses_what_was_asked_before_it_and_no_more(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1):
        old = pause(tmp_path)
    with open_ledger(tmp_path) as ledger:
        new = pause(tmp_path)
        session = ledger.start_session({})
        assert answer(tmp_path, old).accepted is False
        assert answer(tmp_path, new).answer is None
        ledger.end_session(session, 0)
        last = answer(tmp_path, new)
        assert (last.accepted, last.answer) == (False, "The run ended before it took this order.")


def test_an_order_tells_who_asked_and_when(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1):
        asked = control.answer_of(tmp_path, pause(tmp_path))
    assert asked is not None
    assert asked.by
    assert abs(asked.at - time.time()) < 60
    assert (asked.words, asked.taken_at, asked.accepted) == ("pause", None, None)
    assert control.answer_of(tmp_path, 99) is None


def test_rows_of_any_kind_can_be_read(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        ledger.connection.execute(
            "INSERT INTO control (at, asked_by, words, taken_at, accepted, answer) VALUES "
            "('soon', x'fffe', 12.5, NULL, 'no', x'ff'), "
            "(1, CAST(x'ff' AS TEXT), x'00', NULL, 1, 7)"
        )
        first, second = control.waiting(ledger.path, 10)
        assert (first.at, first.words, first.accepted) == (0.0, "12.5", False)
        assert (second.words, second.answer) == ("\x00", "7")
        assert control.waiting(ledger.path, 1) == [first]


def test_people_who_ask_at_once_each_get_a_number(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger, ThreadPoolExecutor(4) as people:
        numbers = list(people.map(pause, [tmp_path] * 40))
        assert sorted(numbers) == list(range(1, 41))
        assert [asked.number for asked in control.waiting(ledger.path, 100)] == sorted(numbers)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_who_may_not_write_is_told_so(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        ledger.path.chmod(0o400)
        with pytest.raises(LedgerError, match="readonly"):
            pause(tmp_path)


def test_a_start_that_drains_can_still_be_asked(tmp_path: Path) -> None:
    """It answers for itself that it is too late."""
    with ledger_of(tmp_path, 2) as ledger:
        sends(ledger, Gauges(at=1.0, state=DRAINING))
        assert pause(tmp_path)
        with database.reading(ledger.path) as connection:
            assert control.last(connection) == 1
