"""How far two sequences of labels agree: accuracy, Cohen's kappa, the confusion matrix."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from processor.quality.figure import Z_95, Figure, share, too_few

Met = tuple[str | None, str | None]
"""An item's label in the first and in the second; None where it has none."""

LEAST_PAIRS = 10
"""Below this Cohen's kappa is not told: its interval would span nearly all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often each label of the first met each of the second.

    Attributes:
        labels: In the order of the rows, which is that of the columns.
        names: Of the labels, for people; the label itself where it has none.
        counts: A row for each label of the first, in it a column for each of the second.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


NO_CONFUSION = Confusion(labels=(), names=(), counts=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two labellings of the same items.

    Attributes:
        pairs: Items that have a label in both; all figures rest on them.
        only_first: Items that have one in the first only.
        only_second: Items that have one in the second only.
        neither: Items that have none.
        accuracy: Share of pairs that are equal, with Wilson's interval.
        kappa: Cohen's, with the asymptotic interval of Fleiss, Cohen and Everitt (1969). Where
            all pairs are equal that would have no width: then it reaches down to what Wilson's
            interval of the accuracy gives.
        confusion: What met what.
        by_label: Where an item may have several labels: the agreement on each, given or not.
    """

    pairs: int
    only_first: int
    only_second: int
    neither: int
    accuracy: Figure
    kappa: Figure
    confusion: Confusion
    by_label: Mapping[str, "Agreement"] = field(default_factory=dict)


def compare(
    first: Sequence[str | None],
    second: Sequence[str | None],
    names: Mapping[str, str] | None = None,
) -> Agreement:
    """Compare two labellings, item by item.

    Args:
        first: The labels that count as given, such as those of people; None where there is none.
        second: The labels to look at, of the same items in the same order.
        names: Label to name, in the order wanted; labels that it does not know follow, sorted.

    Raises:
        ValueError: The sequences are of different lengths.
    """
    return of_counts(Counter(zip(first, second, strict=True)), names)


def of_counts(counts: Mapping[Met, int], names: Mapping[str, str] | None = None) -> Agreement:
    """The same of items that were counted.

    Args:
        counts: How many items have the first label and the second one.
        names: As of `compare`.
    """
    only_first = sum(n for (one, other), n in counts.items() if one is not None and other is None)
    only_second = sum(n for (one, other), n in counts.items() if one is None and other is not None)
    confusion = _confusion(counts, names or {})
    pairs = sum(map(sum, confusion.counts))
    equal = sum(row[place] for place, row in enumerate(confusion.counts))
    return Agreement(
        pairs=pairs,
        only_first=only_first,
        only_second=only_second,
        neither=counts.get((None, None), 0),
        accuracy=share(equal, pairs),
        kappa=cohens_kappa(confusion.counts),
        confusion=confusion,
    )


def cohens_kappa(counts: Sequence[Sequence[int]]) -> Figure:
    """Agreement beyond chance, -1 to 1: 0 is what the labels' frequencies alone would give.

    Args:
        counts: A square confusion matrix.
    """
    n = sum(map(sum, counts))
    if n < LEAST_PAIRS:
        return too_few(n, LEAST_PAIRS, "pairs")
    cells = [[count / n for count in row] for row in counts]
    rows = [sum(row) for row in cells]
    columns = [sum(column) for column in zip(*cells, strict=True)]
    by_chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    equal = sum(row[place] for place, row in enumerate(counts))
    # Of counts, not of floats: what is everywhere the same must not hang on rounding.
    if n in {*map(sum, counts), *map(sum, zip(*counts, strict=True))}:
        return _of_one_label(n, is_equal=equal == n)
    value = (equal / n - by_chance) / (1 - by_chance)
    if equal == n:
        least = share(equal, n).low or 0.0
        return Figure(value=1.0, low=(least - by_chance) / (1 - by_chance), high=1.0, n=n)
    reach = Z_95 * _standard_error(cells, rows, columns, by_chance, n)
    return Figure(value=value, low=max(-1.0, value - reach), high=min(1.0, value + reach), n=n)


def _of_one_label(n: int, *, is_equal: bool) -> Figure:
    """Of labellings one of which never chose: whatever the other did, chance had done as well."""
    if is_equal:
        return Figure(value=None, n=n, note="both have the same one label everywhere")
    return Figure(value=0.0, n=n, note="one of both has the same label everywhere")


def _standard_error(
    cells: Sequence[Sequence[float]],
    rows: Sequence[float],
    columns: Sequence[float],
    by_chance: float,
    n: int,
) -> float:
    """Of Cohen's kappa, see Fleiss, Cohen and Everitt (1969), formula 13."""
    observed = sum(row[place] for place, row in enumerate(cells))
    beyond = 1 - by_chance
    apart = 1 - observed
    equal = sum(
        row[place] * (beyond - (rows[place] + columns[place]) * apart) ** 2
        for place, row in enumerate(cells)
    )
    unequal = apart**2 * sum(
        cell * (columns[here] + rows[there]) ** 2
        for here, row in enumerate(cells)
        for there, cell in enumerate(row)
        if here != there
    )
    shift = (observed * by_chance - 2 * by_chance + observed) ** 2
    return sqrt(max(0.0, equal + unequal - shift) / n) / beyond**2


def _confusion(counts: Mapping[Met, int], names: Mapping[str, str]) -> Confusion:
    met = {
        (one, other): n
        for (one, other), n in counts.items()
        if one is not None and other is not None
    }
    strays = {label for pair in met for label in pair} - names.keys()
    labels = (*names, *sorted(strays))
    return Confusion(
        labels=labels,
        names=tuple(names.get(label, label) for label in labels),
        counts=tuple(tuple(met.get((one, other), 0) for other in labels) for one in labels),
    )
