"""The shape of a question: what stays, and what its operands may be."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import Final

SIGNED: Final = (*range(-9, 0), *range(1, 10))
VARIABLES: Final = ("x", "y", "t", "n", "a")
RELATIONS: Final = ("&lt;", "&gt;", "≤", "≥")


@dataclass(frozen=True, slots=True)
class Shape:
    """A question with open operands.

    Two different sets of operands must give different MathML: that is what makes all questions
    distinct.

    Attributes:
        grade: School year, 1 to 12.
        choices: What each operand but the last is chosen from.
        last: Where the last operand begins; it goes on beyond, by the same step, when all
            combinations have been used.
        build: From the operands to the content of a `math` element.
    """

    grade: int
    choices: tuple[Sequence[int] | Sequence[str], ...]
    last: range
    build: Callable[..., str]


@dataclass(frozen=True, slots=True)
class Series:
    """The questions of one shape, in an order that a seed shuffles.

    The k-th question's place among all combinations is `k * stride + offset`, a permutation
    because the stride has no divisor in common with their number. Its digits, in the mixed radix
    of the choices, are the operands; what is left over extends the last one.
    """

    shape: Shape
    combinations: int
    stride: int
    offset: int

    @classmethod
    def seeded(cls, shape: Shape, seed: str) -> "Series":
        """The series of a seed, the same on every machine."""
        combinations = len(shape.last) * prod(map(len, shape.choices))
        digest = hashlib.sha256(seed.encode()).digest()
        stride = int.from_bytes(digest[:16]) % combinations
        while gcd(stride, combinations) != 1:
            stride += 1
        return cls(shape, combinations, stride, int.from_bytes(digest[16:]) % combinations)

    def content(self, k: int) -> str:
        """The content of the k-th question, from 0."""
        turn, place = divmod(k, self.combinations)
        rest = (place * self.stride + self.offset) % self.combinations
        operands: list[int | str] = []
        for choice in self.shape.choices:
            rest, digit = divmod(rest, len(choice))
            operands.append(choice[digit])
        last = self.shape.last
        operands.append(last.start + last.step * (rest + turn * len(last)))
        return self.shape.build(*operands)
