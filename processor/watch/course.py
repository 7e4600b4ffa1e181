"""How a run that uses both lanes goes on: its latest decision, and when it will be done by that."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from processor import jsontext
from processor.codes import DEADLINE_CODE
from processor.ledger import database, decisions, lock
from processor.ledger.decisions import Kept
from processor.plan import told
from processor.plan.decide import Decision, View
from processor.plan.forecast import Forecast, forecast
from processor.plan.offer import Verdict
from processor.watch.snapshot import Snapshot

_DONE = (0, 2)  # exit codes of a start that has done its work


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A decision, with what was known.

    Attributes:
        at: Seconds since 1970.
    """

    at: float
    view: View
    decision: Decision

    @property
    def forecast(self) -> Forecast:
        """When it will be done."""
        return forecast(self.view, self.decision)


def course_of(shot: Snapshot) -> Course | None:
    """The latest decision of a run; None when it decides nothing, or for another deadline."""
    kept = shot.decided
    if kept is None or shot.session is None:
        return None
    course = _course(kept)
    is_current = shot.deadline_s is not None or shot.route.get("lane") == "hybrid"
    return course if is_current and course.view.deadline_s == shot.deadline_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How a run stands to its deadline.

    Attributes:
        deadline_s: Seconds since 1970.
        made: Whether it was made; None while nobody knows.
        done_s: When everything was done, or is expected to be; None where nothing tells.
        verdict: Whether it is expected to be made, of a run that goes on.
    """

    deadline_s: float
    made: bool | None = None
    done_s: float | None = None
    verdict: Verdict | None = None


def timing_of(shot: Snapshot) -> Timing | None:
    """How a run stands to its deadline; None without one."""
    deadline_s, session = shot.deadline_s, shot.session
    if deadline_s is None or session is None:
        return None
    if session.stop_code == DEADLINE_CODE:
        return Timing(deadline_s=deadline_s, made=False)
    is_done = session.stop_code is None and (session.exit_code in _DONE or not shot.pending)
    if is_done and shot.finished_at is not None:
        made = shot.finished_at <= deadline_s
        return Timing(deadline_s=deadline_s, made=made, done_s=shot.finished_at)
    course = course_of(shot)
    goes_on = session.exit_code is None and lock.is_held(shot.folder)  # it may have been killed
    if course is None or not goes_on:
        return Timing(deadline_s=deadline_s)
    expected = course.forecast
    done_s = expected.done_s if isfinite(expected.done_s) else None
    return Timing(deadline_s=deadline_s, done_s=done_s, verdict=expected.verdict)


def all_directly_usd(shot: Snapshot) -> float | None:
    """What a run would have cost without batches, about; None when that is not known.

    By the list prices that its route was chosen with.
    """
    demand = shot.route.get("demand") or {}
    direct_usd, batch_usd = demand.get("direct_usd"), demand.get("batch_usd")
    total_usd, by_batch_usd = shot.overall.cost_usd, shot.lanes["batch"].cost_usd
    if total_usd is None or by_batch_usd is None:
        return None
    if not by_batch_usd:
        return total_usd
    if not (direct_usd and batch_usd):
        return None
    return float(total_usd + by_batch_usd * (direct_usd / batch_usd - 1))


def latest_that_acts(folder: Path) -> Course | None:
    """The latest decision by which anything was sent or taken back; None before the first.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / database.LEDGER_NAME) as connection:
        kept = decisions.latest_that_acts(connection)
    return None if kept is None else _course(kept)


def _course(kept: Kept) -> Course:
    return Course(
        at=kept.at,
        view=told.view_of(jsontext.loads(kept.view)),
        decision=told.decision_of(jsontext.loads(kept.decision)),
    )
