"""How well groups of texts, such as the answers of personas, are told apart.

All of it goes question by question, so that it is not the question that is told apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean

from processor.quality import bootstrap, likeness
from processor.quality.design import Design, Said
from processor.quality.figure import Figure, share
from processor.quality.recognition import Cosines, Guess, Recogniser

_SHUFFLES_MOST = 199
_SHUFFLES_LEAST = 39
_SHUFFLED_MOST = 20_000_000  # cosines added up in all shuffles together, which bounds the work
_CHARACTERS_MOST = 300_000  # of all texts together, which bounds the work of comparing them
_SHOWN_FROM = 0.05
_GROUPS_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Groups of texts beside each other.

    Where groups are made of several speakers each, such as temperaments of personas, what is told
    is whether the group shows beyond its speakers: a speaker's own answers say nothing of its
    group then, intervals are by drawing speakers again, and shuffles keep their answers together.
    Otherwise intervals are by drawing questions again.

    Similarities are means over pairs of answers; their n counts pairs.

    Attributes:
        groups: How many are looked at: those with the most answers, if there are very many.
        of_groups: How many there are.
        speakers: How many these groups are made of; None unless one has several.
        questions: How many they answered.
        answers: That are looked at.
        same_group_same_question: Similarity of two answers of a group to the same question.
        other_group_same_question: Of answers of two groups to the same question.
        same_group_other_question: Of answers of a group to two questions.
        other_group_other_question: Of answers of two groups to two questions.
        recognised: Share of answers whose group is recognised, see `Recogniser`, from the answers
            to the other questions; where there is but one, from four fifths of its answers for
            the last fifth. Where drawing again gives no interval, it is Wilson's.
        chance: The same share when groups are shuffled, among the answers to each question or
            among speakers: its mean, and where the middle 95 % of the shuffles lie; n counts
            shuffles.
        p_value: How often shuffled groups are recognised as well as the real ones; None if no
            answer can be guessed.
        by_group: The share of each group's answers, with Wilson's interval.
    """

    groups: int
    of_groups: int
    speakers: int | None
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
    design = Design(_of_largest(said))
    longest = looked_at(len(said))
    cosines = likeness.cosines(likeness.vectors([one.text[:longest] for one in design.said]))
    near = _similarities(cosines, design, seed)
    recogniser = Recogniser(cosines, design.parts, design.hidden_by)
    guesses = recogniser.guesses(design.groups)
    shuffled = _by_chance(recogniser, design, seed) if guesses else []
    return Separation(
        groups=len(set(design.groups)),
        of_groups=of_groups,
        speakers=len(set(design.units)) if design.is_nested else None,
        questions=len({one.question for one in design.said}),
        answers=len(design.said),
        same_group_same_question=near[0],
        other_group_same_question=near[1],
        same_group_other_question=near[2],
        other_group_other_question=near[3],
        recognised=_recognised(guesses, design, seed),
        chance=_chance(shuffled),
        p_value=_p_value(_right(guesses), shuffled) if shuffled else None,
        by_group=_by_group(guesses),
    )


def looked_at(answers: int) -> int:
    """How many characters of each of so many answers are compared, from its beginning."""
    return min(likeness.LONGEST, _CHARACTERS_MOST // max(1, answers))


def _of_largest(said: Sequence[Said]) -> list[Said]:
    """What the groups with the most answers said; of equally large ones the first by name."""
    counts = Counter(one.group for one in said)
    ordered = sorted(counts, key=lambda group: (-counts[group], group))
    chosen = set(ordered[:_GROUPS_MOST])
    return [one for one in said if one.group in chosen]


def _similarities(cosines: Cosines, design: Design, seed: int) -> list[Figure]:
    """Means over pairs by kind: of the same group or not, to the same question or not."""
    said, units = design.said, design.units
    names = sorted(set(units))
    met, across = ({unit: [[0.0, 0] for _ in range(4)] for unit in names} for _ in range(2))
    for place, row in enumerate(cosines):
        one = said[place]
        for other in range(place):
            another = said[other]
            if design.is_nested and one.speaker == another.speaker:
                continue
            kind = 2 * (one.question != another.question) + (one.group != another.group)
            ends = units[place], units[other]
            for sums in (met,) if ends[0] == ends[1] else (met, across):
                for unit in ends:
                    sums[unit][kind][0] += row[other]
                    sums[unit][kind][1] += 1
    found = []
    for kind in range(4):
        parts, others = (
            [(sums[unit][kind][0], int(sums[unit][kind][1])) for unit in names]
            for sums in (met, across)
        )
        figure = bootstrap.mean_of_pairs(parts, others, seed=seed, called=design.units_called)
        found.append(replace(figure, n=figure.n // 2))  # each pair was met from both sides
    return found


def _by_chance(recogniser: Recogniser, design: Design, seed: int) -> list[float]:
    """The share that is recognised in each shuffle of the groups."""
    chance = Random(seed)  # noqa: S311 - statistics, not secrets
    size = len(design.said)
    times = min(_SHUFFLES_MOST, max(_SHUFFLES_LEAST, _SHUFFLED_MOST // size**2))
    return [_right(recogniser.guesses(design.shuffled(chance))) for _ in range(times)]


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


def _recognised(guesses: Sequence[Guess], design: Design, seed: int) -> Figure:
    asked, right = Counter[str](), Counter[str]()
    for guess in guesses:
        asked[design.units[guess.place]] += 1
        right[design.units[guess.place]] += guess.group == guess.guessed
    if not asked:
        return Figure(value=None, n=0, note="too few answers: no two groups have two to compare")
    by_unit = [(right[unit], count) for unit, count in sorted(asked.items())]
    figure = bootstrap.mean(by_unit, seed=seed, called=design.units_called)
    return share(right.total(), asked.total()) if figure.low is None else figure


def _by_group(guesses: Sequence[Guess]) -> Mapping[str, Figure]:
    asked = Counter(guess.group for guess in guesses)
    right = Counter(guess.group for guess in guesses if guess.group == guess.guessed)
    return {group: share(right[group], count) for group, count in sorted(asked.items())}
