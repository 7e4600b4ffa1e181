"""The verdict of a comparison, from what its trials took."""

from compared import FIVE_AT_ONCE, JOBS_OF_10, JOBS_OF_50, ONE, TEN_AT_ONCE, took, users_figures

from processor.compare.line import Span
from processor.compare.measured import Status
from processor.compare.payoff import Payoff, bases, entries, leading, payoffs, what_if


def of(found: list[Payoff], base: str, quantity: str) -> Payoff:
    (one,) = [each for each in found if (each.base, each.quantity) == (base, quantity)]
    return one


def test_the_figures_of_the_users() -> None:
    found = payoffs(entries(users_figures()))
    assert of(found, "one-by-one", "time").span == Span(3)
    assert of(found, "direct-10", "time").span == Span(27)
    assert of(found, "one-by-one", "calls").span == Span(7)
    assert of(found, "one-by-one", "cost").span == Span(1)
    assert {each.pairs for each in found} == {0}


def test_a_job_that_takes_long_pays_late_or_never() -> None:
    found = what_if(entries(users_figures()), [("an hour", 3_600.0), ("long", 864_000.0)])
    assert [(each.base, each.span) for each in found] == [
        ("one-by-one", Span(1_201)),
        ("direct-10", Span(12_001)),
        ("one-by-one", Span(288_001)),
        ("direct-10", None),
    ]


def test_rounds_tell_how_far_the_verdict_can_be_trusted() -> None:
    second = [
        *(took(ONE, n, 2.0 * n, number=2) for n in (10, 50)),
        *(took(JOBS_OF_50, n, 14.0, number=2) for n in (10, 50)),
    ]
    found = of(payoffs(entries([*users_figures(), *second])), "one-by-one", "time")
    # 8 s or 14 s against 3 s or 2 s each
    assert (found.since_least, found.since_most) == (3, 8)
    assert (found.pairs, found.pairs_paying) == (4, 4)
    assert found.span == Span(5)  # 11 s against 2.5 s each


def test_rounds_that_disagree_whether_it_pays_have_no_latest_number() -> None:
    times = {1: (10.0, 5.0), 2: (0.1, 200.0)}
    trials = [
        each
        for number, (call_s, job_s) in times.items()
        for n in (10, 50)
        for each in (
            took(ONE, n, call_s, number=number),
            took(JOBS_OF_50, n, job_s, number=number),
        )
    ]
    found = of(payoffs(entries(trials)), "one-by-one", "time")
    assert (found.since_least, found.since_most) == (1, None)
    assert (found.pairs, found.pairs_paying) == (4, 1)


def test_the_verdict_is_about_the_largest_jobs_against_the_quickest_calls() -> None:
    found = entries(
        [
            *users_figures(),
            *(took(FIVE_AT_ONCE, n, 0.6 * n) for n in (10, 50)),
            *(took(JOBS_OF_10, n, 7.0) for n in (10, 50)),
        ]
    )
    way = leading(found)
    assert way is not None
    assert way.arm == JOBS_OF_50
    assert [each.arm for each in bases(found)] == [ONE, TEN_AT_ONCE]


def test_what_is_not_done_or_of_one_size_or_of_another_model_decides_nothing() -> None:
    assert payoffs(entries([])) == []
    one_size = [took(ONE, 10, 30.0), took(JOBS_OF_50, 10, 8.0)]
    assert payoffs(entries(one_size)) == []
    undone = [
        *(took(ONE, n, 3.0 * n) for n in (10, 50)),
        *(took(JOBS_OF_50, n, 8.0, status=Status.AWAY) for n in (10, 50)),
    ]
    assert payoffs(entries(undone)) == []
    other = [*users_figures(), *(took(ONE, n, 0.1 * n, model="other") for n in (10, 50))]
    assert payoffs(entries(other)) == payoffs(entries(users_figures()))


def test_a_price_that_is_not_known_is_no_price() -> None:
    trials = [
        *(took(ONE, n, 3.0 * n, cost_usd=None) for n in (10, 50)),
        *(took(JOBS_OF_50, n, 8.0, cost_usd=None) for n in (10, 50)),
    ]
    assert {each.quantity for each in payoffs(entries(trials))} == {"time", "calls"}
