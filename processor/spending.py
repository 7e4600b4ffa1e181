"""A run's budget over all its starts, between the prices and the ledger."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import MappingProxyType

from processor.direct.purse import Purse
from processor.items import Usage
from processor.ledger import account, counters, database, pending, shards
from processor.ledger.account import Account
from processor.ledger.ledger import Ledger
from processor.plan.budget import Budget, Shortfall
from processor.plan.estimate import OUTPUT_TOKENS_ASSUMED, Estimator, Estimators, Learnt, PriceOf
from processor.plan.prices import Prices, Rates
from processor.settings import Settings
from processor.tasks.task import Task

_LEARNT = "learnt_"
_NONE: Mapping[str, float] = MappingProxyType({})
_NOBODY: Mapping[str, int] = MappingProxyType({})
_INPUT_TOKENS_ASSUMED = 1_000  # of an answer in a run of whose answers nobody told the tokens


@dataclass(frozen=True, slots=True)
class Opening:
    """What a start with a budget begins with.

    Attributes:
        budget: Its accounts.
        past: The run's as it found them.
        held_usd: What batches hold that nobody conducts meanwhile; it is no part of the budget.
    """

    budget: Budget
    past: Account
    held_usd: float = 0.0


class Spending:
    """The budget of one start, as the lane uses it.

    Args:
        ledger: Of the run; the writer's alone until `settle`.
        opening: As `begin` gives it.
        prices: Of the provider.
        model: The task's.
        keep: Keeps figures of the account; its future is done when they are durable.
        granted: Called in the event loop when what the purse asked for is.
        hopes: Tells whether others may give some of the budget back.
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
        hopes: Callable[[], bool] = bool,
    ) -> None:
        self._ledger = ledger
        self._budget = opening.budget
        self._keep_durably = keep
        self._granted = granted
        self._list_price = list_price(prices, model)
        self._past = opening.past
        self._held_usd = opening.held_usd
        self._model = model
        self._estimators = Estimators(
            lambda named: Estimator(
                list_price(prices, named), _learnt(opening.past, self._suffix(named))
            )
        )
        self.purse = Purse(
            budget=self._budget,
            estimators=self._estimators,
            price=prices.cost_usd,
            reserve=self._reserve,
            hopes=hopes,
        )

    def _reserve(self, usd: float) -> None:
        loop = asyncio.get_running_loop()

        def written(done: "Future[None]") -> None:
            if done.exception() is None:  # otherwise the run ends for that
                loop.call_soon_threadsafe(self._granted)

        # What batches cost from now on stands in the ledger by itself.
        figures = {account.RESERVED: usd - self._past.batch_usd, **self._learnt}
        self._keep_durably(figures).add_done_callback(written)

    @property
    def claimed_usd(self) -> float:
        """What counts as spent, but for batches: reservations of calls are in it."""
        return self._budget.claimed_usd

    @property
    def unspent_usd(self) -> float:
        """What of it is only reserved, by calls in flight or for those that follow."""
        return max(0.0, self._budget.claimed_usd - self._budget.spent_usd)

    def settle(self) -> None:
        """Put down what was really spent: no call is in flight, and all answers are durable."""
        by_batch_usd = _account(self._ledger).batch_usd - self._past.batch_usd
        _keep(
            self._ledger,
            self._budget.spent_usd + by_batch_usd,
            reserved=False,
            figures={account.LOST: self._lost, **self._learnt},
        )

    def shortfall(self, items: int, models: Mapping[str, int] = _NOBODY) -> Shortfall | None:
        """What is lacking for the items that are left; None when the budget refused no call.

        Args:
            items: How many they are.
            models: Model to how many items wait for it, where they wait for several.
        """
        refused = self.purse.refused
        if refused is None:
            return None
        assert refused.size is not None
        past = _account(self._ledger)
        item_usd = call_usd = self._estimators[refused.model].call_usd(refused.size)
        if past.finished:
            unpriced_usd = past.unpriced * _answer_usd(past, self._list_price)
            # The lost count again as they did; answers without a price are mostly among them.
            lost_usd = max(unpriced_usd, past.lost * call_usd)
            item_usd = (past.priced_usd + lost_usd) / past.finished
        others_usd = self._held_usd + self._budget.elsewhere_usd
        return Shortfall(
            limit_usd=self._budget.limit_usd + others_usd,
            used_usd=self._budget.spent_usd + others_usd,
            items=items,
            rest_usd=items * self._mixed_usd(models, item_usd),
            call_usd=call_usd,
        )

    def _mixed_usd(self, models: Mapping[str, int], item_usd: float) -> float:
        """What an item costs on the average of those that wait; those of a model are done first."""
        if not models:
            return item_usd
        usd = sum(
            count * (self._estimators[model].average_usd or item_usd)
            for model, count in models.items()
        )
        return usd / sum(models.values())

    @property
    def _learnt(self) -> dict[str, float]:
        """What the next start should know of the models that were asked."""
        return {
            name: value
            for model, estimator in self._estimators.items()
            for name, value in _figures(estimator.learnt, self._suffix(model)).items()
        }

    def _suffix(self, model: str) -> str:
        """Of the names of figures."""
        return "" if model == self._model else f".{model}"

    @property
    def _lost(self) -> int:
        return self._past.lost + self.purse.lost


def prices_of(settings: Settings) -> Prices:
    """The prices of a run."""
    own = None if settings.price is None else Rates.per_million(*settings.price)
    return Prices(
        settings.provider,
        settings.base_url,
        own=own,
        own_flex=0.5 if settings.is_of_openai else 1.0,
    )


def waiting_by_model(ledger: Ledger, task: Task) -> Mapping[str, int]:
    """Model to how many items wait for it; empty where rows name none."""
    field = task.model_field
    if field is None:
        return _NOBODY
    found: dict[str, int] = {}
    with ledger.guard():
        for value, _, count in pending.values_of(ledger.connection, field):
            model = task.chosen_by({field: value}).get("model", task.model)
            found[model] = found.get(model, 0) + count
    return found


def begin(
    ledger: Ledger,
    *,
    limit_usd: float | None,
    prices: Prices,
    model: str,
    by_batch_usd: Callable[[], float] | None = None,
) -> Opening | None:
    """What a start begins with; what was spent before is reserved. None without a limit.

    A start without one may spend what it likes; what an earlier one had reserved when it was
    killed is put aside first, because it counts as spent all the same.

    Args:
        ledger: Of the run.
        limit_usd: The budget.
        prices: Of the provider.
        model: The task's.
        by_batch_usd: Tells what batches hold, and have cost since now, if they are conducted
            meanwhile.
    """
    past = _account(ledger)
    if limit_usd is None:
        if past.reserved_usd:
            _put_aside(ledger, past, 0.0, reserved=False)
        return None
    answer_usd = _answer_usd(past, list_price(prices, model))
    _put_aside(ledger, past, answer_usd, reserved=True)
    spent_usd = past.spent_usd(answer_usd)
    if by_batch_usd is not None:
        return Opening(
            Budget(limit_usd=limit_usd, spent_usd=spent_usd, elsewhere_usd=by_batch_usd), past
        )
    held_usd = held_by_batches_usd(ledger)
    return Opening(Budget(limit_usd=limit_usd - held_usd, spent_usd=spent_usd), past, held_usd)


def held_by_batches_usd(ledger: Ledger) -> float:
    """What shards may cost that are not settled."""
    with ledger.guard():
        return shards.reserved_usd(ledger.connection)


def begin_batches(
    ledger: Ledger, *, prices: Prices, model: str, by_calls_usd: Callable[[], float]
) -> Callable[[Account], float]:
    """Put aside what a killed start had reserved for calls.

    Args:
        ledger: Of the run.
        prices: Of the provider.
        model: The task's.
        by_calls_usd: Tells what calls that are made meanwhile have spent or reserved, together
            with all that was spent before; 0 without any.

    Returns:
        What counts as spent in an account, but for the reservations of shards.
    """
    price = list_price(prices, model)
    past = _account(ledger)
    if past.reserved_usd:
        _put_aside(ledger, past, _answer_usd(past, price), reserved=False)

    def spent_usd(now: Account) -> float:
        # A reservation that was asked for a moment ago is not in the ledger yet.
        claimed_usd = by_calls_usd() + now.batch_usd - past.batch_usd
        return max(now.spent_usd(_answer_usd(now, price)), claimed_usd)

    return spent_usd


def list_price(prices: Prices, model: str) -> PriceOf:
    """Of a model, called directly; the price of an answer is None when it is not known."""

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


def _learnt(past: Account, suffix: str) -> Learnt | None:
    """What an earlier start learnt about calls."""
    names = [f"{_LEARNT}{name}{suffix}" for name in Learnt._fields]
    known = [past.figures[name] for name in names if name in past.figures]
    return Learnt(*known) if len(known) == len(Learnt._fields) else None


def _figures(learnt: Learnt | None, suffix: str) -> Mapping[str, float]:
    if learnt is None:
        return _NONE
    return {f"{_LEARNT}{name}{suffix}": value for name, value in learnt._asdict().items()}


def _answer_usd(past: Account, price: PriceOf) -> float:
    """What an answer whose price nobody told is taken for: the run's average answer."""
    average = Usage(prompt_tokens=_INPUT_TOKENS_ASSUMED, completion_tokens=OUTPUT_TOKENS_ASSUMED)
    if past.finished and past.usage.prompt_tokens:
        average = Usage(
            prompt_tokens=past.usage.prompt_tokens // past.finished,
            completion_tokens=past.usage.completion_tokens // past.finished,
        )
    usd = price(None, average)
    if usd is None:  # of the task's own model, while rows name others
        return past.priced_usd / past.finished if past.finished else 0.0
    return usd
