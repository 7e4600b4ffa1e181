"""Items that somebody looks for: the right ones, each once, and no table read from end to end."""

import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st
from ledger_parts import (
    Table,
    failed,
    item,
    ledger_of,
    retried,
    rules,
    settle,
    succeeded,
)

from processor.errors import LedgerError
from processor.items import Check, Item, Outcome
from processor.ledger import database, results
from processor.ledger.results import Result
from processor.watch.items import Found, Status, Wanted, find, find_in

COUNT = 200
CODES = ("invalid", "refused", "timeout")


def row(seq: int) -> dict[str, object]:
    return {
        "id": f"문제-{seq}" if seq % 9 == 0 else seq,
        "text": f'line {seq} "quoted" 100%_done \\frac{{{seq}}}{{2}}',
        "nested": {"deep": [seq, {"한글": "각주"}]} if seq % 10 == 0 else None,
    }


def outcome(one: Item) -> Outcome | None:
    seq = one.seq
    if seq % 7 == 0 or seq > 180:
        return None
    if seq % 5 == 0:
        code = CODES[seq % 3]
        return failed(one, code=code, message=f"{code} at {seq}", lane="batch", attempts=2)
    check: Check = "review" if seq % 11 == 0 else "verified"
    return succeeded(one, result=f"x^{{{seq}}} ÉTÉ", check=check)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with ledger_of(folder, 0) as ledger:
        ledger.take_in(Table([row(seq) for seq in range(1, COUNT + 1)]), rules())
        made = (outcome(item(seq)) for seq in range(1, COUNT + 1))
        settle(ledger.connection, retried(item(190), 1), *(one for one in made if one is not None))
    return folder / database.LEDGER_NAME


@cache
def everything(ledger: Path) -> Sequence[Result]:
    with database.reading(ledger) as connection:
        return [result for some in results.of_run(connection) for result in some]


def pages(path: Path, wanted: Wanted, *, most: int = 7, most_s: float = 5.0) -> Iterator[Found]:
    after: int | None = 0
    for _ in range(3 * COUNT):
        if after is None:
            return
        found = find(path, wanted, after=after, most=most, most_s=most_s)
        assert len(found.items) <= most
        assert found.complete or found.next is not None
        yield found
        after = found.next
    raise AssertionError("the pages never end")


def seqs(path: Path, wanted: Wanted, *, most: int = 7, most_s: float = 5.0) -> list[int]:
    found = pages(path, wanted, most=most, most_s=most_s)
    return [result.seq for page in found for result in page.items]


def is_wanted(result: Result, wanted: Wanted) -> bool:
    """The plain words of what is looked for."""
    kinds = {
        Status.ALL: True,
        Status.REVIEW: result.check == "review",
    }
    texts = (*map(str, result.fields().values()), str(result.id), result.result, result.message)
    return (
        kinds.get(wanted.status, result.status == wanted.status)
        and (not wanted.codes or result.code in wanted.codes)
        and wanted.lane in (None, result.lane)
        and any(wanted.text.casefold() in (text or "").casefold() for text in texts)
    )


WANTED = st.builds(
    Wanted,
    status=st.sampled_from(Status),
    codes=st.just(()) | st.sampled_from([("timeout",), ("refused", "invalid"), ("no such",)]),
    lane=st.sampled_from([None, "direct", "batch", "no such"]),
    text=st.sampled_from(
        [
            *("", "1", "19", "문제-", "LINE 1", '"quoted" 100%_', "\\frac{3}", "각주", "été"),
            *("x^{4}", "timeout at", "nothing", "%", "_", "text", "id"),
        ]
    ),
)


@settings(deadline=None, max_examples=60)
@given(wanted=WANTED, most=st.integers(1, 60), in_no_time=st.booleans())
@example(wanted=Wanted(), most=7, in_no_time=True)
@example(wanted=Wanted(text="1"), most=3, in_no_time=True)
def test_every_wanted_item_is_listed_once(
    ledger: Path, wanted: Wanted, most: int, in_no_time: bool
) -> None:
    expected = [result.seq for result in everything(ledger) if is_wanted(result, wanted)]
    listed = seqs(ledger, wanted, most=most, most_s=0.0 if in_no_time else 5.0)
    assert sorted(listed) == expected


def test_failed_items_come_first_unless_something_is_looked_for(ledger: Path) -> None:
    failures = [result.seq for result in everything(ledger) if result.status == "failed"]
    others = [result.seq for result in everything(ledger) if result.status != "failed"]
    for most in (1, len(failures) - 1, len(failures), len(failures) + 1, COUNT):
        assert seqs(ledger, Wanted(), most=most) == failures + others
    assert seqs(ledger, Wanted(text="line")) == sorted(failures + others)


def test_ids_that_begin_with_a_text_come_first(ledger: Path) -> None:
    listed = seqs(ledger, Wanted(text="19"), most=5)
    assert listed[:5] == [19, 190, 191, 192, 193]
    assert set(listed[5:]) >= {119, 194, 195}


def test_pages_of_any_size_go_on_with_each_other(ledger: Path) -> None:
    sizes, after, listed = [3, 50, 1, 20], 0, list[int]()
    for most in sizes:
        found = find(ledger, Wanted(text="1"), after=after, most=most, most_s=5.0)
        listed += [result.seq for result in found.items]
        assert found.next is not None
        after = found.next
    assert listed == seqs(ledger, Wanted(text="1"), most=200)[: sum(sizes)]
    assert len(set(listed)) == sum(sizes)


def test_hangul_is_found_however_it_is_spelled(ledger: Path) -> None:
    in_pieces = unicodedata.normalize("NFD", "각주")
    assert seqs(ledger, Wanted(text=in_pieces)) == list(range(10, COUNT + 1, 10))


def test_a_pending_item_tells_its_calls(ledger: Path) -> None:
    found = find(ledger, Wanted(status=Status.PENDING, text="190"))
    assert [(result.seq, result.attempts) for result in found.items] == [(190, 1)]


def test_a_name_of_a_field_is_no_match(ledger: Path) -> None:
    assert seqs(ledger, Wanted(text="nested"), most_s=0.0) == []


def test_a_ledger_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / database.LEDGER_NAME
    with pytest.raises(LedgerError, match="no ledger"):
        find(path, Wanted())
    path.write_bytes(b"x" * 8192)
    with pytest.raises(LedgerError):
        find(path, Wanted())


@pytest.mark.parametrize(
    "wanted",
    [
        *(pytest.param(Wanted(status=status), id=status) for status in Status),
        pytest.param(Wanted(codes=("timeout", "refused")), id="codes"),
        pytest.param(Wanted(lane="batch"), id="lane"),
        pytest.param(Wanted(text="needle"), id="text"),
        pytest.param(Wanted(text="needle", status=Status.FAILED), id="text of failed"),
    ],
)
def test_no_table_of_items_is_read_from_end_to_end(ledger: Path, wanted: Wanted) -> None:
    with database.reading(ledger) as connection:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        find_in(connection, wanted, after=0, most=10, most_s=5.0)
        connection.set_trace_callback(None)
        plans = [step for statement in statements for step in _plan(connection, statement)]
    assert plans
    for step in plans:
        assert "SCAN" not in step or step.startswith(ALLOWED), step
        assert "TEMP B-TREE FOR ORDER BY" not in step


# Lists that somebody made, chunks, of which there is one to a hundred items, and starts.
ALLOWED = tuple(
    f"SCAN {name}" for name in ("(", "CONSTANT", "json_", "known", "chunks", "sessions")
)


def _plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    if statement.startswith("--"):  # what a virtual table asks of itself
        return []
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


def steps_of_a_page(folder: Path, items: int, status: Status) -> int:
    """How many steps of SQLite's the first page takes, in a run whose last items are pending."""
    done = range(1, items - 50)
    with ledger_of(folder, items) as ledger:
        good = (succeeded(item(seq), check="review") for seq in done if seq % 4)
        bad = (failed(item(seq)) for seq in done if not seq % 4)
        settle(ledger.connection, *good, *bad)
    steps: list[None] = []
    with database.reading(ledger.path) as connection:
        connection.set_progress_handler(lambda: steps.append(None), 10)
        assert len(find_in(connection, Wanted(status=status), after=0, most=20, most_s=9).items)
    return len(steps)


@pytest.mark.parametrize("status", Status)
def test_a_page_takes_as_many_steps_however_many_items_there_are(
    tmp_path: Path, status: Status
) -> None:
    small = steps_of_a_page(tmp_path / "small", 3_000, status)
    assert steps_of_a_page(tmp_path / "large", 8_000, status) <= 1.1 * small
