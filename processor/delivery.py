"""Results on their way to the outputs of a run: beside it, and until they are all there.

An output may be away for a while. The run goes on meanwhile, and nothing is lost: what an output
was told of is in the ledger, so the rest waits there.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_exponential,
)

from processor.errors import DeliveryError, LedgerError, ProcessorError, UsageError
from processor.exports.output import Delivered, Output
from processor.notice import Notice

_GATHER_S = 1.0  # a transaction serves all results that came while one waited
_WAIT_FIRST_S, _WAIT_MOST_S = 1.0, 30.0
# After these an output that neither answers nor refuses is left alone: beyond the patience with
# it, and when everybody is told to hurry.
_LEAVE_S, _HURRY_S = 20.0, 3.0

Tell = Callable[[Notice], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What became of an output.

    Attributes:
        name: Of the output.
        delivered: What was done, over all deliveries of this start.
        problem: Why not all is there that should be; None when it is.
        waiting: Items with an outcome that it was not told of; the next start tells them.
    """

    name: str
    delivered: Delivered
    problem: str | None
    waiting: int


class Deliveries:
    """The outputs of one start of a run.

    Args:
        outputs: Where results go; closed at the end.
        ledger: The ledger's file.
        patience_s: How long an output that is away is waited for once the run is at its end.
        tell: Takes what happens; called in any thread.
    """

    def __init__(
        self, outputs: Sequence[Output], ledger: Path, *, patience_s: float, tell: Tell
    ) -> None:
        self._outputs = outputs
        self._couriers = [
            _Courier(output, ledger, patience_s=patience_s, tell=tell) for output in outputs
        ]

    def reach(self) -> None:
        """See that all can be written at all.

        Raises:
            UsageError: One cannot.
        """
        for output in self._outputs:
            output.reach()

    def check(self, connection: sqlite3.Connection) -> None:
        """See that the results of the ledger can go there.

        Raises:
            UsageError: They cannot.
        """
        for output in self._outputs:
            output.check(connection)

    def start(self) -> None:
        """Deliver beside the run from now on what arrives."""
        for courier in self._couriers:
            courier.start()

    def committed(self) -> None:
        """There are new results."""
        for courier in self._couriers:
            courier.wake()

    def hurry(self) -> None:
        """Wait no longer for outputs that are away."""
        for courier in self._couriers:
            courier.hurry()

    def leave(self) -> None:
        """End without anybody waiting; what is not there yet stays noted in the ledger."""
        for courier in self._couriers:
            courier.leave()

    def finish(self) -> list[Handover]:
        """Deliver all that is left, as far as that can be done.

        Raises:
            LedgerError: The ledger or the disk failed.
        """
        return [courier.finish() for courier in self._couriers]


class _Courier:
    """Brings results to one output, in a thread of its own."""

    def __init__(self, output: Output, ledger: Path, *, patience_s: float, tell: Tell) -> None:
        self._output = output
        self._ledger = ledger
        self._patience_s = patience_s
        self._tell = tell
        self._news = threading.Event()
        self._ending = threading.Event()
        self._hurried = threading.Event()
        self._over = threading.Event()
        self._left = False
        self._delivered = Delivered()
        self._problem: ProcessorError | None = None
        self._bug: BaseException | None = None
        self._is_away = False
        self._calls = 0
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        if self._output.live:
            self._news.set()  # what an earlier start left
            self._thread.start()

    def wake(self) -> None:
        if not self._news.is_set():
            self._news.set()

    def hurry(self) -> None:
        self._hurried.set()
        self._over.set()

    def leave(self) -> None:
        self._left = True
        self.hurry()
        self._end()

    def finish(self) -> Handover:
        self._end()
        if self._thread.ident is None:
            self._run()
        elif not self._joined():
            self._problem = DeliveryError(f"{self._output.name}: does not answer", passing=True)
        if self._bug is not None:
            raise self._bug
        if isinstance(self._problem, LedgerError):
            raise self._problem
        handover = Handover(
            name=self._output.name,
            delivered=self._delivered,
            problem=_problem(self._problem, self._delivered),
            waiting=self._output.waiting(self._ledger) if self._problem is not None else 0,
        )
        self._tell_end(handover)
        return handover

    def _end(self) -> None:
        self._ending.set()
        self._news.set()

    def _joined(self) -> bool:
        """Wait for the thread as long as it gets on; whether it has ended."""
        seen = -1
        while self._thread.is_alive() and seen != self._calls and not self._hurried.is_set():
            seen = self._calls
            self._over.wait(self._patience_s + _LEAVE_S)
        self._thread.join(_HURRY_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._output.live and not self._ending.is_set():
                self._news.wait()
                self._news.clear()
                self._deliver(self._while_running())
                if self._problem is not None:  # which waiting does not mend
                    self._ending.wait()
                self._ending.wait(_GATHER_S)
            self._deliver(self._at_the_end())
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the run's
            self._bug = error
        finally:
            self._output.close()
            self._over.set()

    def _deliver(self, retrying: Retrying) -> None:
        """Call by call, and again while it is away."""
        try:
            while not (self._left or self._deliver_some(retrying)):
                self._calls += 1
        except (DeliveryError, LedgerError, UsageError) as error:
            self._problem = error
        else:
            self._problem = None

    def _deliver_some(self, retrying: Retrying) -> bool:
        """What fits into one call; whether that is all."""
        delivered: Delivered = retrying(self._output.deliver, self._ledger)
        self._delivered += delivered
        for note in delivered.notes:
            facts = {"output": self._output.name, "message": note}
            self._tell(Notice(event="output_note", facts=facts))
        if self._is_away:
            self._is_away = False
            self._tell(Notice(event="output_back", facts={"output": self._output.name}))
        return delivered.is_all

    def _while_running(self) -> Retrying:
        return self._retrying(self._ending, stop=stop_when_event_set(self._ending))

    def _at_the_end(self) -> Retrying:
        patience = stop_after_delay(self._patience_s)
        return self._retrying(
            self._hurried, stop=stop_any(patience, stop_when_event_set(self._hurried))
        )

    def _retrying(
        self, wakes: threading.Event, *, stop: Callable[[RetryCallState], bool]
    ) -> Retrying:
        return Retrying(
            retry=retry_if_exception(_is_passing),
            wait=wait_exponential(multiplier=_WAIT_FIRST_S, max=_WAIT_MOST_S),
            sleep=sleep_using_event(wakes),
            stop=stop,
            before_sleep=self._tell_away,
            reraise=True,
        )

    def _tell_away(self, state: RetryCallState) -> None:
        if self._is_away:
            return
        self._is_away = True
        error = state.outcome.exception() if state.outcome is not None else None
        self._tell(Notice(event="output_away", serious=True, facts={"message": str(error)}))

    def _tell_end(self, handover: Handover) -> None:
        facts = {"output": handover.name, **_figures(handover.delivered)}
        if handover.problem is None:
            self._tell(Notice(event="delivered", facts=facts))
        else:
            facts["message"] = handover.problem
            self._tell(Notice(event="not_delivered", serious=True, facts=facts))


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, DeliveryError) and error.passing


def _problem(error: ProcessorError | None, delivered: Delivered) -> str | None:
    if error is not None:
        return str(error)
    if not delivered.refused_rows:
        return None
    more = ", …" if delivered.refused_rows > len(delivered.refused) else ""
    return f"{delivered.refused_rows:,} rows were refused: {'; '.join(delivered.refused)}{more}"


def _figures(delivered: Delivered) -> dict[str, object]:
    return {
        "inserted": delivered.inserted,
        "updated": delivered.updated,
        "unchanged": delivered.unchanged,
        "missing": delivered.missing,
        "refused": delivered.refused_rows,
    }
