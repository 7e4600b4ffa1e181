"""What the direct lane may spend: whether the next call may be sent, and what each one cost."""

from collections.abc import Callable

from processor.codes import BUDGET_CODE
from processor.direct.backlog import Work
from processor.items import Usage
from processor.plan.budget import Budget
from processor.plan.estimate import Estimators
from processor.plan.prices import dollars
from processor.stop import Stop
from processor.verdict import Verdict

Pricer = Callable[[str | None, str | None, str, Usage], float | None]
"""(model, tier, lane, usage) to US dollars; None when the price is unknown."""


class Purse:
    """Asks before a call, pays after it.

    Args:
        budget: The accounts.
        estimators: What calls will cost, by model.
        price: What an answer costs.
        reserve: Called with what should be reserved in all; `granted` is to follow once that is
            durable.
        hopes: Tells whether others may give some of the budget back.

    Attributes:
        refused: The call for which the budget had no room left.
        lost: Calls that may be charged for, and nobody tells what they cost.
    """

    def __init__(
        self,
        *,
        budget: Budget,
        estimators: Estimators,
        price: Pricer,
        reserve: Callable[[float], None],
        hopes: Callable[[], bool] = bool,
    ) -> None:
        self._budget = budget
        self._estimators = estimators
        self._price = price
        self._reserve = reserve
        self._hopes = hopes
        self.refused: Work | None = None
        self.lost = 0

    def admits(self, work: Work, window: int) -> bool:
        """Whether the call may be sent now; asks for a reservation when it is time for one."""
        assert work.size is not None
        work.estimate_usd = self._estimators[work.model].call_usd(work.size)
        asked_usd = self._budget.ask(work.estimate_usd, window)
        if asked_usd is not None:
            self._reserve(asked_usd)
        return self._budget.admits(work.estimate_usd)

    def refusal(self, work: Work) -> Stop | None:
        """Why the call cannot be sent even when all others have ended; None when it may be."""
        if self._budget.fits(work.estimate_usd) or self._hopes():
            return None
        self.refused = work
        used, limit = dollars(self._budget.spent_usd), dollars(self._budget.limit_usd)
        return Stop(code=BUDGET_CODE, message=f"{used} of {limit} used.")

    def granted(self) -> None:
        """What was asked for is durable."""
        self._budget.granted()

    def begin(self, work: Work) -> None:
        """The call is sent."""
        self._budget.begin(work.estimate_usd)

    def settle(self, work: Work, verdict: Verdict) -> None:
        """The call has ended."""
        cost_usd = self._cost_usd(work, verdict)
        self.lost += cost_usd is None
        self._budget.settle(work.estimate_usd, cost_usd)

    def cut_off(self, work: Work, *, sent: bool) -> None:
        """The call was ended from here; what was sent may be charged."""
        self.lost += sent
        self._budget.settle(work.estimate_usd, None if sent else 0.0)

    def _cost_usd(self, work: Work, verdict: Verdict) -> float | None:
        usage = verdict.usage
        if usage is None:
            return None if verdict.maybe_charged else 0.0
        cost_usd = self._price(verdict.model, verdict.tier, "direct", usage)
        if cost_usd is not None:
            self._learn(work, verdict, usage, cost_usd)
        return cost_usd

    def _learn(self, work: Work, verdict: Verdict, usage: Usage, cost_usd: float) -> None:
        """Tell the estimator what the input cost, and what the answer."""
        unanswered = Usage(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=0,
            cached_tokens=usage.cached_tokens,
        )
        input_usd = self._price(verdict.model, verdict.tier, "direct", unanswered)
        assert input_usd is not None
        assert work.size is not None
        self._estimators[work.model].learn(
            work.size, input_usd=input_usd, output_usd=max(0.0, cost_usd - input_usd)
        )
