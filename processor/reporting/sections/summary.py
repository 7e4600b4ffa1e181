"""What stands at the head of a report: the run in plain sentences and in its main figures."""

from collections.abc import Iterator

from processor.console.words import counted
from processor.reporting import figures
from processor.reporting.document import (
    Block,
    Card,
    Cards,
    Foreign,
    Line,
    Prose,
    Share,
    Shares,
    Tone,
)
from processor.reporting.gathering import Findings
from processor.watch.course import all_directly_usd
from processor.watch.snapshot import Snapshot
from processor.watch.targets import targets


def state(found: Findings) -> tuple[str, Tone]:
    """How the run stands, in a word or two."""
    shot = found.shot
    if found.seen.is_running:
        return str(found.seen.state), "calm"
    if not shot.total:
        return "no items", "doubt"
    if shot.pending:
        return str(found.seen.state), "doubt"
    return ("done, some items failed", "doubt") if shot.failed else ("done", "good")


def head(found: Findings) -> Iterator[Block]:
    """All of it."""
    shot = found.shot
    for line in _sentences(found):
        yield Prose(line, look="lead")
    if not shot.total:
        return
    yield Cards(list(_cards(shot)))
    yield from _targets(shot)
    yield Shares("What became of the items", list(_parts(shot)))


def _sentences(found: Findings) -> Iterator[Line]:
    shot = found.shot
    if not shot.total:
        yield ("This run has no items.",)
        return
    yield _outcome(found)
    if shot.finished:
        yield _effort(shot)
    stopped = None if shot.session is None else shot.session.stop_message
    if stopped and shot.pending and found.content:
        yield ("Its last start ended early: ", Foreign(stopped))


def _outcome(found: Findings) -> Line:
    shot = found.shot
    total, done = figures.count("total", shot.total), figures.count("succeeded", shot.succeeded)
    if not shot.finished:
        return ("None of the ", total, " items is finished yet.")
    if not shot.pending and not shot.failed:
        line: Line = ("All ", total, f" {_items(shot.total)} succeeded.")
    else:
        line = (done, " of ", total, f" {_items(shot.total)} succeeded (")
        line = (*line, figures.share("success_rate", shot.success_rate), " of those finished), ")
        line = (*line, figures.count("failed", shot.failed), " failed")
        if shot.pending:
            line = (*line, ", ", figures.count("pending", shot.pending), " are pending")
        line = (*line, ".")
    verified, doubted = (shot.checks.get(name, 0) for name in ("verified", "review"))
    if not verified and not doubted:
        return line
    line = (*line, " ", figures.count("checks.verified", verified), " results are verified")
    if doubted:
        line = (*line, ", ", figures.count("checks.review", doubted), " are to be looked over")
    return (*line, ".")


def _effort(shot: Snapshot) -> Line:
    line: Line = ("It took ", figures.seconds("elapsed_s", shot.elapsed_s), " of work and ")
    line = (*line, figures.count("overall.requests_sent", shot.overall.requests_sent))
    cost_usd = shot.overall.cost_usd
    line = (*line, " requests")
    if cost_usd is None:
        return (*line, ". What it cost is not known.")
    listed = " at list price; the sandbox charges nothing" if shot.provider == "sandbox" else ""
    line = (*line, ", for ", figures.usd("overall.cost_usd", cost_usd), listed)
    whole_usd = all_directly_usd(shot)
    if whole_usd is None or whole_usd <= cost_usd:
        return (*line, ".")
    saved = (whole_usd - cost_usd) / whole_usd
    return (*line, ": ", figures.share("saved", saved), " less than all directly.")


def _cards(shot: Snapshot) -> Iterator[Card]:
    yield Card(
        "succeeded",
        figures.share("success_rate", shot.success_rate),
        (figures.count("succeeded", shot.succeeded), " of ", counted(shot.finished, "item")),
    )
    yield Card(
        "a second",
        figures.per_s("throughput_per_s", shot.throughput_per_s),
        (figures.seconds("elapsed_s", shot.elapsed_s), " of work"),
    )
    latency = shot.latency_ms
    if latency.mean is not None:
        yield Card(
            "an answer takes",
            figures.milliseconds("latency_ms.p50", latency.p50),
            ("half of them; 95% within ", figures.milliseconds("latency_ms.p95", latency.p95)),
        )
    per_item = None
    if shot.overall.cost_usd is not None and shot.finished:
        per_item = shot.overall.cost_usd / shot.finished
    yield Card(
        "cost",
        figures.usd("overall.cost_usd", shot.overall.cost_usd),
        (figures.usd("cost_per_item_usd", per_item), " an item"),
    )


def _targets(shot: Snapshot) -> Iterator[Block]:
    """The three that users measure a run by."""
    found = targets(shot)
    if not found:
        return
    met = sum(one.met for one in found)
    so_far = " so far" if shot.pending else ""
    is_all = met == len(found)
    words = f"{'All targets' if is_all else f'{met} of {len(found)} targets'} are met{so_far}"
    cards = []
    for one in found:
        name = f"targets.{one.name}"
        written = figures.share if one.unit == "share" else figures.milliseconds
        tone: Tone = "good" if one.met else "bad"
        note = "met" if one.met else "missed"
        cards.append(Card(one.name, written(name, one.value), (note,), tone))
    yield Cards(cards, words)


def _parts(shot: Snapshot) -> Iterator[Share]:
    looks: dict[str, Tone] = {"verified": "good", "review": "doubt"}
    names = {"verified": "verified", "review": "to look over", "unchecked": "succeeded"}
    for check in ("verified", "unchecked", "review"):
        count = shot.checks.get(check, 0)
        if count:
            figure = figures.count(f"checks.{check}", count)
            yield Share(names[check], figure, count / shot.total, looks.get(check, "calm"))
    rest: tuple[tuple[str, int, Tone], ...] = (
        ("failed", shot.failed, "bad"),
        ("pending", shot.pending, "none"),
    )
    for name, count, tone in rest:
        if count:
            yield Share(name, figures.count(name, count), count / shot.total, tone)


def _items(count: int) -> str:
    return "item" if count == 1 else "items"
