"""How far two labellings agree, also where an item may have several labels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from processor.quality import agreement
from processor.quality.agreement import Agreement, Met
from processor.quality.figure import Figure
from processor.quality.labels import keys_of

_YES, _NO = "yes", "no"


def of_results(counts: Mapping[Met, int], names: Mapping[str, str], *, several: bool) -> Agreement:
    """The agreement of results that were counted.

    Args:
        counts: How many items have the first result and the second one.
        names: Label to name, of all labels.
        several: Results are sets of labels.
    """
    return of_sets(counts, names) if several else agreement.of_counts(counts, names)


def of_sets(counts: Mapping[Met, int], names: Mapping[str, str]) -> Agreement:
    """The agreement on each label, given or not; `accuracy` is the share of equal sets.

    Args:
        counts: How many items have the first set of labels and the second one, as results.
        names: Label to name, of all labels.
    """
    whole = agreement.of_counts(_equal_or_not(counts))
    none = Figure(value=None, n=whole.pairs, note="several labels: see that of each label")
    return replace(
        whole,
        kappa=none,
        confusion=agreement.NO_CONFUSION,
        by_label={label: _on_label(label, counts) for label in names},
    )


def _equal_or_not(counts: Mapping[Met, int]) -> Mapping[Met, int]:
    """With one label that is equal, or not; sets are too many for a matrix of them."""
    found = Counter[Met]()
    for (one, other), n in counts.items():
        second = None if other is None else (_YES if one in {None, other} else _NO)
        found[None if one is None else _YES, second] += n
    return found


def _on_label(label: str, counts: Mapping[Met, int]) -> Agreement:
    found = Counter[Met]()
    for (one, other), n in counts.items():
        found[_has(one, label), _has(other, label)] += n
    return agreement.of_counts(found, {_YES: _YES, _NO: _NO})


def _has(result: str | None, label: str) -> str | None:
    if result is None:
        return None
    return _YES if label in keys_of(result, several=True) else _NO
