"""A run's answers, assessed: every measure that its kind of answer allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from processor.ledger import database, results
from processor.quality import against, consistency, diversity, notes, separation, several
from processor.quality.against import Against, Side
from processor.quality.agreement import Agreement
from processor.quality.consistency import Consistency
from processor.quality.counts import Counts
from processor.quality.diversity import Diversity
from processor.quality.figure import Figure, share
from processor.quality.gathering import Gathering
from processor.quality.lengths import Lengths
from processor.quality.run import Run, read
from processor.quality.sample import Sample
from processor.quality.separation import Separation
from processor.quality.terms import Terms

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the answers of a run are like; what there is nothing to say of is None.

    Attributes:
        terms: What was asked, with the columns that were found.
        labels: Share of the answers that have a label, by label in the task's order.
        consistency: Of inputs that were asked more than once.
        separation: Of groups, such as personas.
        gold: The right labels beside the run's.
        against: Another run beside this one.
        notes: What was drawn, what was left out, and why.
    """

    run: Run
    terms: Terms
    counts: Counts
    labels: Mapping[str, Figure] | None
    lengths: Lengths | None
    consistency: Consistency | None
    diversity: Diversity | None
    separation: Separation | None
    gold: Agreement | None
    against: Against | None
    notes: Sequence[str]


def assess(folder: Path, terms: Terms, *, beside: Path | None = None) -> Assessment:
    """Measure the answers of a run, also while it works.

    Every item is read once, in short reads; beyond counts, samples of bounded size are kept.

    Args:
        folder: The run's.
        terms: What is looked at.
        beside: Folder of a run to compare with, item by item.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
        UsageError: A column is not there, or what is asked does not fit the answers.
    """
    with database.reading(folder / database.LEDGER_NAME) as connection:
        run = read(folder, connection)
        terms = terms.of(run)
        other = None if beside is None else _against(Side(run, connection), beside, terms)
        gathered = Gathering(run, terms)
        for items in results.of_run(connection):
            for item in items:
                gathered.add(item)
    return measured(run, terms, gathered, other)


def measured(
    run: Run, terms: Terms, gathered: Gathering, other: Against | None = None
) -> Assessment:
    """Measure what was gathered of a run, or of a part of it.

    Args:
        run: Whose items were gathered.
        terms: As they were gathered by.
        gathered: The items.
        other: Another run beside this one.
    """
    counts = gathered.tally.counts()
    texts = _members(gathered.texts)
    same = consistency.measure(
        list(gathered.inputs.blocks().values()), labels=run.form == "labels", seed=terms.seed
    )
    groups = _members(gathered.said)
    return Assessment(
        run=run,
        terms=terms,
        counts=counts,
        labels=_labels(run, gathered, counts.succeeded),
        lengths=gathered.ruler.lengths() if texts else None,
        consistency=same if same.inputs else None,
        diversity=diversity.measure(texts, seed=terms.seed) if texts and run.is_prose else None,
        separation=separation.measure(groups, seed=terms.seed)
        if len({one.group for one in groups}) > 1
        else None,
        gold=several.of_results(gathered.met, run.labels, several=run.has_several)
        if terms.gold is not None
        else None,
        against=other,
        notes=notes.of(run, terms, gathered, counts),
    )


def _labels(run: Run, gathered: Gathering, answers: int) -> Mapping[str, Figure] | None:
    """The share of each label: those of the task in its order, then what is left of others."""
    if run.form != "labels" or not answers:
        return None
    keys = [*run.labels, *sorted(gathered.labels.keys() - run.labels.keys())]
    return {key: share(gathered.labels[key], answers) for key in keys}


def _members(sample: Sample[T]) -> list[T]:
    return [member for block in sample.blocks().values() for member in block]


def _against(first: Side, folder: Path, terms: Terms) -> Against:
    with database.reading(folder / database.LEDGER_NAME) as connection:
        return against.measure(first, Side(read(folder, connection), connection), terms)
