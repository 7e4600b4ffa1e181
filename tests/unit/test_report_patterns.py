"""Where items fail more often than elsewhere: what is told, and what is not."""

from itertools import pairwise
from math import comb, isclose
from random import Random

import pytest
from hypothesis import given, strategies as st

from processor.ledger.results import Result
from processor.reporting.patterns import Counted, Factor, Patterns, at_least, patterns
from processor.reporting.scan import ITEMS_MOST, spans
from processor.reporting.tallies import Sent, Tallies, parts


def factor(name: str, **groups: tuple[int, int]) -> Factor:
    counted = {value: Counted(items, cases) for value, (items, cases) in groups.items()}
    return Factor("column", name, counted)


@given(st.data())
def test_the_chance_is_that_of_drawing_blindly(data: st.DataObject) -> None:
    items = data.draw(st.integers(1, 40))
    cases, of = data.draw(st.integers(0, items)), data.draw(st.integers(0, items))
    found = data.draw(st.integers(max(0, of + cases - items), min(of, cases)))
    ways = sum(
        comb(cases, some) * comb(items - cases, of - some)
        for some in range(found, min(of, cases) + 1)
    )
    expected = ways / comb(items, of)
    assert isclose(at_least(found, of=of, cases=cases, items=items), expected, rel_tol=1e-9)


def test_the_chance_of_a_million_items_is_told_at_once() -> None:
    assert at_least(60_000, of=500_000, cases=100_000, items=1_000_000) < 1e-300
    assert at_least(50_000, of=500_000, cases=100_000, items=1_000_000) == pytest.approx(0.5, 0.01)


def test_a_value_that_fails_more_often_is_told_with_both_shares() -> None:
    (one,) = patterns([factor("press", a=(400, 60), b=(600, 12), c=(500, 11))]).found
    assert (one.name, one.value, one.cases) == ("press", "a", 60)
    assert one.own.value == 60 / 400
    assert one.others.value == 23 / 1_100
    assert one.own.low is not None
    assert one.others.high is not None
    assert one.others.high < one.own.low
    assert one.times == pytest.approx(7.17, abs=0.01)


def test_what_happens_only_in_one_place_has_no_ratio() -> None:
    (one,) = patterns([factor("press", a=(400, 60), b=(600, 0))]).found
    assert one.times is None


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({"a": (100, 0), "b": (100, 0)}, "nothing failed"),
        ({"a": (100, 100), "b": (50, 50)}, "everything failed"),
        ({"a": (300, 30)}, "there is but one group"),
        ({"a": (500, 26), "b": (500, 24)}, "chance does that"),
        ({"a": (3, 3), "b": (900, 2)}, "it is too few items"),
        ({"a": (500_000, 6_000), "b": (500_000, 5_000)}, "it is surely so, and of no matter"),
        ({"a": (500_000, 600), "b": (500_000, 100)}, "it is surely so, and hardly ever happens"),
    ],
)
def test_what_is_not_worth_telling_is_not_told(
    groups: dict[str, tuple[int, int]], why: str
) -> None:
    assert not patterns([factor("press", **groups)]).found, why


def test_where_nothing_differs_nothing_is_found_however_much_is_looked_at() -> None:
    """100 runs of 30 columns without any pattern; one in a hundred may tell of one."""
    chance = Random(1)
    told = 0
    for _ in range(100):
        factors = []
        for column in range(30):
            groups = {
                f"v{value}": (60, sum(chance.random() < 0.08 for _ in range(60)))
                for value in range(5)
            }
            factors.append(factor(f"c{column}", **groups))
        told += bool(patterns(factors).found)
    assert told <= 3


def test_what_is_surely_so_and_little_makes_nothing_else_sure() -> None:
    """Half of a thousand groups differ by too little to be told; of the others chance is not."""
    little = [factor(f"little{n}", a=(500_000, 6_000), b=(500_000, 5_000)) for n in range(500)]
    lucky = factor("lucky", a=(100, 13), b=(900, 45))  # once in a few hundred
    assert not patterns([*little, lucky]).found


def test_the_surest_comes_first() -> None:
    weak = factor("weak", a=(300, 40), b=(700, 30))
    strong = factor("strong", a=(300, 65), b=(700, 5))
    assert [one.name for one in patterns([weak, strong]).found] == ["strong", "weak"]


def between(begin: float | None, end: float) -> str:
    return f"{begin}-{end}"


def test_parts_begin_and_end_where_items_do() -> None:
    found = parts([(n, n > 90) for n in range(1, 101)], 5, between)
    assert list(found) == ["None-20", "20-40", "40-60", "60-80", "80-100"]
    assert list(found.values()) == [*[Counted(20, 0)] * 4, Counted(20, 10)]
    assert parts([(n, True) for n in range(49)], 5, between) == {}


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=200), st.booleans())
def test_parts_lose_nothing(found: list[tuple[float, bool]], are_alike: bool) -> None:
    groups = parts(found, 5, (lambda *_: "same") if are_alike else between).values()
    if groups:
        assert sum(group.items for group in groups) == len(found)
        assert sum(group.cases for group in groups) == sum(is_case for _, is_case in found)


def outcome(number: int, *, is_failed: bool, attempts: int) -> Result:
    return Result(
        seq=number,
        id=number,
        notes=(),
        provider=None,
        retryable=is_failed,
        status="failed" if is_failed else "success",
        fields_json="{}",
        result=None if is_failed else "x" * (number % 7),
        check=None if is_failed else "unchecked",
        code="server_error" if is_failed else None,
        message=None,
        lane="direct" if attempts > 1 else "batch",
        model=None,
        tier=None,
        attempts=attempts,
        latency_ms=5.0,
        prompt_tokens=None,
        completion_tokens=None,
        cached_tokens=None,
        cost_usd=None,
    )


def tallied(*, with_attempts: bool) -> Patterns:
    """Items that fail when every attempt does, by chance; what is tried again goes directly."""
    chance = Random(2)
    tallies = Tallies((), with_attempts=with_attempts)
    for number in range(2_000):
        lost = [chance.random() < 0.4 for _ in range(3)]
        item = outcome(number, is_failed=all(lost), attempts=[*lost, False].index(False) + 1)
        tallies.add(item, {"text": "a" * number}, Sent("batch", number), is_case=all(lost))
    return patterns(tallies.factors())


def test_what_failures_are_by_their_nature_is_no_pattern_of_them() -> None:
    """Who failed was tried most often, last, and by the lane of those that were tried again."""
    found = tallied(with_attempts=False)
    assert found.looked_at == 15  # five lengths, ten times; one lane is no comparison
    assert not found.found
    assert {one.name for one in tallied(with_attempts=True).found} == {"attempts"}


@pytest.mark.parametrize("items", [0, 1, 499, 500, 50_000, 50_001, 1_000_000, 10_000_000])
def test_items_are_read_once_and_from_everywhere(items: int) -> None:
    found = sorted(spans(items))
    assert sum(last - first + 1 for first, last in found) == min(items, ITEMS_MOST)
    assert all(before < after for (_, before), (after, _) in pairwise(found))
    if items:
        assert (found[0][0], found[-1][1]) == (1, items)
