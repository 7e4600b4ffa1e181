"""School-maths questions made up from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from processor.columns import Column
from processor.data.questions.kinds import KINDS
from processor.data.questions.markup import document
from processor.data.questions.shape import Series
from processor.errors import UsageError
from processor.items import Row


def generate(count: int, *, seed: int = 0, start: int = 1) -> Iterator[Row]:
    """Questions with `question_id, mathml, subject, grade`, no two of them with equal MathML.

    A question depends on the seed and its number alone, so that a longer run begins with a
    shorter one. Neighbours are of different kinds.

    Args:
        count: How many.
        seed: Which of the endless sets of questions.
        start: Number of the first, from 1; it is the row's number too.
    """
    turn = _turn(seed)
    for number in range(start, start + count):
        k, place = divmod(number - 1, len(turn))
        kind, series = turn[place]
        fields = {
            "question_id": f"G{number:07}",
            "mathml": document(series.content(k)),
            "subject": kind,
            "grade": series.shape.grade,
        }
        yield Row(number=number, fields=fields)


def _turn(seed: int) -> list[tuple[str, Series]]:
    """One series of every shape, the first shapes of all kinds before the second."""
    of_kinds = [
        [(kind, Series.seeded(shape, f"{seed} {kind} {n}")) for n, shape in enumerate(shapes)]
        for kind, shapes in KINDS.items()
    ]
    return [series for series in chain(*zip_longest(*of_kinds)) if series]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedQuestions:
    """A source of made-up questions.

    Attributes:
        count: How many, at least 1.
        seed: Which of the endless sets of questions.
    """

    count: int
    seed: int = 0
    name: str = "generated"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(
                f"cannot generate {self.count} questions", way_out="Ask for 1 or more."
            )

    @property
    def uri(self) -> str:
        """The seed names the set; a larger count is the same source, grown."""
        return f"generated:seed={self.seed}"

    def stamp(self) -> str:
        """Seed and count."""
        return f"{self.uri} count={self.count}"

    def columns(self) -> Sequence[Column]:
        """None: values that speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row]:
        """The questions, from the first."""
        return generate(self.count, seed=self.seed)
