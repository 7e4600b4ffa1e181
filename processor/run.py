"""A run: source into ledger, ledger through a lane, outcomes into files.

The only module that knows both the lanes and the ledger. Everything that happens is written to the
ledger first; observers, files and statistics follow.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from processor import due, fitness, identity, machine, routing, spending
from processor.clock import Clock, SystemClock
from processor.data.source import Source
from processor.delivery import Deliveries
from processor.errors import DeadlineError, LedgerError, ProcessorError, UsageError
from processor.exports import chunk_files, embeddings, reconciliation, stats, tables
from processor.exports.output import Output
from processor.identity import NO_CONSENT, Consent
from processor.importing import Import
from processor.ledger import allowance, cancellation, route as kept_route
from processor.ledger.database import LEDGER_NAME
from processor.ledger.intake import Intake
from processor.ledger.ledger import Ledger, discard_if_empty, discard_if_unsent, open_ledger
from processor.notice import Notice
from processor.observer import Observer
from processor.plan.prices import FLEX
from processor.plan.route import Lane
from processor.recipe import Recipe
from processor.report import FINISHED, Report, exit_code_for, exit_code_of
from processor.sending.errand import Errand
from processor.sending.lanes import Lanes
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.stop import Stop
from processor.tasks.task import Task
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_REVIEWED_KIND = "latex"
_BATCH_TERMS = BatchTerms()


class Run:
    """One start of a run.

    Args:
        folder: The run's folder; made when it is not there.
        task: What is asked.
        source: The rows; None when this start only goes on with those that are known.
        settings: What is in force.
        observers: Who watches.
        consent: What may have changed since the run began.
        outputs: Where results go besides the folder.
        batch: What this start wants of the batch lane.
        streamed: Somebody takes every outcome as it comes.
        recipe: What it takes to go on with the run by its folder alone; None when only whoever
            made the task can.
        clock: Time.
    """

    def __init__(  # noqa: PLR0913 - all that one start of a run is made of
        self,
        *,
        folder: Path,
        task: Task,
        source: Source | None,
        settings: Settings,
        observers: Sequence[Observer] = (),
        consent: Consent = NO_CONSENT,
        outputs: Sequence[Output] = (),
        batch: BatchTerms = _BATCH_TERMS,
        streamed: bool = False,
        recipe: Recipe | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._task = task
        self._settings = settings
        self._observers = observers
        self._consent = consent
        self._batch = batch
        self._streamed = streamed
        self._recipe = recipe
        self._clock = clock or SystemClock()
        self._sending: Lanes | None = None
        self._interrupted = False
        self._aborted = False
        self._cancelled = False
        self._allowed: int | None = None
        self._deadline_s: float | None = None
        self._cpu_before_s = machine.cpu_s()
        self._deliveries = Deliveries(
            outputs,
            folder / LEDGER_NAME,
            patience_s=settings.output_patience_s,
            tell=self._tell_of_output,
        )
        self._fitness = fitness.Fitness(settings, task)
        self._import = Import(
            source=source,
            task=task,
            settings=settings,
            update=consent.rows,
            problem_with=self._fitness.problem_with,
            accept=self._deliveries.check,
            tell=self._tell_notice,
        )

    def drain(self) -> None:
        """Start nothing new; what is in flight finishes and is recorded."""
        self._interrupted = True
        self._import.leave()
        self._deliveries.hurry()
        if self._sending is not None:
            self._sending.drain()

    def abort(self) -> None:
        """End the calls in flight as well and leave; their items stay pending."""
        self._interrupted = self._aborted = True
        self._import.leave()
        self._deliveries.leave()
        if self._sending is not None:
            self._sending.abort()

    async def execute(self) -> Report:
        """Import, send, record, export.

        Raises:
            ProcessorError: Bad input, a changed task, a held folder, a failing disk.
        """
        try:
            return await self._execute()
        except ProcessorError as error:
            event = "run_failed" if self._sending else "run_refused"
            self._tell(event, error=str(error), exit_code=error.exit_code)
            if isinstance(error, DeadlineError):
                discard_if_unsent(self._folder)
            elif not isinstance(error, LedgerError):  # a bad disk may not show all there is
                discard_if_empty(self._folder)
            raise
        except BaseException:  # of a program's own rows, or whoever ended it
            discard_if_empty(self._folder)
            raise

    async def _execute(self) -> Report:
        fitness.check(self._settings, self._task)
        if chunk_files.orphaned(self._folder):
            raise UsageError(
                f"{self._folder} holds results, but the ledger that knows them is gone",
                way_out="Put it back, or start afresh with --new, which renames the folder.",
            )
        await asyncio.to_thread(self._deliveries.reach)
        with open_ledger(self._folder) as ledger:
            begun_s = self._clock.monotonic()
            # First: nothing is written over what is left.
            reconciliation.refuse_loss(ledger.connection, snapshot.take(ledger.folder))
            await asyncio.to_thread(self._fitness.check, ledger)
            identity.keep(
                ledger,
                self._task,
                provider=self._settings.provider,
                accept_change=self._consent.task,
            )
            if self._recipe is not None:
                self._recipe.keep(ledger)
            lost = ledger.settle_calls()
            self._deadline_s = due.keep(ledger, self._settings.deadline, self._clock.time())
            session = ledger.start_session(self._session_facts())
            self._tell("run_started", run_id=ledger.meta()["run_id"], folder=str(self._folder))
            if lost:
                self._tell("calls_lost", calls=lost)
            try:
                intake, self._allowed = await self._import.run(ledger)
                ledger.add_seconds("import", self._clock.monotonic() - begun_s)
                self._mend_files(ledger)
                self._deliveries.start()
                await self._send(ledger, session)
                return await asyncio.to_thread(self._conclude, ledger, session, intake)
            except BaseException as error:
                self._deliveries.leave()
                with suppress(LedgerError):  # what went wrong first is what is told
                    if isinstance(error, DeadlineError):
                        due.close(ledger)
                    ledger.end_session(session, exit_code_of(error))
                raise

    def _session_facts(self) -> dict[str, object]:
        return {**self._settings.public(), "account": self._account}

    @property
    def _account(self) -> str:
        """What tells one account at a provider from another, and not more."""
        settings = self._settings
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        parts = (settings.provider, settings.organization or "", settings.project or "", key)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def _mend_files(self, ledger: Ledger) -> None:
        numbers = chunk_files.stale(ledger.connection, ledger.folder, thorough=False)
        chunk_files.write(ledger.connection, ledger.folder, numbers)
        if numbers:
            self._tell("chunks_mended", chunks=len(numbers))

    async def _send(self, ledger: Ledger, session: int) -> None:
        begun_s = self._clock.monotonic()
        self._cancelled = self._batch.heeds_cancel and cancellation.is_noted(ledger)
        if not self._has_work(ledger):
            return
        if not self._cancelled:
            cancellation.lift(ledger)
        choice = await routing.chosen(
            ledger,
            task=self._task,
            settings=self._settings,
            allowed=self._allowed,
            streamed=self._streamed,
            goes_on=self._import.source is None,
            due=self._due(),
            tell=self._tell_notice,
        )
        if self._interrupted:  # while the provider was asked what it has
            return
        self._tell("sending", pending=ledger.counts().pending, model=self._task.model)
        errand = Errand(
            folder=self._folder,
            task=self._task,
            settings=self._settings,
            prices=spending.prices_of(self._settings),
            clock=self._clock,
            account=self._account,
            most=self._allowed,
            observers=self._observers,
            delivered=self._deliveries.committed,
            cpu_before_s=self._cpu_before_s,
            tier=FLEX if choice.route.lane is Lane.FLEX else None,
        )
        self._sending = Lanes(
            errand,
            by_batch=choice.route.lane is Lane.BATCH,
            split=choice.split,
            hybrid=choice.hybrid,
            terms=self._batch,
            only_open=self._cancelled,
            moves=partial(self._moves, ledger, choice.route.lane),
            leave=self.drain,
        )
        await self._sending.run(ledger, session)
        ledger.add_seconds("send", self._clock.monotonic() - begun_s)

    def _due(self) -> routing.Due | None:
        at_s = self._deadline_s
        return None if at_s is None else routing.Due(at_s=at_s, left_s=at_s - self._clock.time())

    async def _moves(self, ledger: Ledger, lane: Lane, stop: Stop) -> bool:
        """Whether the rest goes by batch, as its calls ended."""
        return await routing.moves(
            ledger,
            settings=self._settings,
            streamed=self._streamed,
            goes_on=self._import.source is None,
            lane=lane,
            stop=stop,
            tell=self._tell_notice,
        )

    def _has_work(self, ledger: Ledger) -> bool:
        if self._interrupted:
            return False
        may_send = not (self._allowed == 0 or self._cancelled)
        return bool(ledger.live_shards()) or (may_send and ledger.counts().pending > 0)

    def _conclude(self, ledger: Ledger, session: int, intake: Intake | None) -> Report:
        """Export, compare, and end the session with the code that the process ends with."""
        files, found, handed = [], [], []
        if not self._aborted:  # otherwise nobody waits for a count of everything
            files = self._export(ledger)
            shot = snapshot.take(ledger.folder)
            found = reconciliation.differences(ledger.connection, ledger.folder, shot)
            handed = self._deliveries.finish()
        for difference in found:
            self._tell("not_reconciled", message=difference)
        shortfall = self._sending.shortfall(ledger) if self._sending else None
        stop = self._sending.stopped if self._sending else None
        if stop is not None and shortfall is not None:
            stop = replace(stop, message=str(shortfall))
        if stop is not None:
            self._tell("run_stopped", code=stop.code, message=stop.message)
        exit_code = exit_code_for(
            ledger.counts(),
            stop=stop,
            interrupted=self._interrupted or (self._cancelled and not ledger.live_shards()),
            at_provider=bool(ledger.live_shards()),
            differs=bool(found) or any(handover.problem for handover in handed),
            min_success=self._settings.min_success,
        )
        if exit_code in FINISHED:
            allowance.close(ledger)
            kept_route.close(ledger)
            due.close(ledger)
        ledger.end_session(session, exit_code, stop=(stop.code, stop.message) if stop else None)
        shot = snapshot.take(ledger.folder)
        statistics = stats.write(shot, reconciled=None if self._aborted else not found)
        self._tell("run_ended", exit_code=exit_code, **_outline(shot))
        return Report(
            snapshot=shot,
            exit_code=exit_code,
            intake=intake,
            stop=stop,
            shortfall=shortfall,
            files=[statistics, *files],
            differences=found,
            handovers=handed,
        )

    def _export(self, ledger: Ledger) -> list[Path]:
        begun_s = self._clock.monotonic()
        connection, folder = ledger.connection, ledger.folder
        self._tell("exporting")
        stale = chunk_files.stale(connection, folder, thorough=True)
        chunk_files.write(connection, folder, stale)
        files = tables.write_all(
            connection,
            folder,
            reviews=self._task.kind == _REVIEWED_KIND,
            bom=self._settings.bom,
            excel=self._settings.excel,
        )
        files += embeddings.write(connection, folder)
        ledger.add_seconds("export", self._clock.monotonic() - begun_s)
        return files

    def _tell(self, event: str, **facts: object) -> None:
        self._tell_notice(Notice(event=event, facts=facts))

    def _tell_of_output(self, notice: Notice) -> None:
        with suppress(LedgerError):  # a log that cannot be written: whoever writes it next tells
            self._tell_notice(notice)

    def _tell_notice(self, notice: Notice) -> None:
        for observer in self._observers:
            observer.notice(notice)


def _outline(shot: Snapshot) -> dict[str, int]:
    return {
        "total": shot.total,
        "succeeded": shot.succeeded,
        "failed": shot.failed,
        "pending": shot.pending,
    }
