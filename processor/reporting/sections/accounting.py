"""Accounting: every item is somewhere, and all places add up."""

from processor.reporting import figures
from processor.reporting.document import Line, Pairs, Prose, Section
from processor.reporting.gathering import Findings


def section(found: Findings) -> Section:
    """Always there."""
    shot = found.shot
    adds_up = shot.succeeded + shot.failed + shot.pending == shot.total
    line: Line = (
        figures.count("succeeded", shot.succeeded),
        " succeeded + ",
        figures.count("failed", shot.failed),
        " failed + ",
        figures.count("pending", shot.pending),
        " pending ",
        "= " if adds_up else "≠ ",
        figures.count("total", shot.total),
        " items",
    )
    pairs: list[tuple[str, Line]] = [("items", line)]
    by_lane: Line = ()
    for name, lane in shot.lanes.items():
        done = figures.count(f"lanes.{name}.finished", lane.succeeded + lane.failed)
        by_lane = (*by_lane, " + " if by_lane else "", done, f" {name}")
    pairs.append(("lanes", (*by_lane, " = ", figures.count("finished", shot.finished))))
    if shot.errors:
        by_cause = sum(shot.errors.values())
        pairs.append(
            ("causes", (f"{by_cause:,} by cause = ", figures.count("failed", shot.failed)))
        )
    chunks = (
        figures.count("chunks_complete", shot.chunks_complete),
        " of ",
        figures.count("chunks", shot.chunks),
        " chunks complete, each with its file",
    )
    pairs.append(("files", chunks))
    if shot.skipped:
        skipped = figures.count("skipped", shot.skipped)
        pairs.append(("left out", (skipped, " rows of the input were no items and were left out")))
    if shot.overall.requests_lost:
        lost = figures.count("overall.requests_lost", shot.overall.requests_lost)
        pairs.append(("cut off", (lost, " requests were under way when a start was killed")))
    told = (
        "Each row of the input is one item, and each item has one outcome or is pending. These are "
        "the ledger's counts at the moment of the report; each was written in the same transaction "
        "as what it counts."
    )
    return Section("accounting", "Accounting", [Prose((told,)), Pairs(pairs)])
