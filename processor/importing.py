"""The import of a run: rows of its source that are new, changed or gone since the last start."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from processor.data.interruptible import Interruptible, cancel
from processor.data.source import Source
from processor.errors import SourceAwayError, TaskError, UsageError
from processor.exports import chunk_files
from processor.items import Item
from processor.ledger import allowance, repeats
from processor.ledger.intake import Intake, IntakeRules
from processor.ledger.ledger import Ledger
from processor.ledger.only import Only
from processor.notice import Notice
from processor.patience import patience
from processor.settings import Settings
from processor.tasks.task import Task

_TOLD_EVERY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import needs to know.

    Attributes:
        source: The rows; None for a start that takes in none.
        task: What is asked of each.
        settings: Sizes and limits.
        update: Ask again for rows that changed since they were answered.
        problem_with: Tells what makes a row unfit to be asked; None for one that is fit.
        accept: Refuses rows that have no place to go, by raising; nothing is imported then.
        tell: Takes what happened.
    """

    source: Source | None
    task: Task
    settings: Settings
    update: bool
    problem_with: Callable[[Mapping[str, Any]], str | None]
    accept: Callable[[sqlite3.Connection], None]
    tell: Callable[[Notice], None]
    _leaving: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self, ledger: Ledger) -> tuple[Intake | None, int | None]:
        """Import what is new; from the beginning again if the source goes away meanwhile.

        Returns:
            What was imported, None when nothing can be; how many items this start may finish,
            None for all.

        Raises:
            ProcessorError: Bad input, a source that does not come back, a failing disk.
        """
        patient = patience(give_up_s=self.settings.give_up_s, wait=self._wait, away=self._tell_away)
        return await patient(asyncio.to_thread, self._take_in, ledger)

    def leave(self) -> None:
        """End the reading; nothing is imported then."""
        self._leaving.set()
        if self.source is not None:
            cancel(self.source)

    def _take_in(self, ledger: Ledger) -> tuple[Intake | None, int | None]:
        if self.source is None:
            self.accept(ledger.connection)
            return None, allowance.rest(ledger, self.settings.limit)
        rules = self._rules(ledger)
        allowed, pending = allowance.grant(ledger, self.settings.limit), ledger.counts().pending
        enough = allowed is not None and pending >= allowed
        if not self.update and (enough or ledger.knows(self.source, rules)):
            self.accept(ledger.connection)
            return None, allowed
        limit = None if allowed is None else max(0, allowed - pending)
        self._tell("reading", source=self.source.name)
        watched = Interruptible(self.source, self._leaving.is_set, self._progress())
        intake = ledger.take_in(watched, replace(rules, limit=limit))
        self._tell("import", rows_read=intake.rows_read, added=intake.added, skipped=intake.skipped)
        self._tell_changes(intake)
        return intake, allowed

    def _rules(self, ledger: Ledger) -> IntakeRules:
        """How rows become items.

        Raises:
            UsageError: The run has items that do not go with these settings.
        """
        only = Only(self.settings.only)
        with ledger.guard():
            repeat = repeats.of_run(ledger.connection, self.settings.repeat)
        if only:
            self._refuse_others(ledger, only)

        def outdated(numbers: Sequence[int]) -> None:
            chunk_files.remove(ledger.folder, numbers)

        return IntakeRules(
            id_field=self.task.id_field,
            required=self.task.required_fields(),
            named=self._named(),
            chunk_size=self.settings.chunk_size,
            only=only,
            repeat=repeat,
            skip_invalid=self.settings.skip_invalid,
            problem_with=self.problem_with,
            differs=self._differs,
            update=self.update,
            outdated=outdated,
            accept=self.accept,
        )

    def _named(self) -> Sequence[str]:
        """Columns that must be there, and may be empty."""
        urgent = self.settings.urgent_field
        return [*self.task.named_fields(), *([] if urgent is None else [urgent])]

    def _refuse_others(self, ledger: Ledger, only: Only) -> None:
        """See that nothing is sent that is not meant: all that waits in a run is."""
        for pending in ledger.pending():
            item = pending.item
            if not only.takes(repeats.row_of(item.fields, self.task.id_field)):
                raise UsageError(
                    f"the row with id {item.id} waits in this run, and --only does not mean it",
                    way_out="Leave --only out, or begin another run with --out FOLDER.",
                )

    def _differs(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        """Whether a row that changed asks for something else: a column may be nobody's business."""
        return bool(self._asked(before) != self._asked(now))

    def _asked(self, fields: Mapping[str, Any]) -> Any:
        try:
            return self.task.render(Item(seq=0, chunk=0, id=0, fields=fields)).body
        except TaskError:
            return None

    def _progress(self) -> Callable[[int], None]:
        """Tells how many rows were read, every few seconds."""
        told_s = time.monotonic()

        def progress(rows: int) -> None:
            nonlocal told_s
            now_s = time.monotonic()
            if now_s - told_s >= _TOLD_EVERY_S:
                told_s = now_s
                self._tell("rows_read", rows=rows)

        return progress

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), seconds)

    def _tell_away(self, error: SourceAwayError, wait_s: float) -> None:
        self.tell(
            Notice(
                event="source_away", serious=True, facts={"message": str(error), "wait_s": wait_s}
            )
        )

    def _tell_changes(self, intake: Intake) -> None:
        changes = intake.changes
        if changes.changed:
            self._tell(
                "rows_changed",
                rows=changes.changed,
                redone=changes.redone,
                ids=list(changes.changed_ids),
            )
        if changes.gone:
            self._tell("rows_gone", rows=changes.gone, ids=list(changes.gone_ids))
        if changes.taken:
            facts = {"rows": changes.taken, "ids": list(changes.taken_ids)}
            self.tell(Notice(event="ids_taken", serious=True, facts=facts))

    def _tell(self, event: str, **facts: object) -> None:
        self.tell(Notice(event=event, facts=facts))
