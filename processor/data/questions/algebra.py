"""Questions about unknowns."""

from typing import Final

from processor.data.questions.markup import (
    fenced,
    fraction,
    line,
    plus,
    polynomial,
    root,
    sub,
    sup,
)
from processor.data.questions.shape import RELATIONS, SIGNED, VARIABLES, Shape

EQUATIONS: Final = (
    Shape(
        7,
        (VARIABLES, range(2, 10), SIGNED, SIGNED),
        range(1, 100),
        lambda x, a, b, c, d: line(polynomial(x, a, b), "=", polynomial(x, c, d)),
    ),
    Shape(
        9,
        (VARIABLES, range(1, 10), SIGNED, (1, -1)),
        range(1, 60),
        lambda x, a, b, sign, c: line(polynomial(x, a, b, sign * c), "= 0"),
    ),
    Shape(
        9,
        (VARIABLES, SIGNED),
        range(1, 100),
        lambda x, a, b: line(sup(fenced(x, plus(a)), 2), "=", b),
    ),
    Shape(
        10,
        (VARIABLES, range(1, 10), SIGNED, range(1, 10)),
        range(2, 50),
        lambda x, a, b, c, d: line(fraction(a, (x, plus(b))), "=", fraction(c, d)),
    ),
    Shape(
        10,
        (VARIABLES, range(2, 10), SIGNED),
        range(1, 50),
        lambda x, a, b, c: line(root(polynomial(x, a, b)), "=", x, "−", c),
    ),
    Shape(
        11,
        (range(2, 8), range(1, 6), SIGNED),
        range(2, 130),
        lambda a, b, c, d: line(sup(a, (polynomial("x", b, c),)), "=", d),
    ),
    Shape(
        11,
        (range(2, 11), range(1, 10), SIGNED),
        range(1, 20),
        lambda a, b, c, d: line(sub("log", a), fenced(polynomial("x", b, c)), "=", d),
    ),
)

INEQUALITIES: Final = (
    Shape(
        7,
        (VARIABLES, SIGNED, SIGNED, RELATIONS),
        range(1, 100),
        lambda x, a, b, sign, c: line(polynomial(x, a, b), sign, c),
    ),
    Shape(
        8,
        (VARIABLES, SIGNED, range(1, 10), SIGNED),
        range(1, 60),
        lambda x, a, b, c, d: line(a, "&lt;", polynomial(x, b, c), "≤", a + d),
    ),
    Shape(
        10,
        (VARIABLES, range(1, 10), SIGNED, RELATIONS),
        range(1, 50),
        lambda x, a, b, sign, c: line("|", polynomial(x, a, b), "|", sign, c),
    ),
    Shape(
        10,
        (VARIABLES, SIGNED, RELATIONS, (1, -1)),
        range(1, 60),
        lambda x, a, relation, sign, b: line(polynomial(x, 1, a, sign * b), relation, 0),
    ),
    Shape(
        11,
        (SIGNED, SIGNED, RELATIONS),
        range(1, 20),
        lambda a, b, sign, c: line(fraction(("x", plus(a)), ("x", plus(b))), sign, c),
    ),
)
