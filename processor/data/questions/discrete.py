"""Questions about collections."""

from typing import Final

from processor.data.questions.markup import (
    COMMA,
    combinations,
    fenced,
    fraction,
    function,
    line,
    sup,
)
from processor.data.questions.shape import SIGNED, Shape

SETS: Final = (
    Shape(
        10,
        (range(1, 10), range(1, 6), range(1, 6), range(1, 10), range(1, 6)),
        range(1, 10),
        lambda a, b, c, d, e, f: line(
            *("A =", fenced(a, ",", a + b, ",", a + b + c, fences="{}"), COMMA),
            *("B =", fenced(d, ",", d + e, ",", d + e + f, fences="{}"), COMMA),
            "A ∩ B = ?",
        ),
    ),
    Shape(
        10,
        (SIGNED, ("&lt;", "≤"), ("&lt;", "≤")),
        range(1, 40),
        lambda a, low, high, b: line(
            "A =", fenced("x |", a, low, "x", high, a + b, ", x ∈ ℤ", fences="{}")
        ),
    ),
    Shape(
        10,
        (range(1, 10), range(1, 30)),
        range(1, 30),
        lambda a, b, c: line(
            *(function("n", "A"), "=", a + b, COMMA, function("n", "B"), "=", a + c, COMMA),
            *(function("n", "A ∩ B"), "=", a, COMMA, function("n", "A ∪ B"), "= ?"),
        ),
    ),
)

PROBABILITY: Final = (
    Shape(
        10,
        (range(2, 8), range(1, 8), ("+", "−", "×")),
        range(2, 20),
        lambda a, b, sign, c: line(combinations(a + b, a), sign, combinations(c + 1, 2), "= ?"),
    ),
    Shape(
        11,
        (range(1, 6), range(1, 6), range(1, 6)),
        range(1, 6),
        lambda k, a, b, n: line(
            *(function("P", "X =", k), "=", combinations(k + n, k)),
            *(sup(fenced(fraction(a, a + b)), k), sup(fenced(fraction(b, a + b)), n)),
        ),
    ),
    Shape(
        11,
        (range(1, 6), range(1, 6), range(1, 6), range(2, 7)),
        range(2, 20),
        lambda a, b, c, d, e: line(
            *(function("P", "A"), "=", fraction(a, a + b), COMMA),
            *(function("P", "B"), "=", fraction(c, c + d), COMMA),
            *(function("P", "A ∩ B"), "=", fraction(1, e), COMMA, function("P", "A | B"), "= ?"),
        ),
    ),
    Shape(
        12,
        (range(10, 80), range(2, 10), range(2, 30)),
        range(2, 30),
        lambda a, b, c, d: line(
            *("X ∼", function("N", a, ",", sup(b, 2)), COMMA),
            *(function("P", c, "≤ X ≤", c + d), "= ?"),
        ),
    ),
    Shape(
        10,
        (range(2, 9),),
        range(2, 20),
        lambda a, b: fraction((a + b, "!"), (a, "! ·", b, "!")),
    ),
)
