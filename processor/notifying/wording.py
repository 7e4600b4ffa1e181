"""What is told of a run: a title, a few lines, and the figures for programs.

Nothing of rows and answers stands in it unless that is wanted: what a provider or a database said
may quote them, so that its cause stands there instead.
"""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from processor.codes import BUDGET_CODE, DEADLINE_CODE, cause_of
from processor.console import course_lines
from processor.console.words import at_provider, counted, duration, money, rate, share
from processor.errors import DeliveryError, InputError, ProcessorError, SourceAwayError
from processor.exports import stats
from processor.notifying.message import Message
from processor.occasion import Occasion, at_end
from processor.report import EXIT_ITEMS_FAILED
from processor.watch.course import timing_of
from processor.watch.snapshot import Snapshot

BUDGET_SHARE = 0.8  # from here on most of a budget is used
_PROGRAM = "processor"
_OURS = (BUDGET_CODE, DEADLINE_CODE)  # stops whose words are the program's own
_HOW = {
    Occasion.FAILED: "failed at ",
    Occasion.STOPPED: "stopped at ",
    Occasion.INTERRUPTED: "interrupted at ",
    Occasion.WAITING: "waits for the provider at ",
    Occasion.LATE: "will hardly be done in time, at ",
    Occasion.BUDGET: "has used most of its budget at ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run is.

    Attributes:
        folder: Its folder, absolute.
        host: The machine's name.
        content: Whether rows and answers may be told.
        typed_in: The directory that commands were typed in, and are to be again; None if it is
            not there any more.
    """

    folder: Path
    host: str
    content: bool
    typed_in: str | None = None

    @classmethod
    def of(cls, folder: Path, *, content: bool) -> "Place":
        """A folder on this machine."""
        try:
            typed_in = os.getcwd()  # noqa: PTH109 - told, not opened
            folder = folder.absolute()
        except FileNotFoundError:
            typed_in = None
        return cls(folder=folder, host=platform.node(), content=content, typed_in=typed_in)


def of_end(
    shot: Snapshot, place: Place, *, exit_code: int, steps: Sequence[str], now_s: float
) -> Message:
    """How a start of a run ended.

    Args:
        shot: Its figures.
        place: Where it is.
        exit_code: Of the process.
        steps: What to do now.
        now_s: Seconds since 1970.
    """
    occasion = at_end(exit_code)
    is_finished = exit_code == EXIT_ITEMS_FAILED
    lead = "" if is_finished else _HOW.get(occasion, "")
    if shot.session is not None and shot.session.stop_code is not None:
        lead = f"stopped ({shot.session.stop_code}) at "
    return _message(occasion, lead, shot, place, now_s=now_s, exit_code=exit_code, steps=steps)


def of_course(occasion: Occasion, shot: Snapshot, place: Place, *, now_s: float) -> Message:
    """How a run stands that goes on: it will be late, or its budget is nearly used."""
    return _message(occasion, _HOW[occasion], shot, place, now_s=now_s, exit_code=None, steps=())


def of_error(
    error: BaseException,
    shot: Snapshot | None,
    place: Place,
    *,
    exit_code: int,
    steps: Sequence[str],
    now_s: float,
) -> Message:
    """What ended a start otherwise than by an end of its own.

    Args:
        error: It.
        shot: The figures of the run; None where there are none, or they are another start's.
        place: Where it is.
        exit_code: Of the process.
        steps: What to do now.
        now_s: Seconds since 1970.
    """
    occasion = at_end(exit_code)
    problem = _plain(_problem(error, place))
    if shot is not None and shot.total:
        found = _message(
            occasion, _HOW[occasion], shot, place, now_s=now_s, exit_code=exit_code, steps=steps
        )
        return replace(
            found, body=f"{problem}\n{found.body}", facts={**found.facts, "problem": problem}
        )
    facts = _facts(occasion, place, exit_code=exit_code, steps=(), figures=None)
    ended = "was not run" if exit_code == ProcessorError.exit_code else occasion.value
    return Message(
        occasion=occasion,
        title=f"{_PROGRAM}: {_plain(place.folder.name)} {ended}",
        body=f"{problem}\n{_where(place)}",
        facts={**facts, "problem": problem},
    )


def _message(
    occasion: Occasion,
    lead: str,
    shot: Snapshot,
    place: Place,
    *,
    now_s: float,
    exit_code: int | None,
    steps: Sequence[str],
) -> Message:
    shot = shot if place.content else _without_words(shot)
    steps = [_plain(step) for step in steps]
    return Message(
        occasion=occasion,
        title=f"{_PROGRAM}: {_one_line(shot.task)} {lead}{_counts(shot)}",
        body="\n".join(_lines(shot, place, steps=steps, now_s=now_s)),
        facts=_facts(
            occasion, place, exit_code=exit_code, steps=steps, figures=stats.as_json(shot)
        ),
    )


def _facts(
    occasion: Occasion,
    place: Place,
    *,
    exit_code: int | None,
    steps: Sequence[str],
    figures: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "event": occasion.value,
        "exit_code": exit_code,
        "folder": _plain(str(place.folder)),
        "host": place.host,
        "typed_in": None if place.typed_in is None else _plain(place.typed_in),
        "next_steps": list(steps),
        "stats": figures,
    }


def _counts(shot: Snapshot) -> str:
    """`2,980 of 3,000 done, 20 failed`."""
    failed = f", {shot.failed:,} failed" if shot.failed else ""
    return f"{shot.succeeded:,} of {shot.total:,} done{failed}"


def _lines(shot: Snapshot, place: Place, *, steps: Sequence[str], now_s: float) -> Iterator[str]:
    yield _one_line(f"{shot.task} · {shot.model} · {shot.provider}")
    part = f" ({share(shot.success_rate)} of those finished)" if shot.finished else ""
    yield (
        f"{shot.succeeded:,} of {counted(shot.total, 'item')} succeeded{part}, "
        f"{shot.failed:,} failed, {shot.pending:,} pending"
    )
    if shot.session is not None and (stop := shot.session.stop_code) is not None:
        yield f"Stopped, {stop}: {shot.session.stop_message} {cause_of(stop).remedy}"
    for code, count in shot.errors.items():
        cause = cause_of(code)
        yield f"Error {code}, {count:,}: {cause.means} {cause.remedy}"
    yield f"Cost: {_cost(shot)}"
    yield f"Time: {duration(shot.elapsed_s)}, {rate(shot.throughput_per_s)}"
    if (timing := timing_of(shot)) is not None:
        yield f"Deadline: {course_lines.deadline(timing, shot, now_s)}"
    if shot.jobs.at_provider:
        yield f"Batches: {at_provider(shot.jobs, now_s)}"
    yield from (f"Next: {step}" for step in steps)
    if steps and place.typed_in is not None:
        yield f"Commands are typed in {_plain(place.typed_in)}"
    yield _where(place)


def _where(place: Place) -> str:
    return _plain(f"Folder: {place.folder} on {place.host}")


def _cost(shot: Snapshot) -> str:
    charged = " at list price; the sandbox charges nothing" if shot.provider == "sandbox" else ""
    paid = f"{money(shot.overall.cost_usd)}{charged}"
    budget_usd = shot.session.budget_usd if shot.session else None
    if budget_usd is None:
        return paid
    return f"{paid}; {money(shot.spent_usd)} of the budget of {money(budget_usd)} is used"


def _without_words(shot: Snapshot) -> Snapshot:
    """A snapshot in which a stop has no words of others than ours."""
    session = shot.session
    if session is None or session.stop_code in (None, *_OURS):
        return shot
    return replace(shot, session=replace(session, stop_message=cause_of(session.stop_code).means))


def _problem(error: BaseException, place: Place) -> str:
    """An error in words, without what may quote a row."""
    if not isinstance(error, ProcessorError):
        return f"The program ended by an error of its own ({type(error).__name__}); see its log."
    if place.content or isinstance(error, SourceAwayError):  # which was not even read
        return str(error)
    if isinstance(error, InputError):
        where = f"row {error.row}" if error.row is not None else "as a whole"
        return f"The input {error.source}, {where}, cannot be used; the log tells why."
    if isinstance(error, DeliveryError):
        return "An output does not take the results; the log tells why."
    return str(error)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    """A text that can be sent: the name of a folder need be none."""
    return text.encode(errors="replace").decode()
