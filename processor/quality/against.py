"""Two runs item by item: what the one answered beside what the other did."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processor.errors import UsageError
from processor.ledger import results
from processor.ledger.results import Result
from processor.quality import bootstrap, likeness, several
from processor.quality.agreement import Agreement, Met
from processor.quality.figure import Figure, share, too_few
from processor.quality.run import Run
from processor.quality.sample import Sample
from processor.quality.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike the texts of two runs are.

    Attributes:
        drawn: Items whose texts are looked at.
        similarity: Mean similarity of the two answers to an item.
        unrelated: Of an answer of the first and one of the second to another item.
    """

    drawn: int
    similarity: Figure
    unrelated: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A first run and a second one, joined by id.

    Attributes:
        second: The run that the first is looked at against.
        both: Items that both have.
        only_first: Items that the first alone has.
        only_second: Items that the second alone has.
        rows_differ: Items of both whose rows are not the same.
        answered_both: Items of both that both answered; figures are of these.
        answered_first: That the first alone answered.
        answered_second: That the second alone answered.
        identical: Share of equal answers.
        agreement: Of labels.
        likeness: Of texts.
    """

    second: Run
    both: int
    only_first: int
    only_second: int
    rows_differ: int
    answered_both: int
    answered_first: int
    answered_second: int
    identical: Figure
    agreement: Agreement | None
    likeness: Likeness | None


@dataclass(frozen=True, slots=True)
class Side:
    """A run and its ledger."""

    run: Run
    connection: sqlite3.Connection


class _Meeting:
    """Takes items as both runs have them."""

    def __init__(self, form: str, terms: Terms) -> None:
        self._form = form
        self.both = self.rows_differ = self.identical = 0
        self.answered = Counter[tuple[bool, bool]]()
        self.labels = Counter[Met]()
        self.texts = Sample[tuple[str, str]](most=terms.most, most_of_block=1, seed=terms.seed)

    def add(self, one: Result, other: Result) -> None:
        self.both += 1
        self.rows_differ += one.fields_json != other.fields_json
        first, second = one.answer, other.answer
        self.answered[first is not None, second is not None] += 1
        if self._form == "labels":
            self.labels[first, second] += 1
        if first is None or second is None:
            return
        self.identical += first == second
        if self._form == "texts":
            self.texts.add(
                str(one.id), str(one.id), (first[: likeness.LONGEST], second[: likeness.LONGEST])
            )


def measure(first: Side, second: Side, terms: Terms) -> Against:
    """Look at two runs item by item.

    Args:
        first: The one that counts as given.
        second: The other.
        terms: How many texts are drawn, and how.

    Raises:
        UsageError: Their answers cannot be compared.
    """
    form = first.run.form
    _check_forms(first.run, second.run)
    meeting = _Meeting(form, terms)
    for one, other in _joined(first.connection, second.connection):
        meeting.add(one, other)
    texts = [pair for pairs in meeting.texts.blocks().values() for pair in pairs]
    names = {**first.run.labels, **second.run.labels, **first.run.labels}  # its order and words
    return Against(
        second=second.run,
        both=meeting.both,
        only_first=first.run.items - meeting.both,
        only_second=second.run.items - meeting.both,
        rows_differ=meeting.rows_differ,
        answered_both=meeting.answered[True, True],
        answered_first=meeting.answered[True, False],
        answered_second=meeting.answered[False, True],
        identical=share(meeting.identical, meeting.answered[True, True]),
        agreement=several.of_results(meeting.labels, names, several=first.run.has_several)
        if form == "labels"
        else None,
        likeness=alike(texts, seed=terms.seed) if form == "texts" else None,
    )


def alike(pairs: Sequence[tuple[str, str]], *, seed: int) -> Likeness:
    """How alike two texts on the same are, beside two on different things.

    Args:
        pairs: The texts on one thing each.
        seed: Of the intervals, which are by drawing pairs again.
    """
    if len(pairs) < 2:
        few = too_few(len(pairs), 2, "pairs of texts")
        return Likeness(drawn=len(pairs), similarity=few, unrelated=few)
    vectors = likeness.vectors([text for pair in pairs for text in pair])
    ones, others = vectors[::2], vectors[1::2]
    one_total, other_total = likeness.summed(ones), likeness.summed(others)
    near = [likeness.dot(one, other) for one, other in zip(ones, others, strict=True)]
    far = [
        (likeness.dot(one, other_total) + likeness.dot(other, one_total) - 2 * own)
        / (2 * (len(pairs) - 1))
        for one, other, own in zip(ones, others, near, strict=True)
    ]
    return Likeness(
        drawn=len(pairs),
        similarity=bootstrap.mean(_parts(near), seed=seed, called="items"),
        unrelated=bootstrap.mean_of_pairs(_parts(far), seed=seed, called="items"),
    )


def _parts(values: Sequence[float]) -> list[bootstrap.Part]:
    return [(likeness.bounded(value), 1) for value in values]


def _joined(
    first: sqlite3.Connection, second: sqlite3.Connection
) -> Iterator[tuple[Result, Result]]:
    """The items that both have, a slice of them in memory."""
    for items in results.of_run(first):
        found = results.of_ids(second, [item.id for item in items])
        others = {str(other.id): other for other in found}
        for item in items:
            if str(item.id) in others:
                yield item, others[str(item.id)]


def _check_forms(first: Run, second: Run) -> None:
    if first.form != second.form:
        raise UsageError(
            f"{first.folder} has {first.form}, {second.folder} has {second.form}",
            way_out="Compare runs whose tasks are of the same kind.",
        )
    if first.has_several != second.has_several:
        raise UsageError(
            "one of the runs has one label for an item, the other has several",
            way_out="Compare runs whose tasks are of the same kind.",
        )
    if first.form == "vectors":
        raise UsageError(
            "--against compares labels and texts, and these runs have embeddings",
            way_out="Look at their vectors: processor export --output FILE.parquet.",
        )
