"""Which answer belongs to which row, however the table looks by now."""

import random
from collections.abc import Mapping, Sequence

from hypothesis import given, strategies as st

from processor.labelling.again import again
from processor.labelling.answers import Answer, Known, content_id, match

CELLS = st.builds(
    lambda text, title: {"text": text, "title": title},
    st.sampled_from("abc"),
    st.sampled_from("ab"),
)


def known_of(rows: Sequence[Mapping[str, str]], *, failed: Sequence[int] = ()) -> Known:
    """Each row's answer is its place; twins are numbered as the ledger does it."""
    seen: dict[str, int] = {}
    items = []
    for place, row in enumerate(rows):
        key = content_id(row)
        seen[key] = seen.get(key, 0) + 1
        name = key if seen[key] == 1 else f"{key}-{seen[key]}"
        label = None if place in failed else content_id(row)
        code = "invalid" if place in failed else None
        items.append((name, Answer(seq=place + 1, label=label, at=1.0, code=code)))
    return Known(items)


def nothing(_: Sequence[int]) -> Mapping[int, Answer]:
    return {}


@given(st.lists(CELLS, max_size=12), st.integers())
def test_every_row_finds_its_own_answer_in_any_order(rows: list[dict[str, str]], seed: int) -> None:
    now = list(rows)
    random.Random(seed).shuffle(now)
    found = match(map(content_id, now), known_of(rows), nothing)
    assert [answer and answer.label for answer in found.answers] == [content_id(r) for r in now]
    assert (found.new, found.unused) == (0, 0)
    assert found.moved or now == rows


@given(st.lists(CELLS, max_size=12), st.lists(CELLS, max_size=12))
def test_no_row_gets_the_answer_of_another(
    before: list[dict[str, str]], now: list[dict[str, str]]
) -> None:
    found = match(map(content_id, now), known_of(before), nothing)
    for row, answer in zip(now, found.answers, strict=True):
        assert (answer is None) == (row not in before)
        assert answer is None or answer.label == content_id(row)
    assert found.new == sum(row not in before for row in now)


def test_rows_that_are_alike_have_an_answer_each() -> None:
    rows = [{"text": "a"}, {"text": "b"}, {"text": "a"}]
    found = match(map(content_id, rows), known_of(rows), nothing)
    assert [answer and answer.seq for answer in found.answers] == [1, 2, 3]
    assert not found.moved


def test_a_row_that_was_copied_since_has_the_answer_of_the_first() -> None:
    rows = [{"text": "a"}]
    found = match(map(content_id, rows * 3), known_of(rows), nothing)
    assert [answer and answer.seq for answer in found.answers] == [1, 1, 1]


def test_rows_unknown_by_content_are_looked_for_by_what_was_asked() -> None:
    other = Answer(seq=9, label="2")
    asked: list[Sequence[int]] = []

    def find(places: Sequence[int]) -> Mapping[int, Answer]:
        asked.append(places)
        return {1: other}

    now = [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    found = match(map(content_id, now), known_of([{"text": "a"}]), find)
    assert asked == [[1, 2]]
    assert found.answers[1:] == [other, None]
    assert found.new == 1


def test_of_rows_that_are_alike_those_that_failed_go_again() -> None:
    rows = [{"text": "a"}] * 4
    found = again([content_id(rows[0])] * 2, known_of(rows, failed=[1, 3]), nothing)
    assert (found.failed, found.waiting, found.labelled, found.new) == ([2, 4], 0, 0, 0)


def test_rows_that_are_known_are_told_from_new_ones() -> None:
    rows = [{"text": "a"}, {"text": "b"}]
    keys = [content_id(row) for row in (*rows, {"text": "c"}, {"text": "c"})]
    found = again(keys, known_of(rows, failed=[0]), nothing)
    assert (found.failed, found.labelled, found.new) == ([1], 1, 2)


def test_a_failed_row_that_a_spreadsheet_rewrote_is_known_by_its_question() -> None:
    rows = [{"text": "a"}, {"text": "b"}]
    failed = Answer(seq=2, label=None, code="invalid")
    keys = [content_id({"text": "a"}), content_id({"text": "b", "memo": "seen"})]
    found = again(keys, known_of(rows, failed=[0, 1]), lambda places: dict.fromkeys(places, failed))
    assert (found.failed, found.new, found.known_otherwise) == ([1, 2], 0, [1])
