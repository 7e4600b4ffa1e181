"""What a reader of the figures must know: what was drawn, what was left out, and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from processor.quality import separation
from processor.quality.counts import Counts
from processor.quality.gathering import Gathering
from processor.quality.likeness import LONGEST
from processor.quality.run import Run
from processor.quality.sample import Sample
from processor.quality.terms import Terms


def of(run: Run, terms: Terms, gathered: Gathering, counts: Counts) -> tuple[str, ...]:
    """All notes on what was gathered."""
    if not counts.succeeded:
        return ("No item has succeeded yet: there are no answers to look at.",)
    if run.form == "vectors":
        return ("The answers are embeddings: their form was checked, and no more is measured.",)
    return (
        *_drawn(terms, gathered),
        *_of_inputs(terms, gathered),
        *(_of_groups(terms, gathered) if run.is_prose else _of_other_kinds(run, terms)),
    )


def _drawn(terms: Terms, gathered: Gathering) -> Iterator[str]:
    samples: Mapping[str, Sample[Any]] = {
        "consistency": gathered.inputs,
        "diversity": gathered.texts,
        "groups": gathered.said,
    }
    for name, sample in samples.items():
        if sample.kept < sample.seen:
            yield (
                f"{name}: of {sample.kept:,} answers drawn from {sample.seen:,} (seed {terms.seed})"
            )
    if gathered.cut:
        yield (
            f"{gathered.cut:,} answers are longer than {LONGEST:,} characters: diversity and "
            "similarity look at their beginnings."
        )


def _of_inputs(terms: Terms, gathered: Gathering) -> Iterator[str]:
    if not terms.same_by:
        yield (
            "consistency: no input was asked more than once. Ask again with processor run "
            "--repeat 3, or name the columns that make rows the same: --same-by COLUMN."
        )
    elif all(len(answers) < 2 for answers in gathered.inputs.blocks().values()):
        yield f"consistency: no input has two answers, by {', '.join(terms.same_by)}."
    else:
        yield (
            "shares and agreement count every answer to an input as a case of its own: where "
            "these are alike, their intervals are too narrow."
        )


def _of_groups(terms: Terms, gathered: Gathering) -> Iterator[str]:
    if terms.group is None:
        yield "groups: name the column that tells whose answers they are: --group COLUMN."
        return
    if gathered.without_group:
        yield f"groups: {gathered.without_group:,} answers have no {terms.group} and are left out."
    said = [one for block in gathered.said.blocks().values() for one in block]
    groups = {one.group for one in said}
    if len(groups) < 2:
        yield f"groups: {terms.group} tells no two groups apart."
    elif terms.within is None:
        yield (
            "groups: what was asked is not told from who answers; name its column: --within COLUMN."
        )
    longest = separation.looked_at(len(said))
    if len(groups) > 1 and any(len(one.text) > longest for one in said):
        yield f"groups: the first {longest:,} characters of each answer are compared."


def _of_other_kinds(run: Run, terms: Terms) -> Iterator[str]:
    if run.form == "labels" and terms.group is not None:
        yield "groups: only texts are told apart, labels are not."
