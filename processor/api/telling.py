"""A run of which somebody is told who does not look at it."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from processor.console import notify_lines, streams
from processor.errors import LedgerError, ProcessorError
from processor.notice import Notice
from processor.notifying import post
from processor.notifying.message import Message
from processor.notifying.notifier import Notifier
from processor.observer import Observer
from processor.report import EXIT_INTERRUPTED, Report
from processor.settings import Settings


class Teller:
    """Tells of one run of a program; what became of that goes to those who watch it.

    Args:
        settings: What is in force.
        notifier: Of the run.
        watchers: Logs and screens.
        is_seen: Whether anybody sees what the watchers are told.
    """

    def __init__(
        self,
        settings: Settings,
        notifier: Notifier,
        watchers: Sequence[Observer],
        *,
        is_seen: bool,
    ) -> None:
        self._addressees = settings.addressees
        self._notifier = notifier
        self._watchers = watchers
        self._is_seen = is_seen

    def observers(self) -> list[Observer]:
        """Who else watches the run."""
        return self._notifier.observers(self._tell)

    async def told_of(self, work: Awaitable[Report]) -> Report:
        """How a run ended, when those who are to be told have been.

        A program knows when its run is refused, or when it ends it early: then nobody is told.

        Raises:
            ProcessorError: As the run.
        """
        try:
            report = await work
        except ProcessorError as error:
            await self._send(self._notifier.at_error(error, is_seen=True))
            raise
        finally:
            await asyncio.to_thread(self._notifier.close)
        if report.exit_code != EXIT_INTERRUPTED:
            await self._send(self._notifier.at_end(report.snapshot, report.exit_code))
        return report

    async def check(self) -> None:
        """See whether somebody could be told.

        Raises:
            UsageError: The extra is not installed, or an address is none.
        """
        await asyncio.to_thread(post.check, self._addressees)

    async def _send(self, word: Message | None) -> None:
        if word is not None:
            deliveries = await self._notifier.post(word).execute()
            self._notifier.tell_of(word, deliveries, self._tell)

    def _tell(self, notice: Notice) -> None:
        for watcher in self._watchers:
            with suppress(LedgerError):  # a log on a full disk
                watcher.notice(notice)
        line = notify_lines.line(notice)
        if notice.serious and line is not None and not self._is_seen:
            streams.tell(line)
