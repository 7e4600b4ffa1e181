"""Models and parameters that rows choose for themselves, where the provider refuses them.

That there is no such model concerns the whole job when the task names it. When a row chose it,
other answers decide: once any model has answered, the rows that chose the missing one fail, and no
more of them are sent. As long as none has, they wait and other rows are asked; when no row is left
that could tell, the job stops and all of them stay pending.

The limit of a day, too, is one of a model, as is a wait for longer than a run should sleep: its
rows stay pending, and those of others go on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from processor.answer import failure_for, unsent
from processor.direct.backlog import Backlog, Work
from processor.direct.breaker import SAME_COMPLAINTS
from processor.direct.retry import BLOCKED_CODE
from processor.items import Outcome
from processor.stop import Stop
from processor.tasks.task import Task
from processor.verdict import Kind, Verdict

Choice = tuple[tuple[str, str], ...]
"""(name, value) pairs in which a row differs from its task, the model first; mostly empty."""

_MODEL = "model"
_REFUSED_PARAMETER = "refused_parameter"
_OF_A_DAY = "daily_limit"
# On Azure the model is a part of the address.
_CONCERNED = frozenset({"model_not_found", "not_found", _REFUSED_PARAMETER})
_REFUSED_KEPT = 100  # different ones; each further one costs a call


def choice_of(chosen: Mapping[str, Any], model: str) -> Choice:
    """The choice of a row.

    Args:
        chosen: Model and parameters that it names.
        model: The task's.
    """
    differing = {name: str(value) for name, value in chosen.items()}
    if differing.get(_MODEL) == model:
        del differing[_MODEL]
    return tuple(sorted(differing.items(), key=lambda pair: (pair[0] != _MODEL, pair)))


class Refusals:
    """Which choices the provider refused, and whether that is about them. Pure."""

    def __init__(self) -> None:
        self._answering: set[str] = set()
        self._refused: dict[Choice, Verdict] = {}
        self._resting: dict[str, Verdict] = {}

    @property
    def decided(self) -> bool:
        """Whether any model answers, as far as is known."""
        return bool(self._answering)

    @property
    def first(self) -> Verdict | None:
        """The refusal that was first of those that hold; None without any."""
        return next(iter((*self._refused.values(), *self._resting.values())), None)

    @property
    def first_rest(self) -> Verdict | None:
        """On the model that rested first; None when none does."""
        return next(iter(self._resting.values()), None)

    def rest(self, model: str, verdict: Verdict) -> None:
        """Send nothing more to a model in this start."""
        self._answering.discard(model)
        self._resting[model] = verdict

    def rests(self, model: str) -> bool:
        """Whether nothing more is sent to a model in this start."""
        return model in self._resting

    def rule(self, verdict: Verdict, choice: Choice, model: str) -> Verdict:
        """The verdict on a request, as it concerns the job, the row, or is not known to.

        Args:
            verdict: On the answer alone.
            choice: Of the request's row.
            model: That was asked.
        """
        if verdict.kind is Kind.OK or verdict.usage is not None:
            self._answered(choice, model)
            return verdict
        if verdict.code == _OF_A_DAY:
            self.rest(model, verdict)
            return replace(verdict, kind=Kind.OPEN)
        refused = _refused_part(verdict, choice)
        if not refused:
            return verdict
        if verdict.code != _REFUSED_PARAMETER:
            self._answering.discard(model)
        if not self._answering and len(self._refused) >= SAME_COMPLAINTS:
            return verdict
        if len(self._refused) < _REFUSED_KEPT:
            self._refused.setdefault(refused, verdict)
        return self._ruled(verdict)

    def on(self, choice: Choice) -> Verdict | None:
        """The verdict on a row that is not sent, for its choice was refused; None: it may go."""
        if not choice or not self._refused:
            return None
        found = self._refused.get(choice) or self._refused.get(choice[:1])
        return None if found is None else self._ruled(found)

    def _answered(self, choice: Choice, model: str) -> None:
        if not self.rests(model):
            self._answering.add(model)
        if self._refused:
            self._refused.pop(choice, None)
            self._refused.pop(choice[:1], None)

    def _ruled(self, verdict: Verdict) -> Verdict:
        return replace(verdict, kind=Kind.ITEM if self._answering else Kind.OPEN)


def _refused_part(verdict: Verdict, choice: Choice) -> Choice:
    """What of a choice the provider refuses; empty when it is something else."""
    if verdict.kind is not Kind.FATAL or verdict.code not in _CONCERNED:
        return ()
    if verdict.code == _REFUSED_PARAMETER:
        return choice
    return choice[:1] if choice and choice[0][0] == _MODEL else ()


class Choosers:
    """Rows that choose for themselves, on their way through the lane.

    Args:
        task: Tells what they choose.
        backlog: Where they wait.
        settle: Takes the outcome of those that fail.
        dismiss: Called when the witness is one of them.
    """

    def __init__(
        self,
        task: Task,
        backlog: Backlog,
        *,
        settle: Callable[[Outcome], None],
        dismiss: Callable[[], None],
    ) -> None:
        self._task = task
        self._backlog = backlog
        self._settle = settle
        self._dismiss = dismiss
        self._refusals = Refusals()

    @property
    def stop(self) -> Stop | None:
        """Why the job must stop once nothing is left to be asked; None when all have an outcome."""
        is_open = self._backlog.aside and not self._refusals.decided
        found = self._refusals.first if is_open else self._refusals.first_rest
        return None if found is None else Stop(code=found.code, message=found.message)

    def rule(self, verdict: Verdict, work: Work) -> Verdict:
        """The verdict on an answer; those that waited for it go on."""
        ruled = self._refusals.rule(verdict, self._choice(work), work.model)
        if self._refusals.decided:
            self._backlog.recall()
        return ruled

    def block(self, work: Work, verdict: Verdict) -> None:
        """A model asked to wait for longer than a run should sleep; the work stays pending."""
        self._refusals.rest(work.model, replace(verdict, code=BLOCKED_CODE))
        self._backlog.put_aside(work)

    def hold(self, work: Work) -> bool:
        """Whether the work is not to be sent: it failed, or waits, or stays pending."""
        rests = self._refusals.rests(work.model)
        verdict = self._refusals.on(self._choice(work))
        if verdict is None and not rests:
            return False
        if work.done:
            self._dismiss()
        elif verdict is None:
            if not self._refusals.decided:
                self._backlog.put_aside(work)
        elif verdict.kind is Kind.OPEN:
            self._backlog.put_aside(work)
        else:
            failure = failure_for(verdict.code, verdict.message)
            self._settle(unsent("direct", work.item, work.attempts, failure))
        return True

    def _choice(self, work: Work) -> Choice:
        if work.choice is None:
            chosen = self._task.chosen_by(work.item.fields)
            work.choice = choice_of(chosen, self._task.model)
        return work.choice
