"""What typing does: what is shown then, and what the run is asked for."""

from contextlib import suppress
from dataclasses import dataclass, replace

from processor.console.monitor.keys import Act, Mode, Name, act_of, place_of
from processor.errors import UsageError
from processor.ledger.control import Order, Verb
from processor.ledger.gauges import Gauges
from processor.watch.look import Look

_STEP_SHARE = 10
_VERBS = {Act.PAUSE: Verb.PAUSE, Act.RESUME: Verb.RESUME, Act.DRAIN: Verb.DRAIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is on the screen.

    Attributes:
        runs: How many there are.
        place: Of the run that is marked in the list, from 0.
        is_open: Whether that run is shown, rather than the list.
        helps: Whether the keys are explained.
        asks: Whether it waits for a yes to send failed items again.
    """

    runs: int
    place: int = 0
    is_open: bool = False
    helps: bool = False
    asks: bool = False

    @property
    def mode(self) -> Mode:
        """Which keys there are."""
        return "one" if self.is_open else "several"


def typed(shown: Shown, name: Name) -> tuple[Shown, Act | None]:
    """What is shown after a key, and what is to be done."""
    if shown.asks:
        return replace(shown, asks=False), Act.REQUEUE if name in ("y", "Y") else None
    act = act_of(name, shown.mode)
    if shown.helps and act is not Act.QUIT:
        return replace(shown, helps=False), None
    if act is Act.REQUEUE:
        return replace(shown, asks=True), None
    moved = _moved(shown, name, act)
    return (shown, act) if moved is None else (moved, None)


def _moved(shown: Shown, name: Name, act: Act | None) -> Shown | None:
    """What is shown after a key that asks nothing of the run; None for another key."""
    place = place_of(name)
    if not shown.is_open and place is not None and place < shown.runs:
        return replace(shown, place=place, is_open=True)
    match act:
        case Act.HELP:
            return replace(shown, helps=True)
        case Act.UP | Act.DOWN:
            step = -1 if act is Act.UP else 1
            return replace(shown, place=(shown.place + step) % shown.runs)
        case Act.OPEN:
            return replace(shown, is_open=True)
        case Act.BACK:
            return replace(shown, is_open=shown.runs == 1)
        case _:
            return None


def order_of(act: Act, look: Look) -> Order | None:
    """What to ask the run for; None when there is no ceiling to raise, or nothing to lower.

    Without a ceiling the window follows the provider: a first one can only be below that.
    """
    if act in _VERBS:
        return Order(verb=_VERBS[act])
    if act is Act.REQUEUE:
        return Order(verb=Verb.REQUEUE)
    now = look.shot.now
    if now is None:
        return None
    ceiling = _ceiling(look, now)
    if act is Act.FEWER:
        ceiling = ceiling or now.window
    if not ceiling:
        return None
    step = max(1, ceiling // _STEP_SHARE)
    most = ceiling + step if act is Act.MORE else ceiling - step
    return Order(verb=Verb.CONCURRENCY, most=max(1, most))


def _ceiling(look: Look, now: Gauges) -> int | None:
    """As it is, or will be by what was asked since the run told: keys are typed quicker."""
    for asked in look.orders:
        is_known = asked.taken_at is not None and asked.taken_at < now.at
        if asked.accepted is False or is_known:
            continue
        with suppress(UsageError):  # somebody wrote it by hand
            order = Order.parse(asked.words.split())
            if order.verb is Verb.CONCURRENCY:
                return order.most
    return now.concurrency
