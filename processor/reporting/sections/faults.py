"""Errors by cause: how many, what they mean, what to do, an example of each."""

from processor.reporting import figures
from processor.reporting.document import Cell, Code, Foreign, Line, Prose, Section, Table, cells
from processor.reporting.gathering import Findings
from processor.reporting.plain import cut
from processor.watch.faults import Fault

_MESSAGE_CHARACTERS = 240


def section(found: Findings) -> Section | None:
    """None where nothing failed."""
    shot = found.shot
    if not shot.errors:
        return None
    rows = []
    for fault in found.seen.faults:
        name = f"errors.{fault.code}"
        part = figures.share(f"{name}.share", fault.count / shot.finished)
        row = cells(Code(fault.code), figures.count(name, fault.count), part)
        row.append(Cell((fault.means, " ", *figures.coded(fault.remedy))))
        if found.content:
            row.append(Cell(_example(fault)))
        rows.append(row)
    heads = ["cause", "items", "of finished", "what it means, what to do"]
    return Section(
        "errors",
        "Errors",
        [
            Prose(_told(found)),
            Table(
                "Failed items by cause",
                [*heads, *(["for example"] if found.content else [])],
                rows,
                frozenset({1, 2}),
            ),
        ],
    )


def _told(found: Findings) -> Line:
    shot = found.shot
    failed = figures.count("failed", shot.failed)
    line: Line = (failed, " of ", figures.count("finished", shot.finished), " finished items, ")
    line = (*line, figures.share("error_rate", shot.error_rate), ", failed. On the way there were ")
    return (
        *line,
        figures.count("overall.retries", shot.overall.retries),
        " retries and ",
        figures.count("overall.rate_limited", shot.overall.rate_limited),
        " answers that asked for less speed (429); ",
        figures.count("overall.reasks", shot.overall.reasks),
        " answers were not valid and were asked for again.",
    )


def _example(fault: Fault) -> Line:
    if fault.example_id is None:
        return ()
    message = cut(fault.example_message or "", _MESSAGE_CHARACTERS)
    return (Foreign(fault.example_id), ": ", Foreign(message))
