"""The order in which work is sent."""

from collections.abc import Iterator
from math import inf

from hypothesis import given, strategies as st

from processor.direct.backlog import Backlog, Work
from processor.items import Item
from processor.ledger.pending import Pending


def item(seq: int) -> Item:
    return Item(seq=seq, chunk=1, id=seq, fields={})


def work(seq: int) -> Work:
    return Work(item=item(seq), attempts=1, invalid=())


def fresh(*seqs: int) -> Iterator[Pending]:
    return iter([Pending(item=item(seq), attempts=3, invalid=(("a", "p"),)) for seq in seqs])


def drained(backlog: Backlog, now_s: float = 0.0) -> list[int]:
    taken = []
    while (one := backlog.take(now_s, fresh=True)) is not None:
        taken.append(one.item.seq)
    return taken


def test_fresh_items_come_in_order_with_their_history() -> None:
    backlog = Backlog(fresh(1, 2))
    first = backlog.take(0, fresh=True)
    assert first is not None
    assert (first.item.seq, first.attempts, first.invalid, first.tries) == (1, 3, (("a", "p"),), 0)
    assert drained(backlog) == [2]


def test_exhausted_is_known_only_after_asking() -> None:
    backlog = Backlog(fresh(1))
    assert backlog.take(0, fresh=True)
    assert not backlog.exhausted
    assert backlog.take(0, fresh=False) is None
    assert not backlog.exhausted
    assert backlog.take(0, fresh=True) is None
    assert backlog.exhausted


def test_nothing_fresh_is_pulled_when_told_so() -> None:
    pulled = []

    def pull() -> Iterator[Pending]:
        for one in fresh(1, 2):
            pulled.append(one)
            yield one

    backlog = Backlog(pull())
    assert backlog.take(0, fresh=False) is None
    assert pulled == []
    backlog.put(work(9))
    assert drained(backlog)[0] == 9


def test_nothing_fresh_is_pulled_before_it_is_needed() -> None:
    pulled = []

    def pull() -> Iterator[Pending]:
        for one in fresh(1, 2):
            pulled.append(one)
            yield one

    backlog = Backlog(pull())
    backlog.put(work(9))
    backlog.take(0, fresh=True)
    assert pulled == []


def test_due_retries_go_first_then_what_was_put_then_fresh_items() -> None:
    backlog = Backlog(fresh(1))
    backlog.put(work(2))
    backlog.put_later(work(3), due_s=5)
    backlog.put_later(work(4), due_s=1)
    assert backlog.next_due_s() == 1
    assert backlog.held == 3
    assert drained(backlog, now_s=1) == [4, 2, 1]
    assert backlog.next_due_s() == 5
    assert drained(backlog, now_s=4.9) == []
    assert drained(backlog, now_s=5) == [3]
    assert backlog.next_due_s() == inf
    assert backlog.held == 0


def test_a_reask_goes_before_an_item_that_was_put_back() -> None:
    """The item may wait at the barrier of a chunk, which the re-ask must end."""
    backlog = Backlog(fresh(2))
    waiting = backlog.take(0, fresh=True)
    assert waiting is not None
    backlog.put(waiting)
    backlog.put(work(1))
    assert drained(backlog) == [1, 2]


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100), min_size=1))
def test_every_retry_comes_once_at_its_time_and_in_its_order(
    dues: list[float], times: list[float]
) -> None:
    backlog = Backlog(fresh())
    for seq, due_s in enumerate(dues):
        backlog.put_later(work(seq), due_s)
    seen: list[int] = []
    for now_s in (*sorted(times), inf):
        taken = drained(backlog, now_s)
        assert all(dues[seq] <= now_s for seq in taken)
        assert [dues[seq] for seq in taken] == sorted(dues[seq] for seq in taken)
        seen += taken
    assert sorted(seen) == list(range(len(dues)))


def of(model: str, seq: int) -> Work:
    made = work(seq)
    made.model = model
    return made


def test_what_waits_for_its_model_goes_in_order_when_its_time_has_come() -> None:
    backlog = Backlog(fresh())
    backlog.delay(of("a", 1), due_s=5)
    assert backlog.line_up(of("a", 2), 0)
    assert not backlog.line_up(of("b", 3), 0)
    assert (backlog.held, backlog.next_due_s()) == (2, 5)
    assert backlog.take(4, fresh=True) is None
    assert not backlog.line_up(of("a", 4), 5)  # nothing has to wait any more
    assert drained(backlog, 5) == [1, 2]
    assert (backlog.held, backlog.next_due_s()) == (0, inf)


def test_models_take_turns() -> None:
    backlog = Backlog(fresh())
    for model, first in (("a", 1), ("b", 11)):
        backlog.delay(of(model, first), due_s=inf)
        for seq in (first + 1, first + 2):
            assert backlog.line_up(of(model, seq), 0)
        backlog.wake(model)
    backlog.wake("c")
    assert drained(backlog) == [1, 11, 2, 12, 3, 13]


def test_what_waits_for_its_model_goes_before_what_may_wait_for_its_chunk() -> None:
    backlog = Backlog(fresh())
    backlog.put(work(9))
    backlog.delay(of("a", 1), due_s=0)
    assert drained(backlog) == [1, 9]


def test_what_was_put_aside_comes_back_in_order_before_all_else() -> None:
    backlog = Backlog(fresh(5))
    backlog.put(work(3))
    for seq in (1, 2):
        backlog.put_aside(work(seq))
    assert (backlog.held, backlog.aside) == (3, 2)
    assert backlog.take(0, fresh=False) is not None
    backlog.recall()
    assert (backlog.held, backlog.aside) == (2, 0)
    assert drained(backlog) == [1, 2, 5]
