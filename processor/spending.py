"""A run's budget over all its starts, between the prices and the ledger."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import MappingProxyType

from processor.direct.purse import Purse
from processor.errors import UsageError
from processor.items import Usage
from processor.ledger import account, counters, database
from processor.ledger.account import Account
from processor.ledger.ledger import Ledger
from processor.plan.budget import Budget, Shortfall
from processor.plan.estimate import OUTPUT_TOKENS_ASSUMED, Estimator, Learnt, PriceOf
from processor.plan.prices import Prices, Rates
from processor.settings import Settings
from processor.tasks.task import Task

_LEARNT = "learnt_"
_NONE: Mapping[str, float] = MappingProxyType({})
_INPUT_TOKENS_ASSUMED = 1_000  # of an answer in a run of whose answers nobody told the tokens


@dataclass(frozen=True, slots=True)
class Opening:
    """What a start with a budget begins with: its accounts, and the run's as it found them."""

    budget: Budget
    past: Account


class Spending:
    """The budget of one start, as the lane uses it.

    Args:
        ledger: Of the run; the writer's alone until `settle`.
        opening: As `begin` gives it.
        prices: Of the provider.
        model: That is asked.
        keep: Keeps figures of the account; its future is done when they are durable.
        granted: Called in the event loop when what the purse asked for is.
    """

    def __init__(
        self,
        ledger: Ledger,
        opening: Opening,
        *,
        prices: Prices,
        model: str,
        keep: Callable[[Mapping[str, float]], "Future[None]"],
        granted: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._budget = opening.budget
        self._keep_durably = keep
        self._granted = granted
        self._list_price = _list_price(prices, model)
        self._past = opening.past
        self._estimator = Estimator(self._list_price, _learnt(opening.past))
        self.purse = Purse(
            budget=self._budget,
            estimator=self._estimator,
            price=prices.cost_usd,
            reserve=self._reserve,
        )

    def _reserve(self, usd: float) -> None:
        loop = asyncio.get_running_loop()

        def written(done: "Future[None]") -> None:
            if done.exception() is None:  # otherwise the run ends for that
                loop.call_soon_threadsafe(self._granted)

        figures = {account.RESERVED: usd, **_figures(self._estimator.learnt)}
        self._keep_durably(figures).add_done_callback(written)

    def settle(self) -> None:
        """Put down what was really spent: no call is in flight, and all answers are durable."""
        _keep(
            self._ledger,
            self._budget.spent_usd,
            reserved=False,
            figures={account.LOST: self._lost, **_figures(self._estimator.learnt)},
        )

    def shortfall(self, items: int) -> Shortfall | None:
        """What is lacking for the items that are left; None when the budget refused no call."""
        refused = self.purse.refused
        if refused is None:
            return None
        past = _account(self._ledger)
        item_usd = call_usd = self._estimator.call_usd(refused)
        if past.finished:
            unpriced_usd = past.unpriced * _answer_usd(past, self._list_price)
            # The lost count again as they did; answers without a price are mostly among them.
            lost_usd = max(unpriced_usd, past.lost * call_usd)
            item_usd = (past.priced_usd + lost_usd) / past.finished
        return Shortfall(
            limit_usd=self._budget.limit_usd,
            used_usd=self._budget.spent_usd,
            items=items,
            rest_usd=items * item_usd,
            call_usd=call_usd,
        )

    @property
    def _lost(self) -> int:
        return self._past.lost + self.purse.lost


def prices_of(settings: Settings) -> Prices:
    """The prices of a run."""
    own = None if settings.price is None else Rates.per_million(*settings.price)
    return Prices(settings.provider, settings.base_url, own=own)


def check(settings: Settings, task: Task) -> None:
    """Refuse a budget that nothing can be held against.

    Raises:
        UsageError: There is a budget, and nobody knows what the model costs, or which it will be.
    """
    if settings.budget_usd is not None and task.model_field is not None:
        raise UsageError(
            f"--budget: each row may name its own model in {task.model_field!r}, and a budget is "
            "held against the price of one",
            way_out="Leave --budget out, or run each model's rows by themselves.",
        )
    model = task.model
    one = Usage(prompt_tokens=1, completion_tokens=1)
    if (
        settings.budget_usd is None
        or _list_price(prices_of(settings), model)(None, one) is not None
    ):
        return
    raise UsageError(
        f"--budget: what {model} costs at {settings.host} is not known",
        way_out="Tell it with --price IN,OUT (US dollars per million tokens), choose another "
        "model, or leave --budget out.",
    )


def begin(ledger: Ledger, *, limit_usd: float | None, prices: Prices, model: str) -> Opening | None:
    """What a start begins with; what was spent before is reserved. None without a limit.

    A start without one may spend what it likes; what an earlier one had reserved when it was
    killed is put aside first, because it counts as spent all the same.
    """
    past = _account(ledger)
    if limit_usd is None:
        if past.reserved_usd:
            _put_aside(ledger, past, 0.0, reserved=False)
        return None
    answer_usd = _answer_usd(past, _list_price(prices, model))
    _put_aside(ledger, past, answer_usd, reserved=True)
    return Opening(Budget(limit_usd=limit_usd, spent_usd=past.spent_usd(answer_usd)), past)


def _list_price(prices: Prices, model: str) -> PriceOf:
    def price(tier: str | None, usage: Usage) -> float | None:
        return prices.cost_usd(model, tier, "direct", usage)

    return price


def _account(ledger: Ledger) -> Account:
    with ledger.guard():
        return account.read(counters.read(ledger.connection))


def _put_aside(ledger: Ledger, past: Account, answer_usd: float, *, reserved: bool) -> None:
    """Count as spent what a killed start had reserved."""
    killed_usd = past.killed_usd + past.only_reserved_usd(answer_usd)
    figures = {account.KILLED: killed_usd}
    _keep(ledger, past.spent_usd(answer_usd), reserved=reserved, figures=figures)


def _keep(
    ledger: Ledger, spent_usd: float, *, reserved: bool, figures: Mapping[str, float] = _NONE
) -> None:
    with ledger.guard(), database.transaction(ledger.connection):
        account.settle(ledger.connection, spent_usd, reserved=reserved)
        account.keep(ledger.connection, figures)


def _learnt(past: Account) -> Learnt | None:
    """What an earlier start learnt about calls."""
    known = [
        past.figures[_LEARNT + name] for name in Learnt._fields if _LEARNT + name in past.figures
    ]
    return Learnt(*known) if len(known) == len(Learnt._fields) else None


def _figures(learnt: Learnt | None) -> Mapping[str, float]:
    return {_LEARNT + name: value for name, value in learnt._asdict().items()} if learnt else {}


def _answer_usd(past: Account, price: PriceOf) -> float:
    """What an answer whose price nobody told is taken for: the run's average answer."""
    average = Usage(prompt_tokens=_INPUT_TOKENS_ASSUMED, completion_tokens=OUTPUT_TOKENS_ASSUMED)
    if past.finished and past.usage.prompt_tokens:
        average = Usage(
            prompt_tokens=past.usage.prompt_tokens // past.finished,
            completion_tokens=past.usage.completion_tokens // past.finished,
        )
    usd = price(None, average)
    assert usd is not None, "`check` refused a model without a price"
    return usd
