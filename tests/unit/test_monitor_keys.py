"""What keys mean, and what typing does."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from monitored import AT_S, a_look, asked

from processor.console.monitor.keys import Act, decoded
from processor.console.monitor.typed import Shown, order_of, typed
from processor.ledger.gauges import Gauges

LIST = Shown(runs=3)
ONE = Shown(runs=1, is_open=True)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"p", ["p"]),
        (b"\x1b", ["esc"]),
        (b"\x1b[A", ["up"]),
        (b"\x1bOB", ["down"]),
        (b"jk", ["down", "up"]),
        (b"\r", ["enter"]),
        (b"\n", ["enter"]),
        (b"\x1bOM", ["enter"]),
        ("ㅂㅔ".encode(), ["q", "p"]),
        (b"\x1b[5~p", ["p"]),
        (b"\x1b[<0;10;20Mq", ["q"]),
        (b"\x1b[", []),
        (b"\xff?", ["\ufffd", "?"]),
        (b"pasted words", []),
        (b"", []),
    ],
)
def test_keys_are_known_however_they_are_sent(data: bytes, names: list[str]) -> None:
    assert decoded(data) == names


@given(st.binary(max_size=40))
def test_any_bytes_are_some_keys(data: bytes) -> None:
    for name in decoded(data):
        typed(LIST, name)
        typed(ONE, name)


@pytest.mark.parametrize(
    ("shown", "name", "after", "act"),
    [
        (ONE, "p", ONE, Act.PAUSE),
        (ONE, "r", ONE, Act.RESUME),
        (ONE, "d", ONE, Act.DRAIN),
        (ONE, "=", ONE, Act.MORE),
        (ONE, "-", ONE, Act.FEWER),
        (ONE, "q", ONE, Act.QUIT),
        (ONE, "z", ONE, None),
        (ONE, "1", ONE, None),
        (ONE, "esc", ONE, None),
        (ONE, "f", replace(ONE, asks=True), None),
        (replace(ONE, asks=True), "y", ONE, Act.REQUEUE),
        (replace(ONE, asks=True), "n", ONE, None),
        (replace(ONE, asks=True), "q", ONE, None),
        (ONE, "?", replace(ONE, helps=True), None),
        (replace(ONE, helps=True), "p", ONE, None),
        (replace(ONE, helps=True), "q", replace(ONE, helps=True), Act.QUIT),
        (LIST, "p", LIST, None),
        (LIST, "f", LIST, None),
        (LIST, "down", replace(LIST, place=1), None),
        (LIST, "up", replace(LIST, place=2), None),
        (replace(LIST, place=1), "enter", replace(LIST, place=1, is_open=True), None),
        (LIST, "3", replace(LIST, place=2, is_open=True), None),
        (LIST, "4", LIST, None),
        (replace(LIST, is_open=True), "esc", LIST, None),
        (replace(LIST, is_open=True), "2", replace(LIST, is_open=True), None),
    ],
)
def test_what_a_key_does(shown: Shown, name: str, after: Shown, act: Act | None) -> None:
    assert typed(shown, name) == (after, act)


@pytest.mark.parametrize(
    ("act", "gauges", "words"),
    [
        (Act.PAUSE, None, "pause"),
        (Act.REQUEUE, None, "requeue"),
        (Act.MORE, None, None),
        (Act.FEWER, None, None),
        (Act.MORE, Gauges(at=0, window=12), None),
        (Act.MORE, Gauges(at=0, window=9, concurrency=12), "concurrency 13"),
        (Act.FEWER, Gauges(at=0, window=12), "concurrency 11"),
        (Act.MORE, Gauges(at=0, concurrency=250), "concurrency 275"),
        (Act.FEWER, Gauges(at=0, window=12, concurrency=40), "concurrency 36"),
        (Act.FEWER, Gauges(at=0, window=1), "concurrency 1"),
    ],
)
def test_what_the_run_is_asked(act: Act, gauges: Gauges | None, words: str | None) -> None:
    seen = a_look()
    order = order_of(act, replace(seen, shot=replace(seen.shot, now=gauges)))
    assert (order and order.words) == words


@pytest.mark.parametrize(
    ("asked_since", "words"),
    [
        (["concurrency 44"], "concurrency 48"),
        (["rpm 7", "concurrency 44", "concurrency 30"], "concurrency 48"),
        (["concurrency none"], None),
        (["concurrency a few", "pause"], "concurrency 13"),
    ],
)
def test_keys_that_follow_each_other_add_up(asked_since: list[str], words: str | None) -> None:
    """The newest order comes first, and the run has told of none yet."""
    seen = a_look()
    orders = [asked(order, accepted=None, answer=None) for order in asked_since]
    gauges = Gauges(at=AT_S, window=9, concurrency=12)
    told = replace(seen, orders=orders, shot=replace(seen.shot, now=gauges))
    order = order_of(Act.MORE, told)
    assert (order and order.words) == words


@pytest.mark.parametrize(
    ("accepted", "told_at_s", "words"),
    [
        (True, AT_S, "concurrency 48"),  # it took the order, and tells of it in a moment
        (True, AT_S + 2, "concurrency 13"),  # somebody has changed it since
        (False, AT_S, "concurrency 13"),
    ],
)
def test_what_the_run_tells_later_holds(accepted: bool, told_at_s: float, words: str) -> None:
    seen = a_look()
    orders = [asked("concurrency 44", accepted=accepted, answer="")]
    gauges = Gauges(at=told_at_s, window=9, concurrency=12)
    order = order_of(Act.MORE, replace(seen, orders=orders, shot=replace(seen.shot, now=gauges)))
    assert order is not None
    assert order.words == words
