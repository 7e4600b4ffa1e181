"""A process that runs one trial, so that CPU and memory are its own.

It reads its order from standard input, and begins nothing new once that closes: it does not
outlive its parent by more than the calls in flight.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from processor import spending
from processor.batch.until import Until
from processor.clock import Clock, SystemClock
from processor.compare.away import note_span
from processor.compare.order import Order
from processor.compare.rows import kept
from processor.compare.scaled_clock import ScaledClock
from processor.errors import ProcessorError
from processor.items import Usage
from processor.ledger import database, shards
from processor.ledger.database import LEDGER_NAME
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.report import EXIT_AT_PROVIDER, EXIT_ITEMS_FAILED, EXIT_OK, Report
from processor.run import Run
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.toml import load_task

_GOES_ON = (EXIT_OK, EXIT_ITEMS_FAILED)
_STDIN = 0
_SOME = Usage(prompt_tokens=1, completion_tokens=1)


def main() -> int:
    """Run the trial that standard input orders; returns the exit code of its run."""
    line = sys.stdin.buffer.readline()
    try:
        return run_in_loop(_Trial(Order.of(line)).execute())
    except ProcessorError as error:
        print(error, file=sys.stderr)
        return error.exit_code


class _Trial:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._folder = Path(order.folder)
        self._settings = Settings.of(order.settings)
        self._task = load_task(
            order.task,
            model=self._settings.model,
            max_output_tokens=self._settings.max_output_tokens,
        )
        self._clock: Clock = ScaledClock(order.scale) if order.scale != 1 else SystemClock()
        self._run: Run | None = None
        self._leaving = False

    async def execute(self) -> int:
        """All that the trial is ordered to do, in as many starts of its run as that takes."""
        loop = asyncio.get_running_loop()
        _call_at_end_of_input(lambda: loop.call_soon_threadsafe(self._leave))
        await _warm_up(self._settings, self._task)
        with open_logs(self._settings.logs, content=False) as (log, _):
            while True:
                report = await self._start(log)
                if not self._has_more(report):
                    break
        if self._settings.route == "batch" and self._was_away(report):
            await note_span(self._folder, self._settings)
        return report.exit_code

    async def _start(self, log: Observer) -> Report:
        self._run = Run(
            folder=self._folder,
            task=self._task,
            source=kept(Path(self._order.rows), self._order.items),
            settings=self._settings,
            observers=[log],
            # Another trial's batches hold the very same requests.
            batch=BatchTerms(until=self._until(), adopts=False),
            clock=self._clock,
        )
        if self._leaving:
            self._run.drain()
        return await self._run.execute()

    def _until(self) -> Until:
        if not self._order.leaves:
            return Until.SETTLED
        if not (self._folder / LEDGER_NAME).exists():
            return Until.SUBMITTED
        with database.reading(self._folder / LEDGER_NAME) as connection:
            return Until.FETCHED if shards.live(connection) else Until.SUBMITTED

    def _has_more(self, report: Report) -> bool:
        if self._leaving or self._order.leaves or not self._order.in_turn:
            return False
        return report.exit_code in _GOES_ON and report.snapshot.finished < self._order.items

    def _was_away(self, report: Report) -> bool:
        """Whether its batches have ended while nobody looked, in time that tells something."""
        if self._order.scale != 1 or report.snapshot.finished < self._order.items:
            return False
        with database.reading(self._folder / LEDGER_NAME) as connection:
            (left,) = connection.execute(
                "SELECT COUNT(*) FROM sessions WHERE exit_code = ?", (EXIT_AT_PROVIDER,)
            ).fetchone()
        return bool(left)

    def _leave(self) -> None:
        self._leaving = True
        if self._run is not None:
            self._run.drain()


async def _warm_up(settings: Settings, task: PromptTask) -> None:
    """Load what is loaded once a process: no way to send is to blame for it."""
    spending.prices_of(settings).cost_usd(task.model, None, "direct", _SOME)
    if settings.route == "batch":
        async with remote_of(settings):
            pass


def _call_at_end_of_input(ended: Callable[[], object]) -> None:
    def read() -> None:
        while os.read(_STDIN, 1):
            pass
        ended()

    threading.Thread(target=read, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
