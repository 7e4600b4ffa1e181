"""Whose answer it is, told from what the same groups answered elsewhere."""

from collections.abc import Iterable, Sequence
from math import sqrt

from msgspec import Struct

Cosines = Sequence[Sequence[float]]

_TINY = 1e-12  # what rounding leaves of nothing


class Guess(Struct, frozen=True, gc=False):
    """A group guessed for an answer: where that stands, and both groups."""

    place: int
    group: str
    guessed: str


class Recogniser:
    """Guesses groups of answers that are near or far from each other.

    An answer is taken for that of the group whose answers to other questions are nearest in the
    mean, beyond how near these are to all the answers to its question: so it does not matter which
    group speaks most like everybody, or what the question makes everybody say.

    Args:
        cosines: Of each answer with each, itself too.
        questions: What each one answers.
    """

    def __init__(self, cosines: Cosines, questions: Sequence[str]) -> None:
        self._cosines = cosines
        self._questions = _places(enumerate(questions))

    def guesses(self, groups: Sequence[str]) -> list[Guess]:
        """A guess for every answer to a question of which two groups are known from others.

        Args:
            groups: Whose each answer is.
        """
        members = _places(enumerate(groups))
        near = {group: self._near(some) for group, some in members.items()}
        squares = {
            group: sum(near[group][place] for place in some) for group, some in members.items()
        }
        found = []
        for asked in self._questions.values():
            own = _places((place, groups[place]) for place in asked)
            known = sorted(group for group in own if len(members[group]) > len(own[group]))
            if len(known) > 1:
                rows = [(place, group) for group in known for place in own[group]]
                beyond = [
                    self._beyond(rows, own[group], near[group], squares[group]) for group in known
                ]
                for (place, group), scores in zip(rows, zip(*beyond, strict=True), strict=True):
                    found.append(Guess(place, group, known[scores.index(max(scores))]))
        return found

    def _beyond(
        self,
        rows: Sequence[tuple[int, str]],
        own: Sequence[int],
        near: Sequence[float],
        square: float,
    ) -> list[float]:
        """How near answers are to a group's answers to other questions, beyond the mean of them.

        Args:
            rows: The answers, all to one question.
            own: Those of the group to that question.
            near: Of every answer the sum of its cosines with the group's, to whatever question.
            square: Of the sum of these: its product with itself.
        """
        here = self._near(own)
        scores = [near[place] - here[place] for place, _ in rows]
        rest = square + sum(here[place] - 2 * near[place] for place in own)
        usual, length = sum(scores) / len(scores), sqrt(max(rest, _TINY))
        return [(score - usual) / length for score in scores]

    def _near(self, places: Sequence[int]) -> Sequence[float]:
        """Of every answer the sum of its cosines with some, which are rows as well as columns."""
        rows = [self._cosines[place] for place in places]
        return rows[0] if len(rows) == 1 else list(map(sum, zip(*rows, strict=True)))


def _places(named: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """The places at which each name stands."""
    found: dict[str, list[int]] = {}
    for place, name in named:
        found.setdefault(name, []).append(place)
    return found
