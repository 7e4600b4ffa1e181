"""What there are several of: errors by cause, batches, orders, what to do next."""

from collections.abc import Sequence

from rich.text import Text

from processor.console.monitor.lines import Part, folded, row
from processor.console.monitor.section import Section, growing
from processor.console.words import clock, duration
from processor.ledger.control import Asked
from processor.ledger.shards import DONE
from processor.watch.faults import Fault
from processor.watch.look import Held, Look

_BAD, _MIND, _FAINT = "red", "yellow", "dim"
_WIDE_CELLS, _ID_CELLS = 100, 18
_BRIEF_LINES, _WHOLE_LINES = 1, 3
_STATUS_STYLES = {
    "completed": "green",
    "failed": _BAD,
    "expired": _MIND,
    "cancelled": _MIND,
    "cancelling": _MIND,
}


def faults(rank: int, found: Sequence[Fault], width: int) -> Section:
    """Errors by cause: as many as there is room for with an example, the others in a line."""
    brief = growing(rank, [_brief(fault, place, width) for place, fault in enumerate(found)], width)

    def draw(lines: int) -> list[Text]:
        whole = max(0, lines - len(found)) // (_WHOLE_LINES - _BRIEF_LINES)
        if not whole:
            return brief.draw(lines)
        drawn = [_whole(fault, place, width) for place, fault in enumerate(found[:whole])]
        rest = [_brief(fault, place, width) for place, fault in enumerate(found)][whole:]
        return [*(line for fault in drawn for line in fault), *rest]

    return Section(rank, min(1, len(found)), _WHOLE_LINES * len(found), draw)


def batches(rank: int, look: Look, width: int, now_s: float) -> Section:
    """Those that are open, then the others."""
    lines = [_batch(held, place, width, now_s) for place, held in enumerate(look.batches)]
    return growing(rank, lines, width)


def orders(rank: int, look: Look, width: int) -> Section:
    """What people asked of the run, the latest first."""
    lines = []
    for place, order in enumerate(look.orders):
        answer, style = _answer(order)
        parts = [
            Part(clock(order.at), _FAINT, 2),
            Part(order.words, "bold", 0),
            Part(f"by {order.by}" if order.by else "", _FAINT, 3),
            Part(answer, style, 1),
        ]
        lines.append(row("orders" if not place else "", parts, width))
    return growing(rank, lines, width)


def stop(look: Look, width: int) -> list[Text]:
    """What ended the latest start early; nothing where nothing did."""
    session = look.shot.session
    if session is None or session.stop_code is None:
        return []
    return folded("stopped", f"{session.stop_code}: {session.stop_message}", width, style=_BAD)


def next_steps(look: Look, width: int) -> list[Text]:
    """What to do now, whole: these are typed."""
    return [line for step in look.next_steps for line in folded("next", step, width)]


def _brief(fault: Fault, place: int, width: int) -> Text:
    parts = [Part(f"{fault.code} {fault.count:,}", _BAD, 0), Part(f"→ {fault.remedy}")]
    return row(_label(place), parts, width)


def _whole(fault: Fault, place: int, width: int) -> list[Text]:
    head = [Part(f"{fault.code} {fault.count:,}", _BAD, 0), Part(fault.means)]
    example = "" if fault.example_id is None else f"{fault.example_id}: {fault.example_message}"
    lines = [row(_label(place), head, width)]
    if example:
        lines.append(row("", [Part(example, _FAINT)], width))
    return [*lines, row("", [Part(f"→ {fault.remedy}")], width)]


def _label(place: int) -> str:
    return "" if place else "errors"


def _batch(held: Held, place: int, width: int, now_s: float) -> Text:
    batch, shard = held.batch, held.shard
    done = (batch.completed or 0) + (batch.failed or 0)
    began_s = batch.seen_at if batch.created_at is None else batch.created_at
    age_s = None if shard.state in DONE else max(0.0, now_s - began_s)
    parts = [
        Part(batch.id if width >= _WIDE_CELLS else _short(batch.id), rank=1),
        Part(batch.status, _STATUS_STYLES.get(batch.status, ""), 0),
        Part(f"{done:,}/{batch.total:,}" if batch.total else f"{shard.items:,} items", rank=2),
        Part(f"{batch.failed:,} failed" if batch.failed else "", _BAD, 4),
        Part("" if age_s is None else f"for {duration(age_s)}", rank=3),
        Part(f"shard {shard.number} {shard.state}", _FAINT, 5),
        Part(batch.problem or shard.problem or "", _BAD, 6),
    ]
    return row("" if place else "batches", parts, width)


def _short(name: str) -> str:
    """Providers number batches at their ends."""
    half = _ID_CELLS // 2
    return name if len(name) <= _ID_CELLS else f"{name[:half]}…{name[-half + 1 :]}"


def _answer(order: Asked) -> tuple[str, str]:
    """What became of an order, and its style."""
    if order.taken_at is None:
        return "waits to be read", _MIND
    return f"{'✓' if order.accepted else '✗'} {order.answer or ''}", "" if order.accepted else _BAD
