"""How well groups of texts, such as the answers of personas, are told apart.

All of it goes question by question, so that it is not the question that is told apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean
from zlib import crc32

from msgspec import Struct

from processor.quality import bootstrap, likeness
from processor.quality.figure import Figure, share
from processor.quality.recognition import Cosines, Guess, Recogniser

_FOLDS = 5
"""Into so many parts the answers to a single question are dealt."""
_SHUFFLES_MOST = 199
_SHUFFLES_LEAST = 39
_SHUFFLED_MOST = 20_000_000  # cosines added up in all shuffles together, which bounds the work
_SHOWN_FROM = 0.05
_GROUPS_MOST = 100


class Said(Struct, frozen=True, gc=False):
    """A text, who said it, and to which question."""

    group: str
    question: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Groups of texts beside each other.

    Similarities are means over pairs, n counts pairs; intervals are by drawing questions again.

    Attributes:
        groups: How many are looked at: those with the most answers, if there are very many.
        of_groups: How many there are.
        questions: How many they answered.
        answers: That are looked at.
        same_group_same_question: Similarity of two answers of a group to the same question.
        other_group_same_question: Of answers of two groups to the same question.
        same_group_other_question: Of answers of a group to two questions.
        other_group_other_question: Of answers of two groups to two questions.
        recognised: Share of answers whose group is recognised, see `Recogniser`, from the answers
            to the other questions; where there is but one, from four fifths of its answers for
            the last fifth. Where drawing questions again gives no interval, it is Wilson's.
        chance: The same share when groups are shuffled among the answers to each question: its
            mean, and where the middle 95 % of the shuffles lie; n counts shuffles.
        p_value: How often shuffled groups are recognised as well as the real ones; None if no
            answer can be guessed.
        by_group: The share of each group's answers, with Wilson's interval.
    """

    groups: int
    of_groups: int
    questions: int
    answers: int
    same_group_same_question: Figure
    other_group_same_question: Figure
    same_group_other_question: Figure
    other_group_other_question: Figure
    recognised: Figure
    chance: Figure
    p_value: float | None
    by_group: Mapping[str, Figure]

    @property
    def is_shown(self) -> bool | None:
        """Whether the groups differ, beyond what chance does; None if it cannot be told."""
        return None if self.p_value is None else self.p_value <= _SHOWN_FROM


def measure(said: Sequence[Said], *, seed: int) -> Separation:
    """Look at who speaks like whom.

    Args:
        said: All answers, in whatever order; work and memory grow with their square.
        seed: Of the intervals and shuffles.
    """
    of_groups = len({one.group for one in said})
    said = sorted(
        _of_largest(said), key=lambda one: (one.question, one.group, crc32(one.text.encode()))
    )
    groups, questions = [one.group for one in said], [one.question for one in said]
    cosines = likeness.cosines(likeness.vectors([one.text for one in said]))
    near = _similarities(cosines, groups, questions, seed)
    parts = questions if len(set(questions)) > 1 else _dealt(groups)
    recogniser = Recogniser(cosines, parts)
    guesses = recogniser.guesses(groups)
    shuffled = _by_chance(recogniser, groups, parts, seed) if guesses else []
    return Separation(
        groups=len(set(groups)),
        of_groups=of_groups,
        questions=len(set(questions)),
        answers=len(said),
        same_group_same_question=near[0],
        other_group_same_question=near[1],
        same_group_other_question=near[2],
        other_group_other_question=near[3],
        recognised=_recognised(guesses, parts, seed),
        chance=_chance(shuffled),
        p_value=_p_value(_right(guesses), shuffled) if shuffled else None,
        by_group=_by_group(guesses),
    )


def _of_largest(said: Sequence[Said]) -> list[Said]:
    """What the groups with the most answers said; of equally large ones the first by name."""
    counts = Counter(one.group for one in said)
    ordered = sorted(counts, key=lambda group: (-counts[group], group))
    chosen = set(ordered[:_GROUPS_MOST])
    return [one for one in said if one.group in chosen]


def _dealt(groups: Sequence[str]) -> list[str]:
    """For each answer the part that it is dealt into, each group's evenly."""
    dealt = Counter[str]()
    parts = []
    for group in groups:
        parts.append(str(dealt[group] % _FOLDS))
        dealt[group] += 1
    return parts


def _similarities(
    cosines: Cosines, groups: Sequence[str], questions: Sequence[str], seed: int
) -> list[Figure]:
    """Means over pairs by kind: of the same group or not, to the same question or not."""
    sums = {question: [[0.0, 0] for _ in range(4)] for question in sorted(set(questions))}
    for place, row in enumerate(cosines):
        of_question = sums[questions[place]]
        for other in range(place):
            kind = 2 * (questions[other] != questions[place]) + (groups[other] != groups[place])
            for one in (of_question, sums[questions[other]]):
                one[kind][0] += row[other]
                one[kind][1] += 1
    found = []
    for kind in range(4):
        parts = [(some[kind][0], int(some[kind][1])) for some in sums.values()]
        figure = bootstrap.mean(parts, seed=seed, called="questions")
        found.append(replace(figure, n=figure.n // 2))  # each pair was met from both sides
    return found


def _by_chance(
    recogniser: Recogniser, groups: Sequence[str], parts: Sequence[str], seed: int
) -> list[float]:
    """The share that is recognised in each shuffle of groups among the answers of a part."""
    places: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        places.setdefault(part, []).append(place)
    chance = Random(seed)  # noqa: S311 - statistics, not secrets
    times = min(_SHUFFLES_MOST, max(_SHUFFLES_LEAST, _SHUFFLED_MOST // len(groups) ** 2))
    found = []
    for _ in range(times):
        shuffled = list(groups)
        for some in places.values():
            names = [groups[place] for place in some]
            chance.shuffle(names)
            for place, name in zip(some, names, strict=True):
                shuffled[place] = name
        found.append(_right(recogniser.guesses(shuffled)))
    return found


def _right(guesses: Sequence[Guess]) -> float:
    """The share of right guesses; 0 without any, as a shuffle may leave it."""
    return sum(guess.group == guess.guessed for guess in guesses) / max(1, len(guesses))


def _p_value(right: float, shuffled: Sequence[float]) -> float:
    """With the groups as they are as one more shuffle, so that it is never 0."""
    return (1 + sum(share >= right for share in shuffled)) / (1 + len(shuffled))


def _chance(shuffled: Sequence[float]) -> Figure:
    if not shuffled:
        return Figure(value=None, n=0, note="no answer can be guessed")
    low, high = bootstrap.middle(shuffled)
    return Figure(value=fmean(shuffled), low=low, high=high, n=len(shuffled))


def _recognised(guesses: Sequence[Guess], parts: Sequence[str], seed: int) -> Figure:
    asked, right = Counter[str](), Counter[str]()
    for guess in guesses:
        asked[parts[guess.place]] += 1
        right[parts[guess.place]] += guess.group == guess.guessed
    if not asked:
        return Figure(value=None, n=0, note="too few answers: no two groups have two to compare")
    by_part = [(right[part], count) for part, count in sorted(asked.items())]
    figure = bootstrap.mean(by_part, seed=seed, called="questions")
    return share(right.total(), asked.total()) if figure.low is None else figure


def _by_group(guesses: Sequence[Guess]) -> Mapping[str, Figure]:
    asked = Counter(guess.group for guess in guesses)
    right = Counter(guess.group for guess in guesses if guess.group == guess.guessed)
    return {group: share(right[group], count) for group, count in sorted(asked.items())}
