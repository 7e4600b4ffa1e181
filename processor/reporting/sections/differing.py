"""Patterns: where items fail, or are in doubt, more often than elsewhere."""

from collections.abc import Iterator

from processor.console.words import counted, share
from processor.reporting import figures
from processor.reporting.document import (
    Block,
    Cell,
    Figure,
    Foreign,
    Line,
    Part,
    Prose,
    Section,
    Table,
)
from processor.reporting.gathering import Findings
from processor.reporting.patterns import FALSE_SHARE, Pattern, Patterns
from processor.reporting.scan import is_repeated

_SHOWN_MOST = 12


def section(found: Findings) -> Section | None:
    """None where nothing failed and nothing is in doubt."""
    scan = found.scan
    if scan is None or not (found.shot.failed or found.shot.checks.get("review")):
        return None
    blocks: list[Block] = []
    if found.shot.failed:
        blocks += _blocks(
            scan.failures, "failures", "fail", "Where items fail more often than elsewhere"
        )
    if found.shot.checks.get("review"):
        blocks += _blocks(
            scan.reviews, "reviews", "are in doubt", "Where results are in doubt more often"
        )
    blocks.append(Prose(_method(found), look="note"))
    return Section("patterns", "Patterns", blocks)


def _blocks(found: Patterns, name: str, what: str, title: str) -> Iterator[Block]:
    if not found.found:
        yield Prose(
            (
                (
                    f"No value of a column, place, time, length, lane or model was found in which "
                    f"items {what} more often than chance explains "
                    f"({counted(found.looked_at, 'group')} looked at)."
                ),
            )
        )
        return
    shown = enumerate(found.found[:_SHOWN_MOST], 1)
    rows = [_row(one, f"patterns.{name}.{place}") for place, one in shown]
    heads = ["where", "items", "share", "95% interval", "elsewhere", "times"]
    yield Table(title, heads, rows, frozenset({1, 2, 3, 4, 5}))
    if len(found.found) > _SHOWN_MOST:
        left = len(found.found) - _SHOWN_MOST
        yield Prose((f"And {counted(left, 'group')} more, less surely.",), look="note")


def _row(one: Pattern, name: str) -> list[Cell]:
    times = "only here" if one.times is None else f"{one.times:,.1f}×"
    return [
        Cell(tuple(_where(one))),
        Cell((f"{one.cases:,} of {one.own.n:,}",)),
        Cell((share(one.own.value),), filled=one.own.value),
        Cell((figures.interval(one.own),)),
        Cell((share(one.others.value),)),
        Cell((Figure(name, one.times, times),)),
    ]


def _where(one: Pattern) -> Iterator[Part]:
    if one.kind == "column":
        yield from (Foreign(one.name), " = ", Foreign(one.value))
    elif one.kind == "place":
        yield one.value
    elif one.kind == "time":
        yield f"sent {one.value}"
    elif one.kind == "length":
        yield f"text of {one.value}"
    elif one.kind == "attempts":
        yield one.value
    else:
        yield from (f"{one.kind} ", Foreign(one.value))


def _method(found: Findings) -> Line:
    scan = found.scan
    assert scan is not None
    read = "all items" if scan.is_whole else f"{scan.items:,} of {scan.of_items:,} items"
    if found.run is not None and is_repeated(found.run):
        read += ", of each row the first"
    together = {one.kind for one in (*scan.failures.found, *scan.reviews.found)}
    caution = "What goes together need not be the cause."
    if "column" in together and together & {"place", "time"}:
        caution += (
            " Rows that stand together are sent together: where values follow the order of the "
            "input, a bad stretch of it or of time looks like a bad value."
        )
    return (
        (
            "Told are groups whose share is at least half as high again as that of all others, "
            f"chosen so that of all that is told at most {FALSE_SHARE:.0%} is expected to be "
            "chance (Fisher's exact test; Benjamini and Hochberg). Looked at: "
            f"{read}. {caution}"
        ),
    )
