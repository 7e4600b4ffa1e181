"""Questions about numbers."""

from typing import Final

from processor.data.questions.markup import (
    decimal,
    fenced,
    fraction,
    line,
    nth_root,
    plus,
    polynomial,
    root,
    sup,
    times,
)
from processor.data.questions.shape import SIGNED, VARIABLES, Shape

ARITHMETIC: Final = (
    Shape(2, (range(11, 100),), range(11, 100), lambda a, b: line(a, "+", b, "= ?")),
    Shape(
        3,
        (range(2, 13), range(2, 60), ("+", "−")),
        range(60, 200),
        lambda a, b, sign, c: line(a, "×", fenced(c, sign, b), "= ?"),
    ),
    Shape(
        4,
        (range(2, 13), range(2, 13), ("+", "−")),
        range(2, 100),
        lambda a, b, sign, c: line(a * b, "÷", a, sign, c),
    ),
    Shape(
        5,
        (range(11, 1000), ("+", "−", "×")),
        range(1001, 9999),
        lambda a, sign, b: line(decimal(b, 2), sign, decimal(a, 1), "= ?"),
    ),
    Shape(
        7,
        (range(2, 10), (2, 3), SIGNED, ("×", "÷")),
        range(2, 50),
        lambda a, n, b, sign, c: line(sup(fenced(-a), n), sign, fenced(b), "+", c),
    ),
    Shape(
        7,
        (range(2, 10), SIGNED, SIGNED),
        range(2, 50),
        lambda a, b, c, d: line("|", b, plus(c), "| ×", a, "− |", -d, "|"),
    ),
)

FRACTIONS: Final = (
    Shape(
        5,
        (range(1, 10), range(2, 13), ("+", "−"), range(1, 10)),
        range(2, 30),
        lambda a, b, sign, c, d: line(fraction(a, b), sign, fraction(c, d)),
    ),
    Shape(
        6,
        (range(1, 6), range(1, 9), range(1, 9), ("×", "÷"), range(1, 10)),
        range(2, 20),
        lambda w, a, b, sign, c, d: line(w, fraction(a, a + b), sign, fraction(c, d)),
    ),
    Shape(
        8,
        (range(2, 10), range(2, 10), range(2, 10), range(2, 10)),
        range(1, 20),
        lambda a, b, c, d, e: fraction(
            (fraction(1, a), "+", fraction(b, c)), (e, "−", fraction(1, d))
        ),
    ),
    Shape(
        10,
        (VARIABLES, range(1, 10), SIGNED, SIGNED, SIGNED),
        range(1, 20),
        lambda x, a, b, c, d, e: line(
            fraction((polynomial(x, a, b),), (x, plus(c))), "+", fraction(e, (x, plus(d)))
        ),
    ),
)

ROOTS: Final = (
    Shape(
        9,
        (range(2, 30), range(2, 30), range(2, 10)),
        range(2, 50),
        lambda a, b, c, d: line(root(a), "+", root(b), "−", times(c, root(d))),
    ),
    Shape(
        9,
        (range(1, 10), range(2, 30), ("+", "−")),
        range(2, 50),
        lambda a, b, sign, c: fraction(a, (root(b), sign, root(c))),
    ),
    Shape(
        10,
        (range(2, 20), ("+", "−"), range(2, 10)),
        range(2, 30),
        lambda a, sign, b, c: root(a, sign, times(b, root(c))),
    ),
    Shape(
        11,
        (range(2, 100), range(4, 7), ("×", "÷")),
        range(2, 100),
        lambda a, n, sign, b: line(nth_root(a, 3), sign, nth_root(b, n)),
    ),
    Shape(
        9,
        (VARIABLES, range(1, 10), SIGNED),
        range(1, 50),
        lambda x, a, b, c: line(root(polynomial(x, a * a, b, c)), "−", times(a, x)),
    ),
)
