"""Whether a task and its rows can be sent as it is asked for, before anything is."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from processor.completion import EMBEDDINGS
from processor.errors import UsageError
from processor.items import Usage
from processor.ledger import pending, results
from processor.ledger.ledger import Ledger
from processor.plan.prices import Prices
from processor.settings import Settings
from processor.spending import list_price, prices_of
from processor.tasks.task import Task
from processor.urgency import WORDS, is_urgent


def check(settings: Settings, task: Task) -> None:
    """Refuse a budget that nothing can be held against, and a tier that the task has not.

    Raises:
        UsageError: There is a budget, and nobody knows what the model costs; or flex is asked for,
            which embeddings have not.
    """
    if settings.route == "flex" and task.endpoint == EMBEDDINGS:
        raise UsageError(
            "--route flex: embeddings are not served at that tier",
            way_out="--route direct sends them at once, --route batch at half the price.",
        )
    if settings.budget_usd is None or task.model_field is not None:  # then `Fitness` asks each row
        return
    if not _is_priced(prices_of(settings), task.model):
        raise UsageError(_unpriced(task.model, settings), way_out=_WAY_OUT)


class Fitness:
    """Whether rows can be asked, and held against the budget.

    Args:
        settings: With the budget, if there is one.
        task: Tells what else makes a row unfit.
    """

    def __init__(self, settings: Settings, task: Task) -> None:
        self._settings = settings
        self._task = task
        self._asks_prices = settings.budget_usd is not None and task.model_field is not None
        prices = prices_of(settings)
        self._is_priced = lru_cache(maxsize=1_000)(lambda model: _is_priced(prices, model))

    @property
    def problem_with(self) -> Callable[[Mapping[str, Any]], str | None]:
        """Tells why a row is unfit; None for one that is fit."""
        asks = self._asks_prices or self._settings.urgent_field is not None
        return self._problem_with if asks else self._task.problem_with

    def check(self, ledger: Ledger) -> None:
        """Refuse a run in which a row of an earlier start does not fit what is asked for now.

        Raises:
            UsageError: A pending row cannot be held against the budget, or does not tell whether
                somebody waits for it.
        """
        self._check_urgency(ledger)
        field = self._task.model_field
        if field is None or not self._asks_prices:
            return
        with ledger.guard():
            for value, item, _ in pending.values_of(ledger.connection, field):
                if problem := self._price_problem({field: value}):
                    raise UsageError(f"the row with id {item}: {problem}", way_out=_WAY_OUT)

    def _problem_with(self, fields: Mapping[str, Any]) -> str | None:
        problem = self._task.problem_with(fields) or self._urgency_problem(fields)
        if problem is None and self._asks_prices:
            problem = self._price_problem(fields)
            return None if problem is None else f"{problem}; --price IN,OUT tells it"
        return problem

    def _check_urgency(self, ledger: Ledger) -> None:
        field = self._settings.urgent_field
        if field is None:
            return
        with ledger.guard():
            columns = [column.name for column in results.columns(ledger.connection)]
            if columns and field not in columns:
                raise UsageError(
                    f"--urgent-field: the rows of this run have no column {field}",
                    way_out=f"They have: {', '.join(columns)}.",
                )
            for value, item, _ in pending.values_of(ledger.connection, field):
                if problem := self._urgency_problem({field: value}):
                    raise UsageError(f"the row with id {item}: {problem}")

    def _urgency_problem(self, fields: Mapping[str, Any]) -> str | None:
        field = self._settings.urgent_field
        if field is None or is_urgent(fields.get(field)) is not None:
            return None
        return f"{field} is {fields[field]!r}, neither yes nor no; understood are {WORDS}"

    def _price_problem(self, fields: Mapping[str, Any]) -> str | None:
        model = self._task.chosen_by(fields).get("model", self._task.model)
        return None if self._is_priced(model) else _unpriced(model, self._settings)


_WAY_OUT = (
    "Tell it with --price IN,OUT (US dollars per million tokens), choose another model, or leave "
    "--budget out."
)


def _unpriced(model: str, settings: Settings) -> str:
    return f"--budget: what {model} costs at {settings.host} is not known"


def _is_priced(prices: Prices, model: str) -> bool:
    one = Usage(prompt_tokens=1, completion_tokens=1)
    return list_price(prices, model)(None, one) is not None
