"""What outputs are told: every durable change, at least once, in whatever order of kills."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings, strategies as st
from ledger_parts import failed, item, ledger_of, settle, succeeded

from processor.ledger import results
from processor.ledger.outbox import Outbox, opened

ITEMS = 12


def told(outbox: Outbox, *, most: int = 5) -> list[int]:
    """All that is left, settled as it is read."""
    seqs: list[int] = []
    while (batch := outbox.batch(most)) is not None:
        seqs += batch.seqs
        outbox.settle(batch, {})
    return seqs


def refusals(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    return connection.execute("SELECT seq, problem FROM refusals ORDER BY seq").fetchall()


def test_a_new_output_is_told_what_there_is_and_then_what_is_new(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        settle(ledger.connection, succeeded(item(3)), failed(item(1)))
        outbox = Outbox(connection, "table")
        outbox.begin("1", everything=False)
        assert told(outbox) == [1, 3]
        settle(ledger.connection, succeeded(item(12)), succeeded(item(2)))
        assert told(outbox) == [2, 12]
        assert told(outbox) == []


def test_what_was_not_settled_is_told_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        outbox = Outbox(connection, "table")
        outbox.begin("1", everything=False)
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 5)))
        first = outbox.batch(3)
        assert first is not None
        assert not first.is_last
        last = outbox.batch(5)
        assert last is not None
        assert last.is_last
        assert outbox.batch(3) == first
        with opened(ledger.path) as later:
            assert told(Outbox(later, "table")) == [1, 2, 3, 4]


def test_an_item_that_is_answered_again_is_told_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        outbox = Outbox(connection, "table")
        outbox.begin("1", everything=False)
        settle(ledger.connection, failed(item(1)), succeeded(item(2)))
        batch = outbox.batch(10)
        assert batch is not None
        ledger.requeue()  # between the two commits
        settle(ledger.connection, succeeded(item(1), attempts=2))
        outbox.settle(batch, {})
        assert told(outbox) == [1]


def test_a_store_that_was_made_again_is_told_everything(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 5)))
        outbox, other = Outbox(connection, "table"), Outbox(connection, "other")
        for one in (outbox, other):
            one.begin("1", everything=False)
            assert told(one) == [1, 2, 3, 4]
        outbox.begin("1", everything=False)
        assert told(outbox) == []
        outbox.begin("2", everything=False)
        assert (told(outbox), told(other)) == ([1, 2, 3, 4], [])
        outbox.begin("2", everything=True)
        assert (told(outbox), told(other)) == ([1, 2, 3, 4], [])


def test_what_was_refused_is_offered_again_at_the_next_start(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        outbox = Outbox(connection, "table")
        outbox.begin("1", everything=False)
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 5)))
        batch = outbox.batch(10)
        assert batch is not None
        outbox.settle(batch, {2: "too long", 4: "too short"})
        assert refusals(connection) == [(2, "too long"), (4, "too short")]
        assert told(outbox) == []
        outbox.begin("1", everything=False, again=False)
        assert told(outbox) == []
        assert refusals(connection) == [(2, "too long"), (4, "too short")]
        outbox.begin("1", everything=False)
        assert told(outbox) == [2, 4]
        assert refusals(connection) == []


def test_the_log_does_not_grow_for_ever_and_its_numbers_go_on(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger, opened(ledger.path) as connection:
        outbox = Outbox(connection, "table")
        outbox.begin("1", everything=False)
        numbers = []
        for seq in range(1, ITEMS + 1):
            settle(ledger.connection, succeeded(item(seq)))
            batch = outbox.batch(10)
            assert batch is not None
            numbers.append(batch.number)
            outbox.settle(batch, {})
            (kept,) = connection.execute("SELECT COUNT(*) FROM outbox").fetchone()
            assert kept == 1
        assert numbers == sorted(set(numbers))


def test_a_ledger_without_outputs_logs_nothing(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        assert ledger.connection.execute("SELECT COUNT(*) FROM outbox").fetchone() == (0,)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("answer"), st.integers(1, ITEMS), st.booleans()),
            st.tuples(st.just("retry"), st.just(0), st.booleans()),
            st.tuples(st.just("deliver"), st.integers(1, 6), st.booleans()),
            st.tuples(st.just("restart"), st.just(0), st.booleans()),
        ),
        max_size=40,
    )
)
def test_the_store_ends_up_as_the_ledger_is(steps: Sequence[tuple[str, int, bool]]) -> None:
    """Whatever is answered, asked again and delivered in between, and wherever it is killed."""
    with TemporaryDirectory() as folder, ledger_of(Path(folder), ITEMS) as ledger, ExitStack() as s:
        connection = s.enter_context(opened(ledger.path))
        outbox, store = Outbox(connection, "table"), dict[int, str | None]()
        outbox.begin("1", everything=False)
        answers = 0
        for what, number, flag in steps:
            if what == "answer" and number not in outcomes(ledger.connection):
                answers += 1
                one = item(number)
                made = succeeded(one, attempts=answers, result=f"answer {answers}")
                settle(ledger.connection, made if flag else failed(one, attempts=answers))
            elif what == "retry":
                ledger.requeue()
            elif what == "restart":
                outbox.begin("1", everything=flag)
            elif what == "deliver":
                deliver(outbox, connection, store, number, killed=flag)
        while deliver(outbox, connection, store, 5, killed=False):
            pass
        assert {seq: store[seq] for seq in outcomes(ledger.connection)} == outcomes(
            ledger.connection
        )


def outcomes(connection: sqlite3.Connection) -> dict[int, str | None]:
    return dict(connection.execute("SELECT seq, result FROM outcomes").fetchall())


def deliver(
    outbox: Outbox,
    connection: sqlite3.Connection,
    store: dict[int, str | None],
    most: int,
    *,
    killed: bool,
) -> bool:
    """One batch into a store; a kill comes between its commit and the ledger's."""
    batch = outbox.batch(most)
    if batch is None:
        return False
    for seq, result in zip(batch.seqs, results.of_items(connection, batch.seqs), strict=True):
        if result.status != "pending":
            store[seq] = result.result
    if not killed:
        outbox.settle(batch, {})
    return True
