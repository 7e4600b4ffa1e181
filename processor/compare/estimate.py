"""What a comparison will cost at most or about, before anything is sent."""

from collections.abc import Sequence
from pathlib import Path

from processor.compare.arm import Trial
from processor.compare.rows import HeldRows
from processor.identity import NO_CONSENT
from processor.plan.route import Lane
from processor.rehearsal import Rehearsal
from processor.settings import Settings
from processor.sizing import Load
from processor.tasks.toml import load_task

_NOWHERE = Path("runs") / "none"


class Estimate:
    """Renders every row for every model, and prices it; sends nothing, writes nothing.

    `execute` gives US dollars; None where a price is unknown.

    Args:
        trials: What would be run.
        task: Its name or path.
        source: All rows.
        settings: What would be in force.
    """

    def __init__(
        self, trials: Sequence[Trial], *, task: str, source: HeldRows, settings: Settings
    ) -> None:
        self._trials = trials
        self._task = task
        self._source = source
        self._settings = settings
        self._rehearsal: Rehearsal | None = None

    def drain(self) -> None:
        """End it."""
        if self._rehearsal is not None:
            self._rehearsal.drain()

    def abort(self) -> None:
        """End it."""
        self.drain()

    async def execute(self) -> float | None:
        """Price all trials."""
        loads = {
            model: await self._load(model)
            for model in dict.fromkeys(trial.model for trial in self._trials)
        }
        costs = [
            loads[trial.model].of(trial.items).cost_usd(_lane(trial)) for trial in self._trials
        ]
        known = [usd for usd in costs if usd is not None]
        return sum(known) if len(known) == len(costs) else None

    async def _load(self, model: str) -> Load:
        """All rows."""
        output_tokens = self._settings.max_output_tokens
        self._rehearsal = Rehearsal(
            folder=_NOWHERE,
            task=load_task(self._task, model=model, max_output_tokens=output_tokens),
            source=self._source,
            settings=self._settings.model_copy(update={"model": model}),
            consent=NO_CONSENT,
            outputs=(),
            afresh=True,
            tell=lambda _: None,
        )
        return (await self._rehearsal.execute()).total


def _lane(trial: Trial) -> Lane:
    return Lane.BATCH if trial.arm.by_batch else Lane.DIRECT
