"""Going through lists that servers give in their own ways."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from processor.batch.paging import MOST_PAGES, SKEW_S, Paging
from processor.batch.reading import Page

SINCE_S = 1_000_000.0
OLD_S = SINCE_S - SKEW_S - 1


def entry(number: int, created_at: Any = SINCE_S) -> dict[str, Any]:
    return {"id": f"b{number}", "created_at": created_at}


def page(*entries: dict[str, Any], more: bool | None = None) -> Page:
    return Page(entries=entries, more=more)


def walk(pages: Sequence[Page], **options: Any) -> Paging:
    """As many pages as the walk wants."""
    paging = Paging(**{"since_s": SINCE_S, "page_size": 2, **options})
    for each in pages:
        if paging.over or paging.unusable:
            break
        paging.take(each)
    return paging


def found(paging: Paging) -> list[str]:
    return [each["id"] for each in paging.entries]


NEW, OLD = entry(1, SINCE_S + 9), entry(2, OLD_S)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([page(more=False)], [], id="empty"),
        pytest.param([page()], [], id="empty, more not said"),
        pytest.param([page(entry(1), more=False)], ["b1"], id="one page"),
        pytest.param([page(entry(1))], ["b1"], id="a short page, more not said"),
        pytest.param(
            [page(entry(1), entry(2)), page(entry(3))], ["b1", "b2", "b3"], id="more not said"
        ),
        pytest.param(
            [page(entry(1), more=True), page(entry(2), more=False)], ["b1", "b2"], id="two pages"
        ),
        pytest.param([page(NEW, OLD, more=True)], ["b1", "b2"], id="far enough back"),
        pytest.param(
            [page(OLD, NEW, more=True), page(entry(3), more=False)],
            ["b2", "b1", "b3"],
            id="the oldest first",
        ),
        pytest.param(
            [page(OLD, entry(3, OLD_S), more=True), page(NEW, more=False)],
            ["b2", "b3", "b1"],
            id="all equally old",
        ),
        pytest.param(
            [page(entry(1, None), entry(2, None), more=True), page(entry(3, None), more=False)],
            ["b1", "b2", "b3"],
            id="times not said",
        ),
        pytest.param(
            [page(entry(1), entry(2), more=True), page(entry(2), entry(3), more=False)],
            ["b1", "b2", "b3"],
            id="the cursor is on the next page, too",
        ),
        pytest.param([page({"id": ""}, entry(1), more=False)], ["b1"], id="an empty id"),
    ],
)
def test_what_is_found(pages: list[Page], expected: list[str]) -> None:
    paging = walk(pages)
    assert paging.over
    assert not paging.unusable
    assert found(paging) == expected


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page(entry(1), entry(2), more=True)] * 2, id="the cursor is ignored"),
        pytest.param([page(entry(1), entry(2))] * 2, id="ignored, and more not said"),
        pytest.param([page(more=True)], id="nothing, but more"),
        pytest.param([page({"id": ""}, more=True)], id="no ids"),
        pytest.param(
            [page(entry(number), more=True) for number in range(MOST_PAGES)], id="without end"
        ),
    ],
)
def test_a_list_not_to_be_relied_upon(pages: list[Page]) -> None:
    paging = walk(pages)
    assert paging.unusable
    assert not paging.over


def test_where_the_next_page_begins() -> None:
    paging = Paging(since_s=SINCE_S, page_size=2)
    assert paging.after is None
    paging.take(page(entry(1), entry(2), more=True))
    assert paging.after == "b2"


@pytest.mark.parametrize(
    ("first", "pages_read"),
    [
        pytest.param(page(NEW, entry(2), more=True), 1, id="newest first"),
        pytest.param(page(entry(1, None), entry(2, None), more=True), 1, id="times not said"),
        pytest.param(page(OLD, NEW, more=True), 2, id="oldest first: those wanted come last"),
    ],
)
def test_a_few_are_enough(first: Page, pages_read: int) -> None:
    rest = page(entry(3, SINCE_S + 20), more=False)
    paging = walk([first, rest], most=2)
    assert paging.over
    assert len(paging.entries) == 1 + pages_read


@settings(max_examples=200, deadline=None)
@given(
    ages=st.lists(st.integers(-5_000, 5_000), max_size=40),
    newest_first=st.booleans(),
    size=st.integers(1, 7),
    told=st.booleans(),
)
def test_all_that_is_new_is_found(
    ages: list[int], newest_first: bool, size: int, told: bool
) -> None:
    """Whichever end a server begins at, as long as its cursor works."""
    ages.sort(reverse=not newest_first)
    listed = [entry(number, SINCE_S - age) for number, age in enumerate(ages)]
    paging = Paging(since_s=SINCE_S, page_size=size)
    begin = 0
    while not paging.over:
        part = listed[begin : begin + size]
        begin += size
        paging.take(page(*part, more=begin < len(listed) if told else None))
        assert not paging.unusable
    wanted = {each["id"] for each in listed if each["created_at"] >= SINCE_S}
    assert wanted <= set(found(paging))
