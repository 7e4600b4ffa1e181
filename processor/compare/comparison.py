"""Conducts a comparison: one trial after another, each a process with a run folder of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from processor.compare.arm import Trial
from processor.compare.measured import Measured, Status, held_usd, measured
from processor.compare.order import Order, logs_of, told
from processor.compare.rows import ROWS_NAME
from processor.compare.terms import Terms
from processor.errors import ProcessorError
from processor.ledger import lock
from processor.ledger.database import LEDGER_NAME
from processor.report import EXIT_BUDGET, EXIT_INTERRUPTED
from processor.settings import Settings

_CHILD = (sys.executable, "-m", "processor.compare.child")
_LOOK_S = 0.1
_SPENT = "the budget is spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a start of a comparison does.

    Attributes:
        folder: Of the comparison; its rows are kept there.
        settings: In force for all trials; a budget is for all of them together.
        task: Its name or path.
        leaves: Batches are made, or looked at once, and left.
    """

    folder: Path
    terms: Terms
    settings: Settings
    trials: Sequence[Trial]
    task: str
    leaves: bool = False

    def folder_of(self, trial: Trial) -> Path:
        """Where the run of a trial is."""
        return self.folder / trial.folder

    def measured(self, trial: Trial) -> Measured:
        """How a trial stands."""
        return measured(trial, self.folder_of(trial), scale=self.terms.scale)


class Comparison:
    """Runs what is not done yet of a plan; `signals.guarded` can end it early.

    Args:
        plan: What to do.
        tell: Called with (place from 1, a trial as it stands) before and after it runs.
    """

    def __init__(self, plan: Plan, tell: Callable[[int, Measured], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._process: Process | None = None
        self._leaving = False

    def drain(self) -> None:
        """Begin nothing new; calls in flight end and are recorded."""
        self._leaving = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def abort(self) -> None:
        """End the run of a trial at once: its ledger bears that, and the same command goes on."""
        self._leaving = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def execute(self) -> list[Measured]:
        """Run every trial that is not done; one that fails is in no other's way.

        Returns:
            All trials as they stand, in the order of the plan.
        """
        found = []
        for place, trial in enumerate(self._plan.trials, 1):
            now = self._look(trial)
            if now.status is not Status.DONE and not self._leaving:
                self._tell(place, replace(now, status=Status.WAITING, problem=""))
                now = await self._run(trial)
                self._tell(place, now)
            found.append(now)
        return found

    def _look(self, trial: Trial) -> Measured:
        """As its ledger tells; one that cannot be read is its own trouble."""
        try:
            return self._plan.measured(trial)
        except ProcessorError as error:
            return Measured(
                trial=trial,
                folder=self._plan.folder_of(trial),
                status=Status.FAILED,
                exit_code=error.exit_code,
                problem=str(error),
            )

    async def _run(self, trial: Trial) -> Measured:
        left_usd = self._left_usd(trial)
        if left_usd is not None and left_usd <= 0:
            now = self._look(trial)
            return replace(now, status=Status.STOPPED, exit_code=EXIT_BUDGET, problem=_SPENT)
        await self._wait_for_predecessor(trial)
        code, said = await self._conduct(self._order(trial, left_usd))
        now = self._look(trial)
        if now.status is Status.WAITING:
            problem = said or f"its process ended with {code}"
            status = Status.WAITING if self._leaving else Status.FAILED
            return replace(now, status=status, exit_code=code, problem=problem)
        return replace(now, exit_code=code, problem=now.problem or said)

    async def _wait_for_predecessor(self, trial: Trial) -> None:
        """What a killed start of this command has left ends its calls in flight, then lets go."""
        folder = self._plan.folder_of(trial)
        while lock.is_held(folder) and not self._leaving:  # noqa: ASYNC110 - a lock tells nobody
            await asyncio.sleep(_LOOK_S)

    async def _conduct(self, order: Order) -> tuple[int, str]:
        """Run a trial's process to its end; returns its exit code and the last that it said."""
        process = self._process = await asyncio.create_subprocess_exec(
            *_CHILD, stdin=PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=PIPE,
            start_new_session=True,  # Ctrl-C is this process's alone
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        with suppress(ConnectionError):  # it has died: its words and its code tell
            process.stdin.write(order.line())
            await process.stdin.drain()
        if self._leaving:
            process.stdin.close()
        said = (await process.stderr.read()).decode(errors="replace").strip()
        code = await process.wait()
        self._process = None
        last = said.splitlines()[-1] if said else ""
        if code >= 0:
            return code, last
        return EXIT_INTERRUPTED, last or f"signal {-code} has ended its process"

    def _order(self, trial: Trial, budget_usd: float | None) -> Order:
        plan = self._plan
        changed: dict[str, Any] = {
            **trial.arm.settings,
            "model": trial.model,
            "budget_usd": budget_usd,
            "logs": str(logs_of(plan.folder)),
        }
        return Order(
            folder=str(plan.folder_of(trial)),
            rows=str(plan.folder / ROWS_NAME),
            items=trial.items,
            task=plan.task,
            settings={**told(plan.settings), **changed},
            in_turn=trial.arm.kind == "in-turn",
            leaves=plan.leaves and trial.arm.by_batch,
            scale=plan.terms.scale,
        )

    def _left_usd(self, trial: Trial) -> float | None:
        """What a trial may spend: all that others have not, also those of earlier starts.

        None without a budget.
        """
        limit_usd = self._plan.settings.budget_usd
        if limit_usd is None:
            return None
        own = self._plan.folder_of(trial)
        ledgers = self._plan.folder.glob(f"*/{LEDGER_NAME}")
        others = (ledger.parent for ledger in ledgers if ledger.parent != own)
        return limit_usd - sum(map(held_usd, others))
