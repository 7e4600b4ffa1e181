"""Does batching pay, and from how many items on? Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import Literal

from processor.compare.arm import ONE_BY_ONE, Arm
from processor.compare.line import Line, Span, fitted, pays
from processor.compare.measured import Figures, Measured, Status

Quantity = Literal["time", "calls", "cost"]
QUANTITIES: tuple[Quantity, ...] = ("time", "calls", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An arm with one model: what it took, over all rounds.

    Attributes:
        points: Quantity to (items, what they took), for every finished trial; of an unknown cost
            none.
        rounds: The same, by round.
        lines: Quantity to its model; only of those that were measured at two sizes.
    """

    arm: Arm
    model: str
    points: Mapping[Quantity, Sequence[tuple[int, float]]]
    rounds: Mapping[int, Mapping[Quantity, Sequence[tuple[int, float]]]]
    lines: Mapping[Quantity, Line]

    def mean(self, quantity: Quantity, items: int) -> float | None:
        """What so many items took on the average; None if they were not measured."""
        found = [value for count, value in self.points.get(quantity, ()) if count == items]
        return fmean(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """Where one way takes less than another.

    Attributes:
        span: Numbers of items; None: for none up to `MOST_ITEMS`.
        since_least: The smallest `since` among all pairs of rounds; None with a single round.
        since_most: The largest; None, too, where a pair says that it never pays.
        pairs: How many pairs of rounds were compared; 0 with a single round.
        pairs_paying: In how many of these it pays at all.
    """

    way: str
    base: str
    quantity: Quantity
    span: Span | None
    since_least: int | None = None
    since_most: int | None = None
    pairs: int = 0
    pairs_paying: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Where batching would pay in time if a job took as long as is said."""

    why: str
    job_s: float
    base: str
    span: Span | None


def entries(found: Iterable[Measured]) -> list[Entry]:
    """The arms that have finished trials, in their order."""
    groups: dict[tuple[Arm, str], list[Measured]] = {}
    for each in found:
        if each.status is Status.DONE and each.figures is not None:
            groups.setdefault((each.trial.arm, each.trial.model), []).append(each)
    return [_entry(arm, model, trials) for (arm, model), trials in groups.items()]


def _entry(arm: Arm, model: str, trials: Sequence[Measured]) -> Entry:
    rounds = sorted({each.trial.round for each in trials})
    points = _points(trials)
    return Entry(
        arm=arm,
        model=model,
        points=points,
        rounds={
            number: _points([each for each in trials if each.trial.round == number])
            for number in rounds
        },
        lines=_lines(points),
    )


def _points(trials: Sequence[Measured]) -> dict[Quantity, list[tuple[int, float]]]:
    points: dict[Quantity, list[tuple[int, float]]] = {name: [] for name in QUANTITIES}
    for each in trials:
        assert each.figures is not None
        for name, value in _values(each.figures).items():
            if value is not None:
                points[name].append((each.trial.items, value))
    return points


def _values(figures: Figures) -> dict[Quantity, float | None]:
    return {
        "time": figures.wall_s,
        "calls": float(figures.calls),
        "cost": figures.cost_usd,
    }


def _lines(points: Mapping[Quantity, Sequence[tuple[int, float]]]) -> dict[Quantity, Line]:
    fits = {name: fitted(values) for name, values in points.items()}
    return {name: line for name, line in fits.items() if line is not None}


def payoff(way: Entry, base: Entry, quantity: Quantity) -> Payoff | None:
    """Where one way takes less than another; None if either was not measured at two sizes."""
    if quantity not in way.lines or quantity not in base.lines:
        return None
    spans = _by_pairs(way, base, quantity)
    sinces = [span.since for span in spans if span is not None]
    always = bool(sinces) and len(sinces) == len(spans)
    return Payoff(
        way=way.arm.name,
        base=base.arm.name,
        quantity=quantity,
        span=pays(way.lines[quantity], base.lines[quantity]),
        since_least=min(sinces, default=None),
        since_most=max(sinces) if always else None,
        pairs=len(spans),
        pairs_paying=len(sinces),
    )


def _by_pairs(way: Entry, base: Entry, quantity: Quantity) -> list[Span | None]:
    """What each round of one says against each of the other; nothing of single rounds."""
    of_way, of_base = (
        [line for points in each.rounds.values() if (line := fitted(points[quantity]))]
        for each in (way, base)
    )
    if len(of_way) < 2 or len(of_base) < 2:
        return []
    return [pays(one, other) for one, other in product(of_way, of_base)]


def batch_ways(found: Sequence[Entry]) -> list[Entry]:
    """The ways whose payoff is asked for: jobs at once, with the first model."""
    return [each for each in _first_model(found) if each.arm.kind == "batch"]


def leading(found: Sequence[Entry]) -> Entry | None:
    """The way that the verdict is about: the largest jobs, as a run makes them unasked."""
    ways = [each for each in batch_ways(found) if "time" in each.lines]
    return max(ways, key=lambda each: each.arm.size, default=None)


def bases(found: Sequence[Entry]) -> list[Entry]:
    """What they are compared with: one by one, and the direct way that was quickest."""
    first = _first_model(found)
    direct = [each for each in first if each.arm.kind == "direct" and "time" in each.lines]
    quickest = sorted(direct, key=lambda each: _last(each.points["time"]))[:1]
    return [*(each for each in first if each.arm.kind == ONE_BY_ONE), *quickest]


def payoffs(found: Sequence[Entry]) -> list[Payoff]:
    """Every batch way against each of the bases, in time, calls and cost."""
    return [
        each
        for way, base, quantity in product(batch_ways(found), bases(found), QUANTITIES)
        if (each := payoff(way, base, quantity)) is not None
    ]


def what_if(found: Sequence[Entry], jobs: Iterable[tuple[str, float]]) -> list[WhatIf]:
    """How the time that a job takes decides, for the leading way and each of the bases."""
    way = leading(found)
    if way is None:
        return []
    line = way.lines["time"]
    return [
        WhatIf(
            why=why,
            job_s=job_s,
            base=base.arm.name,
            span=pays(replace(line, fixed=job_s), base.lines["time"]),
        )
        for why, job_s in jobs
        for base in bases(found)
        if "time" in base.lines
    ]


def _first_model(found: Sequence[Entry]) -> list[Entry]:
    return [each for each in found if each.model == found[0].model]


def _last(points: Sequence[tuple[int, float]]) -> float:
    """The mean time of the most items."""
    most = max(items for items, _ in points)
    return fmean(value for items, value in points if items == most)
