"""The ledger's writer while lanes send, and what follows its commits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from processor import machine
from processor.errors import LedgerError
from processor.followup import FollowUp
from processor.ledger.commit import Commit
from processor.ledger.gauges import Gauges
from processor.ledger.ledger import Ledger
from processor.ledger.vitals import Vitals
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.sending.errand import Errand, Traffic
from processor.sending.orders import Orders

_PULSE_S = 1.0


class Recording:
    """Records what lanes hand over.

    Args:
        errand: What is sent.
        session: That the records belong to.
        traffic: Called at every commit.
        committed: Takes what became durable; called in the event loop.
        drain: Called in the event loop when a file or a log is refused, but the ledger is not:
            what is under way is paid for, and recorded.
        abort: Called in the event loop when the ledger is refused.
    """

    def __init__(
        self,
        errand: Errand,
        session: int,
        *,
        traffic: Callable[[], Traffic],
        committed: Callable[[Commit], None],
        drain: Callable[[], None],
        abort: Callable[[], None],
    ) -> None:
        self._errand = errand
        self._session = session
        self._traffic = traffic
        self._committed = committed
        self._drain = drain
        self._abort = abort
        self._failure: LedgerError | None = None
        self._bug: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._follow_up = FollowUp(
            errand.folder, errand.observers, clock=errand.clock, failed=self._unfollowed
        )

    def tell(self, notice: Notice) -> None:
        """Tell observers what concerns a lane."""
        self._follow_up.notice(notice)

    @asynccontextmanager
    async def writing(self, ledger: Ledger) -> AsyncIterator[Writer]:
        """The writer; when the context ends, all that it took is durable.

        Raises:
            LedgerError: A disk refuses.
        """
        with ledger.writing(
            session=self._session,
            price=self._errand.prices.cost_usd,
            vitals=self._vitals,
            on_commit=self._on_commit,
            on_failure=lambda _: self._call(self._abort),
        ) as writer:
            try:
                yield writer
                await asyncio.wrap_future(writer.flush())
                writer.sample()  # of the end
            finally:  # its last commits may wait for observers that need this loop
                await asyncio.to_thread(writer.close)

    @asynccontextmanager
    async def beating(
        self, writer: Writer, orders: Orders, gauge: Callable[[], Gauges]
    ) -> AsyncIterator[None]:
        """Look for orders, and keep how it is sent: before anything is, every second, and last.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        await orders.look()
        ended = asyncio.Event()
        pulse = asyncio.create_task(_beat(writer, orders, gauge, ended), name="pulse")
        pulse.add_done_callback(self._pulse_ended)
        try:
            yield
        finally:
            ended.set()  # not cancelled: what an order has done is told to all whom it concerns
            await asyncio.wait([pulse])
            writer.gauge(gauge())
        await orders.look()  # what was asked in the last second is not too late

    def _pulse_ended(self, pulse: "asyncio.Task[None]") -> None:
        """What broke it ends the run, too."""
        if not pulse.cancelled() and (error := pulse.exception()) is not None:
            if isinstance(error, LedgerError):
                self._unfollowed(error)
            else:
                self._bug = error
                self._abort()

    def check(self) -> None:
        """Raise what a file or a log refused.

        Raises:
            LedgerError: The disk did.
        """
        if self._bug is not None:
            raise self._bug
        if self._failure is not None:
            raise self._failure

    def _on_commit(self, commit: Commit, connection: sqlite3.Connection) -> None:
        self._loop.call_soon_threadsafe(self._committed, commit)
        self._errand.delivered()
        self._follow_up.committed(commit, connection)

    def _unfollowed(self, error: LedgerError) -> None:
        self._failure = self._failure or error
        self._call(self._drain)

    def _call(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _vitals(self) -> Vitals:
        traffic = self._traffic()
        return Vitals(
            cpu_s=machine.cpu_s() - self._errand.cpu_before_s,
            rss_mb=machine.rss_mb(),
            peak_rss_mb=machine.peak_rss_mb(),
            bytes_sent=traffic.sent,
            bytes_received=traffic.received,
        )


async def _beat(
    writer: Writer, orders: Orders, gauge: Callable[[], Gauges], ended: asyncio.Event
) -> None:
    while not ended.is_set():
        writer.gauge(gauge())
        with suppress(TimeoutError):  # people's seconds: the lanes' clock may be another
            await asyncio.wait_for(ended.wait(), _PULSE_S)
        if not ended.is_set():
            await orders.look()
