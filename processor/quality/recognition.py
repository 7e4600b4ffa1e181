"""Whose answer it is, told from what the same groups answered elsewhere."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

Cosines = Sequence[Sequence[float]]


class Guess(Struct, frozen=True, gc=False):
    """A group guessed for an answer: where that stands, and both groups."""

    place: int
    group: str
    guessed: str


class Recogniser:
    """Guesses groups of answers that are near or far from each other.

    An answer is taken for that of the group whose answers elsewhere are nearest to it in the mean,
    beyond how near these are to all the answers to its question: so it does not matter which group
    speaks most like everybody, or what the question makes everybody say.

    Args:
        cosines: Of each answer with each, itself too.
        questions: What each one answers.
        hidden_by: One or two names of each answer; those that share one are not elsewhere, and do
            not help to tell each other's group.
    """

    def __init__(
        self, cosines: Cosines, questions: Sequence[str], hidden_by: Sequence[Sequence[str]]
    ) -> None:
        self._questions = places(questions)
        self._names: Sequence[tuple[str, ...]] = list(zip(*hidden_by, strict=True))
        self._turns = range(len(hidden_by))
        self._seen = [list(row) for row in cosines]
        for names in hidden_by:
            for hidden in places(names).values():
                for place in hidden:
                    for other in hidden:
                        self._seen[place][other] = 0.0

    def guesses(self, groups: Sequence[str]) -> list[Guess]:
        """A guess for every answer to a question that two groups answered that are known elsewhere.

        Args:
            groups: Whose each answer is.
        """
        members = places(groups)
        near = {group: self._near(some) for group, some in members.items()}
        counts = {group: self._elsewhere(some) for group, some in members.items()}
        found = []
        for asked in self._questions.values():
            present = sorted({groups[place] for place in asked})
            known = [group for group in present if all(counts[group][place] for place in asked)]
            rows = [place for place in asked if groups[place] in known]
            if len(known) > 1:
                scores = [_beyond_usual(near[group], counts[group], rows) for group in known]
                for row, own in zip(rows, zip(*scores, strict=True), strict=True):
                    found.append(Guess(row, groups[row], known[own.index(max(own))]))
        return found

    def _near(self, some: Sequence[int]) -> Sequence[float]:
        """Of every answer the sum of its cosines with some, as far as these are elsewhere."""
        rows = [self._seen[place] for place in some]  # which are columns as well
        return rows[0] if len(rows) == 1 else list(map(sum, zip(*rows, strict=True)))

    def _elsewhere(self, some: Sequence[int]) -> Sequence[int]:
        """Of every answer how many of some are elsewhere."""
        shared = [Counter(self._names[place][turn] for place in some) for turn in self._turns]
        twice = Counter(self._names[place] for place in some)
        return [
            len(some)
            - sum(shared[turn][names[turn]] for turn in self._turns)
            + (twice[names] if len(names) > 1 else 0)
            for names in self._names
        ]


def _beyond_usual(
    near: Sequence[float], counts: Sequence[int], rows: Sequence[int]
) -> Sequence[float]:
    """How near some answers are to a group in the mean, beyond the mean of that."""
    means = [near[row] / counts[row] for row in rows]
    usual = sum(means) / len(means)
    return [mean - usual for mean in means]


def places(names: Iterable[str]) -> dict[str, list[int]]:
    """The places at which each name stands."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        found.setdefault(name, []).append(place)
    return found
