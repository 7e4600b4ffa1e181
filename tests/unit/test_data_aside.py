"""What a program makes is read to its end, or left where it is."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from processor.data.aside import Aside, LeftError
from processor.data.memory import Items
from processor.errors import InputError

_MOST_S = 30.0


@given(st.integers(0, 2_500))
def test_all_comes_in_order(count: int) -> None:
    assert list(Aside(iter(range(count)))) == list(range(count))


@given(st.integers(0, 2_500))
def test_what_it_raises_is_raised(count: int) -> None:
    def made() -> Iterator[int]:
        yield from range(count)
        raise ArithmeticError(count)

    with pytest.raises(ArithmeticError, match=f"^{count}$"):
        list(Aside(made()))


def test_left_before_it_begins_it_takes_nothing() -> None:
    aside = Aside(iter([1]))
    aside.leave()
    with pytest.raises(LeftError):
        next(iter(aside))


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    taken = iter(Aside(iter(range(5_000))))
    assert next(taken) == 0
    (thread,) = (each for each in threading.enumerate() if each.name == "items")
    del taken
    thread.join(_MOST_S)
    assert not thread.is_alive()


def test_a_reader_that_waits_is_told() -> None:
    waits, goes_on = threading.Event(), threading.Event()

    def made() -> Iterator[dict[str, int]]:
        waits.set()
        goes_on.wait(_MOST_S)
        yield {"id": 1}

    items = Items.of(made())

    def leave() -> None:
        waits.wait(_MOST_S)
        items.cancel()

    leaver = threading.Thread(target=leave)
    leaver.start()
    with pytest.raises(InputError, match="items: is read no further"):
        list(items.rows())
    leaver.join()
    goes_on.set()
