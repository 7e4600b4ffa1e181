"""A report, put together of its sections. Pure."""

from processor.reporting import timeline
from processor.reporting.document import Document, Line, Section
from processor.reporting.gathering import Findings
from processor.reporting.sections import (
    accounting,
    checks,
    conditions,
    course,
    differing,
    examples,
    faults,
    money,
    summary,
    waiting,
)

_SECTIONS = (
    *(course, money, waiting, faults, differing),
    *(checks, examples, conditions, accounting),
)


def compose(found: Findings) -> Document:
    """The document of what was found."""
    state, tone = summary.state(found)
    sections: list[Section] = []
    for each in _SECTIONS:
        section = each.section(found)
        if section is not None:
            sections.append(section)
    return Document(
        kicker="Report of a run",
        title=found.shot.task or "A run",
        state=state,
        tone=tone,
        about=_about(found),
        head=list(summary.head(found)),
        sections=sections,
        foot=_foot(found),
    )


def _about(found: Findings) -> Line:
    shot = found.shot
    when = ""
    if shot.started_at is not None:
        when = f" · begun {timeline.clock(shot.started_at, dated=True)}"
        if shot.finished_at is not None:
            when += f", ended {timeline.clock(shot.finished_at, dated=True)}"
    name = f" · {shot.folder.resolve().name}" if found.content else ""
    return (f"{shot.model} · {shot.provider}{name}{when}",)


def _foot(found: Findings) -> Line:
    made = found.made
    left_out = "" if found.content else " Rows, answers and messages are left out."
    return (
        (
            f"Made {timeline.clock(made.at, dated=True)} by processor {made.version} from the "
            f"run's ledger; times are of {timeline.zone(made.at)}.{left_out}"
        ),
    )
