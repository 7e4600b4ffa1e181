"""The money of a run: what calls are taken for, when they may be sent, what survives a kill."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from processor.items import Usage
from processor.ledger import account
from processor.plan.budget import Budget, Shortfall
from processor.plan.estimate import (
    LEARNT_AFTER,
    OUTPUT_TOKENS_ASSUMED,
    Estimator,
    Learnt,
    Size,
    size_of,
)
from processor.plan.prices import Prices, Rates, dollars

CENT = 0.01


def granted(budget: Budget, usd: float, window: int = 8) -> float | None:
    """What is asked for, and durable at once."""
    asked_usd = budget.ask(usd, window)
    if asked_usd is not None:
        budget.granted()
    return asked_usd


@pytest.mark.parametrize(
    ("limit", "spent", "usd", "window", "asked"),
    [
        (100.0, 0.0, CENT, 8, 1.0),  # a hundred calls
        (100.0, 0.0, CENT, 200, 8.0),  # four windows
        (100.0, 60.0, CENT, 8, 61.0),
        (2.0, 0.0, CENT, 8, 0.5),  # never more than a quarter of what is left
        (0.02, 0.0, CENT, 8, CENT),  # but a call
        (0.02, 0.01, CENT, 8, 0.02),  # the last
        (0.02, 0.015, CENT, 8, None),  # it does not fit any more
        (1.0, 3.0, CENT, 8, None),  # a budget below what is spent
    ],
)
def test_a_block_is_reserved(
    limit: float, spent: float, usd: float, window: int, asked: float | None
) -> None:
    budget = Budget(limit_usd=limit, spent_usd=spent)
    assert budget.ask(usd, window) == pytest.approx(asked)


def test_no_call_is_sent_before_its_money_is_reserved_durably() -> None:
    budget = Budget(limit_usd=1.0)
    assert budget.fits(CENT)
    assert not budget.admits(CENT)
    assert budget.ask(CENT, 8) is not None
    assert not budget.admits(CENT)
    assert budget.ask(CENT, 8) is None, "one reservation is written at a time"
    budget.granted()
    assert budget.admits(CENT)


def test_the_next_block_is_asked_for_before_the_last_one_is_used_up() -> None:
    budget = Budget(limit_usd=100.0)
    granted(budget, CENT)
    sent = 0
    while budget.ask(CENT, 8) is None:
        assert budget.admits(CENT)
        budget.begin(CENT)
        sent += 1
    assert 40 <= sent <= 60
    assert budget.admits(CENT)


def test_a_cheap_answer_makes_room_and_an_unknown_one_does_not() -> None:
    budget = Budget(limit_usd=0.02)
    for _ in range(2):
        granted(budget, CENT)
        budget.begin(CENT)
    assert not budget.fits(CENT)
    budget.settle(CENT, None)
    assert not budget.fits(CENT)
    budget.settle(CENT, 0.001)
    assert not budget.fits(CENT)
    assert budget.spent_usd == pytest.approx(0.011)
    assert budget.fits(0.009)


def test_what_estimates_no_longer_need_is_given_back_before_it_is_written() -> None:
    """Calls turn out a twentieth of their bound: a kill should not forfeit the bound's block."""
    budget = Budget(limit_usd=100.0)
    assert granted(budget, 1.0) == pytest.approx(25.0)
    assert budget.ask(0.05, 8) == pytest.approx(5.0)
    assert not budget.admits(5.1)
    assert budget.fits(5.1)
    budget.granted()
    assert budget.admits(5.0)


def test_costs_above_their_estimates_are_reserved_too_though_nothing_fits_any_more() -> None:
    budget = Budget(limit_usd=0.02)
    granted(budget, CENT)
    budget.begin(CENT)
    budget.settle(CENT, 0.05)
    assert granted(budget, CENT) == pytest.approx(0.05)
    assert not budget.admits(0.0)


def test_what_costs_nothing_goes_on_until_something_was_spent_too_much() -> None:
    budget = Budget(limit_usd=CENT)
    for _ in range(1_000):
        assert granted(budget, 0.0) is None
        assert budget.admits(0.0)
        budget.begin(0.0)
        budget.settle(0.0, 0.0)
    assert budget.spent_usd == 0.0


@given(
    st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=300),
    st.integers(1, 50),
)
def test_a_budget_is_used_up_and_not_exceeded(
    calls: list[tuple[float, float]], window: int
) -> None:
    """Calls that cost no more than their estimates, one after the other until one is refused."""
    budget = Budget(limit_usd=20.0)
    spent_usd = 0.0
    for estimate_usd, share in calls:
        granted(budget, estimate_usd, window)
        assert budget.admits(estimate_usd) == budget.fits(estimate_usd)
        if not budget.admits(estimate_usd):
            assert spent_usd + estimate_usd > 20.0 - 1e-9
            break
        budget.begin(estimate_usd)
        budget.settle(estimate_usd, estimate_usd * share)
        spent_usd += estimate_usd * share
    assert spent_usd <= 20.0 + 1e-9


@dataclass
class Call:
    estimate_usd: float
    cost_usd: float

    @property
    def excess_usd(self) -> float:
        return max(0.0, self.cost_usd - self.estimate_usd)


@dataclass
class World:
    """A run and its ledger: what is written survives a kill, what is in memory does not.

    Attributes:
        beside: The calls in flight when the last one was sent, and that one: what they cost above
            their estimates, nobody can hold within a budget.
        excess_usd: The same of starts that were killed.
    """

    limit_usd: float
    charged_usd: float = 0.0
    excess_usd: float = 0.0
    reserved_usd: float = 0.0
    aside_usd: float = 0.0
    priced_usd: float = 0.0
    unwritten_usd: float = 0.0
    asked_usd: float | None = None
    calls: list[Call] = field(default_factory=list)
    beside: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        spent_usd = max(self.reserved_usd, self.priced_usd + self.aside_usd)
        self.aside_usd = max(0.0, spent_usd - self.priced_usd)
        self.reserved_usd = spent_usd
        self.budget = Budget(limit_usd=self.limit_usd, spent_usd=spent_usd)
        self.calls, self.asked_usd, self.unwritten_usd = [], None, 0.0

    def send(self, call: Call, window: int) -> None:
        asked_usd = self.budget.ask(call.estimate_usd, window)
        if asked_usd is not None:
            needed_usd = self.budget.spent_usd + sum(call.estimate_usd for call in self.calls)
            assert asked_usd <= max(self.limit_usd, needed_usd) + 1e-9
            self.asked_usd = asked_usd
        if self.asked_usd is None:  # a call that fits must not wait for nothing
            assert self.budget.admits(call.estimate_usd) == self.budget.fits(call.estimate_usd)
        if self.budget.admits(call.estimate_usd):
            self.budget.begin(call.estimate_usd)
            self.calls.append(call)
            self.beside = list(self.calls)

    def write(self) -> None:
        """The ledger commits."""
        self.priced_usd += self.unwritten_usd
        self.unwritten_usd = 0.0
        if self.asked_usd is not None:
            self.reserved_usd, self.asked_usd = self.asked_usd, None
            self.budget.granted()

    def answer(self, number: int, *, priced: bool) -> None:
        if self.calls:
            call = self.calls.pop(number % len(self.calls))
            self.charged_usd += call.cost_usd if priced else min(call.cost_usd, call.estimate_usd)
            self.budget.settle(call.estimate_usd, call.cost_usd if priced else None)
            self.unwritten_usd += call.cost_usd if priced else 0.0

    def kill(self) -> None:
        """Calls in flight may be charged all the same."""
        self.charged_usd += sum(call.cost_usd for call in self.calls)
        self.excess_usd += sum(call.excess_usd for call in self.beside)
        self.beside = []
        self.start()

    def end(self) -> None:
        """Drain, then put down what was really spent."""
        while self.calls:
            self.answer(0, priced=True)
        self.write()
        self.aside_usd = max(0.0, self.budget.spent_usd - self.priced_usd)
        self.reserved_usd = 0.0
        self.start()


SENDS = st.tuples(st.just("send"), st.floats(0.1, 1.0), st.floats(0.0, 5.0), st.integers(1, 60))
OTHERS = st.tuples(
    st.sampled_from(["answer", "answer", "lost", "lost", "write", "write", "kill", "end"]),
    st.integers(0, 50),
)


@settings(max_examples=250)
@given(st.floats(0.5, 3.0), st.lists(st.one_of(SENDS, OTHERS), min_size=20, max_size=120))
def test_whatever_happens_no_more_is_spent_than_calls_in_flight_can_exceed(
    limit_usd: float, events: list[tuple[Any, ...]]
) -> None:
    world = World(limit_usd)
    for kind, *rest in events:
        if kind == "send":
            estimate_usd, factor, window = rest
            world.send(Call(estimate_usd, estimate_usd * factor), window)
        elif kind in ("answer", "lost"):
            world.answer(rest[0], priced=kind == "answer")
        elif kind == "write":
            world.write()
        else:
            (world.kill if kind == "kill" else world.end)()
        at_most_usd = world.charged_usd + sum(call.cost_usd for call in world.calls)
        over_usd = world.excess_usd + sum(call.excess_usd for call in world.beside)
        assert at_most_usd <= limit_usd + over_usd + 1e-6


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({}, Size(input_bytes=7)),
        ({"max_completion_tokens": 50}, Size(input_bytes=7, output_tokens=50)),
        ({"max_tokens": 50, "n": 3}, Size(input_bytes=7, output_tokens=150)),
        ({"max_output_tokens": 5_000}, Size(input_bytes=7, output_tokens=5_000)),
        ({"service_tier": "flex"}, Size(input_bytes=7, tier="flex")),
        (
            {"max_tokens": "many", "n": True, "service_tier": None},
            Size(input_bytes=7, output_tokens=OUTPUT_TOKENS_ASSUMED),
        ),
        ({"max_tokens": None, "n": 0}, Size(input_bytes=7)),
    ],
)
def test_the_size_of_a_request(body: dict[str, Any], size: Size) -> None:
    assert size_of(body, 7) == size


def price(tier: str | None, usage: Usage) -> float | None:
    """A cent a token in, two out; flex half; no other tier is known."""
    if tier not in (None, "flex"):
        return None
    usd = (usage.prompt_tokens + 2 * usage.completion_tokens) * CENT
    return usd / 2 if tier else usd


@pytest.mark.parametrize(
    ("size", "usd"),
    [
        (Size(input_bytes=100, output_tokens=50), 2.0),
        (Size(input_bytes=100, output_tokens=50, tier="flex"), 1.0),
        (Size(input_bytes=100, output_tokens=50, tier="no price of its own"), 2.0),
    ],
)
def test_until_something_is_learnt_a_call_is_taken_for_its_bound(size: Size, usd: float) -> None:
    estimator = Estimator(price)
    for _ in range(LEARNT_AFTER - 1):
        estimator.learn(size, input_usd=0.25, output_usd=0.1)
    assert estimator.call_usd(size) == pytest.approx(usd)
    estimator.learn(size, input_usd=0.25, output_usd=0.1)
    assert estimator.call_usd(size) == pytest.approx(0.35)
    assert estimator.most_usd(size) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("billed", "asked", "expected_usd"),
    [
        (0.5, "flex", 0.5),
        (0.5, None, 1.0),  # it found no room, and goes at the standard tier
        (1.0, "flex", 1.0),  # flex that the provider bills as the standard tier
    ],
)
def test_what_is_learnt_at_a_cheaper_tier_holds_for_the_dearer_one(
    billed: float, asked: str | None, expected_usd: float
) -> None:
    estimator = Estimator(price)
    for _ in range(LEARNT_AFTER):
        flex = Size(input_bytes=100, tier="flex")
        estimator.learn(flex, input_usd=billed / 2, output_usd=billed / 2)
    assert estimator.call_usd(Size(input_bytes=100, tier=asked)) == pytest.approx(expected_usd)
    assert estimator.average_usd == pytest.approx(billed)


def test_a_longer_item_is_taken_for_more() -> None:
    estimator = Estimator(price)
    for _ in range(LEARNT_AFTER):
        estimator.learn(Size(input_bytes=100), input_usd=0.25, output_usd=0.1)
    assert estimator.call_usd(Size(input_bytes=10_000)) == pytest.approx(25.1)


@given(st.lists(st.floats(0.0, 9.0), min_size=LEARNT_AFTER, max_size=400))
def test_99_of_100_answers_cost_no_more_than_was_learnt(costs_usd: list[float]) -> None:
    estimator = Estimator(price)
    size = Size(input_bytes=10)
    seen = costs_usd[: len(costs_usd) // LEARNT_AFTER * LEARNT_AFTER]
    for cost_usd in seen:
        estimator.learn(size, input_usd=cost_usd / 2, output_usd=cost_usd / 2)
    estimate_usd = estimator.call_usd(size)
    dearer = sum(cost_usd > estimate_usd * (1 + 1e-9) for cost_usd in seen)
    assert dearer <= len(seen) / 100
    assert estimate_usd <= max(seen) * (1 + 1e-9)


def test_what_an_earlier_start_learnt_holds_until_enough_is_known_anew() -> None:
    size = Size(input_bytes=100, output_tokens=50)
    first = Estimator(price)
    assert first.learnt is None
    for _ in range(LEARNT_AFTER):
        first.learn(size, input_usd=0.25, output_usd=0.1)
    second = Estimator(price, first.learnt)
    assert second.call_usd(size) == pytest.approx(0.35)
    assert second.learnt == first.learnt
    for _ in range(LEARNT_AFTER):
        second.learn(size, input_usd=0.5, output_usd=0.1)
    assert second.call_usd(size) == pytest.approx(0.6)


def test_what_was_learnt_at_other_prices_is_forgotten() -> None:
    size = Size(input_bytes=100, output_tokens=50)
    estimator = Estimator(price, Learnt(input_usd=0.0, output_usd=0.0, list_usd=1.0))
    assert estimator.call_usd(size) == pytest.approx(2.0)


def test_old_answers_are_forgotten() -> None:
    estimator = Estimator(price)
    size = Size(input_bytes=10)
    for cost_usd in [9.0] * 500 + [0.1] * 1_000:
        estimator.learn(size, input_usd=0.0, output_usd=cost_usd)
    assert estimator.call_usd(size) == pytest.approx(0.1)


SHORT = {"limit_usd": 2.0, "used_usd": 1.9987, "items": 4_120, "rest_usd": 0.81, "call_usd": 0.0006}


@pytest.mark.parametrize(
    ("changes", "enough"),
    [
        ({}, 2.85),
        ({"used_usd": 0.019, "rest_usd": 0.08, "call_usd": 0.0}, 0.11),
        ({"used_usd": 0.0, "rest_usd": 0.00003, "call_usd": 0.0}, 0.000032),
        ({"used_usd": 1234.0, "rest_usd": 1000.0, "call_usd": 0.0}, 2284.0),
        ({"used_usd": 3.0, "rest_usd": 0.0, "call_usd": 0.0}, 3.0),
    ],
)
def test_a_budget_that_is_enough(changes: dict[str, float], enough: float) -> None:
    shortfall = Shortfall(**{**SHORT, **changes})  # type: ignore[arg-type]  # items is an int
    assert shortfall.enough_usd == enough


def test_what_is_lacking_is_said_in_a_sentence() -> None:
    assert str(Shortfall(**SHORT)) == (  # type: ignore[arg-type]  # items is an int
        "$1.9987 of $2.00 used; 4,120 items are left, about $0.81 more: --budget 2.85 goes on."
    )


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1e-7, 1e3))
def test_enough_is_enough(used_usd: float, rest_usd: float, call_usd: float) -> None:
    shortfall = Shortfall(
        limit_usd=1.0, used_usd=used_usd, items=1, rest_usd=rest_usd, call_usd=call_usd
    )
    needed_usd = used_usd + rest_usd + call_usd
    assert needed_usd <= shortfall.enough_usd * (1 + 1e-5)
    assert shortfall.enough_usd <= 1.2 * needed_usd + CENT


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0, "$0.00"),
        (2.0, "$2.00"),
        (0.0162, "$0.0162"),
        (1.9987, "$1.9987"),
        (0.000031, "$0.000031"),
        (1234.5, "$1,234.50"),
        (99.12341, "$99.1234"),
    ],
)
def test_dollars(usd: float, text: str) -> None:
    assert dollars(usd) == text


def counters(
    reserved: float = 0, aside: float = 0, aside_of: int = 0, **direct: float
) -> dict[str, dict[str, float]]:
    own = {
        "budget.reserved_usd": reserved,
        "budget.aside_usd": aside,
        "budget.unpriced_aside": float(aside_of),
    }
    return {"": own, "direct": direct, "batch": {"cost_usd": 0.5}}


@pytest.mark.parametrize(
    ("found", "spent"),
    [
        ({}, 0.0),
        (counters(cost_usd=1.0), 1.5),
        (counters(cost_usd=1.0, aside=0.25), 1.75),  # calls that were cut off
        (counters(cost_usd=1.0, reserved=2.0), 2.5),  # killed; batches are counted by themselves
        (counters(cost_usd=3.0, reserved=2.0), 3.5),  # dearer than its estimates
        (counters(cost_usd=1.0, aside=1.0, reserved=2.0), 2.5),
        (counters(cost_usd=1.0, unpriced=4), 1.9),  # a tenth each
        (counters(cost_usd=1.0, unpriced=4, aside=0.3, aside_of=3), 1.9),
    ],
)
def test_what_counts_as_spent(found: dict[str, dict[str, float]], spent: float) -> None:
    assert account.read(found).spent_usd(0.1) == pytest.approx(spent)


@pytest.mark.parametrize(
    ("found", "only_reserved"),
    [
        ({}, 0.0),
        (counters(cost_usd=1.0), 0.0),
        (counters(cost_usd=1.0, reserved=2.0), 1.0),
        (counters(cost_usd=3.0, reserved=2.0), 0.0),
        (counters(cost_usd=1.0, unpriced=4, reserved=2.0), 0.6),
    ],
)
def test_what_was_only_reserved(found: dict[str, dict[str, float]], only_reserved: float) -> None:
    assert account.read(found).only_reserved_usd(0.1) == pytest.approx(only_reserved)


def test_an_own_price_counts_for_every_model_and_tier() -> None:
    own = Prices("ours", "http://127.0.0.1:1/v1", own=Rates.per_million(1.0, 0.1, 5.0))
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=500_000)
    for model, tier in (("qwen", None), (None, None), ("gpt-6-luna", "flex")):
        assert own.cost_usd(model, tier, "direct", usage) == pytest.approx(0.5 + 0.05 + 0.5)
    assert own.cost_usd("qwen", None, "batch", usage) == pytest.approx(1.05 / 2)
