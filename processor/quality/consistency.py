"""Does the same input get the same answer?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from processor.quality import bootstrap, likeness
from processor.quality.figure import Figure, share, too_few

LEAST_INPUTS = 10
"""Below this Fleiss' kappa is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """The answers to inputs that were asked more than once; intervals are those of inputs.

    Attributes:
        inputs: That have at least two answers.
        answers: That these have together.
        equal: Share of pairs of answers to the same input that are equal, mean over inputs.
        unanimous: Share of inputs all of whose answers are equal.
        kappa: Of labels: Fleiss', which is `equal` beyond what the labels' frequencies alone give.
        similarity: Of texts: mean similarity of two answers to the same input.
        unrelated: Of texts: the same of answers to two different inputs, to compare with.
    """

    inputs: int
    answers: int
    equal: Figure
    unanimous: Figure
    kappa: Figure | None = None
    similarity: Figure | None = None
    unrelated: Figure | None = None


def measure(inputs: Sequence[Sequence[str]], *, labels: bool, seed: int) -> Consistency:
    """Look at the answers to each input.

    Args:
        inputs: The answers to one each; of those with fewer than two nothing can be said.
        labels: Whether answers are labels; otherwise texts, which may be alike without being equal.
        seed: Of the intervals.
    """
    several = [answers for answers in inputs if len(answers) > 1]
    alike = [(equal_pairs(answers), 1) for answers in several]
    found = Consistency(
        inputs=len(several),
        answers=sum(map(len, several)),
        equal=bootstrap.mean(alike, seed=seed, called="inputs"),
        unanimous=share(sum(len(set(answers)) == 1 for answers in several), len(several)),
        kappa=fleiss_kappa(several, seed=seed) if labels else None,
    )
    return found if labels else _with_likeness(found, several, seed)


def equal_pairs(answers: Sequence[str]) -> float:
    """The share of equal ones among the pairs of at least two answers."""
    n = len(answers)
    return sum(count * (count - 1) for count in Counter(answers).values()) / (n * (n - 1))


def fleiss_kappa(inputs: Sequence[Sequence[str]], *, seed: int) -> Figure:
    """Fleiss' kappa (1971); the interval is by drawing inputs again.

    Args:
        inputs: The labels that one got each, at least two; need not be equally many.
        seed: Of the draws.
    """
    if len(inputs) < LEAST_INPUTS:
        return too_few(len(inputs), LEAST_INPUTS, "inputs")
    labels = sorted({label for answers in inputs for label in answers})
    if len(labels) == 1:
        return Figure(value=None, n=len(inputs), note="all answers are the same one label")
    parts = []
    for answers in inputs:
        counts = Counter(answers)
        parts.append((equal_pairs(answers), *(counts[label] / len(answers) for label in labels)))
    return bootstrap.figure(parts, _fleiss, n=len(inputs), seed=seed, called="inputs")


def _fleiss(parts: Sequence[tuple[float, ...]]) -> float:
    """Of inputs as their share of equal pairs, then the share of each label."""
    equal, *labels = (sum(column) / len(parts) for column in zip(*parts, strict=True))
    by_chance = sum(label * label for label in labels)
    # Drawn again, they may all have the same label: whose agreement is complete.
    return (equal - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def _with_likeness(found: Consistency, inputs: Sequence[Sequence[str]], seed: int) -> Consistency:
    vectors = iter(likeness.vectors([answer for answers in inputs for answer in answers]))
    by_input = [[next(vectors) for _ in answers] for answers in inputs]
    sums = [likeness.summed(some) for some in by_input]
    total = likeness.summed(sums)
    within: list[bootstrap.Part] = []
    beyond: list[bootstrap.Part] = []
    for some, own in zip(by_input, sums, strict=True):
        within.append((sum(likeness.to_others(some)), len(some)))
        others = found.answers - len(some)
        if others:
            far = sum(likeness.dot(one, total) - likeness.dot(one, own) for one in some) / others
            beyond.append((far, len(some)))
    return Consistency(
        inputs=found.inputs,
        answers=found.answers,
        equal=found.equal,
        unanimous=found.unanimous,
        similarity=bootstrap.mean(within, seed=seed, called="inputs"),
        unrelated=bootstrap.mean_of_pairs(beyond, seed=seed, called="inputs"),
    )
