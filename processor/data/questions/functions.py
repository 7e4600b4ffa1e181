"""Questions about mappings."""

from typing import Final

from processor.data.questions.markup import (
    COMMA,
    cases,
    fenced,
    fraction,
    function,
    line,
    matrix,
    plus,
    plus_times,
    polynomial,
    sub,
    sup,
    times,
)
from processor.data.questions.shape import SIGNED, Shape

_F = line(function("f", "x"), "=")
_G = line(COMMA, function("g", "x"), "=")

FUNCTIONS: Final = (
    Shape(
        9,
        (SIGNED, SIGNED, SIGNED),
        range(1, 20),
        lambda a, b, c, d: line(_F, polynomial("x", a, b, c), COMMA, function("f", d), "= ?"),
    ),
    Shape(
        11,
        (range(1, 6), ("sin", "cos", "tan"), range(1, 5), range(2, 7)),
        range(1, 10),
        lambda a, f, b, c, d: line(
            "y =", times(a, f), fenced(times(b, "x"), "+", fraction("π", c)), "+", d
        ),
    ),
    Shape(
        11,
        (range(2, 11), range(1, 10), SIGNED),
        range(1, 20),
        lambda a, b, c, d: line("y =", sub("log", a), fenced(polynomial("x", b, c)), "+", d),
    ),
    Shape(
        10,
        (range(1, 10), SIGNED, range(1, 10)),
        range(1, 30),
        lambda a, b, c, d: line(_F, fraction((polynomial("x", a, b),), (polynomial("x", c, d),))),
    ),
    Shape(
        10,
        (SIGNED, SIGNED, SIGNED, SIGNED),
        range(1, 10),
        lambda a, b, c, d, e: line(
            *(_F, polynomial("x", a, b), _G, polynomial("x", c, d), COMMA),
            *(fenced("f ∘ g"), fenced(e), "= ?"),
        ),
    ),
    Shape(
        12,
        (SIGNED, SIGNED, SIGNED),
        range(1, 50),
        lambda a, b, c, d: line(
            _F, polynomial("x", a, b, c, d), COMMA, sup("f", "′"), fenced("x"), "= ?"
        ),
    ),
)

MATRICES: Final = (
    Shape(
        11,
        (SIGNED, SIGNED, SIGNED, ("+", "−"), SIGNED, SIGNED, SIGNED),
        range(10),
        lambda a, b, c, sign, d, e, f, g: line(matrix(2, a, b, c, g), sign, matrix(2, d, e, f, g)),
    ),
    Shape(
        11,
        (SIGNED, SIGNED, SIGNED),
        range(20),
        lambda a, b, c, d: line(matrix(2, a, b, c, d, fences="||"), "= ?"),
    ),
    Shape(
        11,
        (SIGNED, SIGNED, SIGNED),
        range(20),
        lambda a, b, c, d: sup(matrix(2, a, b, c, d, fences="[]"), -1),
    ),
    Shape(
        12,
        (SIGNED, SIGNED, SIGNED, SIGNED),
        range(1, 30),
        lambda a, b, c, d, e: line(
            matrix(3, 1, a, 0, b, 1, c, 0, d, 1), matrix(1, "x", "y", "z"), "=", matrix(1, e, 0, 1)
        ),
    ),
)

CASES: Final = (
    Shape(
        8,
        (range(1, 10), SIGNED, range(1, 10), SIGNED, range(-9, 10)),
        range(1, 50),
        lambda a, b, c, d, e, f: cases(
            1,
            (times(a, "x"), plus_times(b, "y"), "=", e),
            (times(c, "x"), plus_times(d, "y"), "=", f),
        ),
    ),
    Shape(
        10,
        (SIGNED, SIGNED, SIGNED, range(-5, 6)),
        range(1, 20),
        lambda a, b, c, d, e: line(
            _F,
            cases(
                2,
                *((polynomial("x", a, b),), ("x &lt;", d)),
                *((polynomial("x", c, 0, e),), ("x ≥", d)),
            ),
        ),
    ),
    Shape(
        11,
        (range(1, 20), range(2, 10), SIGNED),
        range(2, 20),
        lambda a, b, c, n: line(
            cases(
                1,
                (sub("a", 1), "=", a),
                (sub("a", "n + 1"), "=", times(b, sub("a", "n")), plus(c)),
            ),
            *(COMMA, sub("a", n), "= ?"),
        ),
    ),
)
