"""Questions about series and change."""

from typing import Final

from processor.data.questions.markup import (
    COMMA,
    fenced,
    fraction,
    function,
    line,
    plus,
    plus_times,
    polynomial,
    sub,
    sub_sup,
    sup,
    times,
    under,
    under_over,
)
from processor.data.questions.shape import SIGNED, Shape

SUMS: Final = (
    Shape(
        11,
        (range(1, 10), SIGNED),
        range(5, 60),
        lambda a, b, n: line(under_over("∑", "k = 1", n), fenced(times(a, "k"), plus(b))),
    ),
    Shape(
        11,
        (range(2, 10), range(2, 10)),
        range(4, 20),
        lambda a, b, n: line(under_over("∑", "k = 1", n), a, "·", sup(b, "k − 1")),
    ),
    Shape(
        12,
        (range(1, 10), range(1, 10)),
        range(1, 50),
        lambda a, b, c: line(
            under_over("∑", ("n =", b), "∞"), fraction(a, ("n", fenced("n +", c)))
        ),
    ),
    Shape(
        11,
        (range(1, 20), range(2, 10)),
        range(10, 60),
        lambda a, d, n: line(a, "+", a + d, "+", a + 2 * d, "+ ⋯ +", a + n * d, "= ?"),
    ),
)

INTEGRALS: Final = (
    Shape(
        12,
        (range(-5, 6), SIGNED, SIGNED, SIGNED),
        range(1, 10),
        lambda a, b, c, d, e: line(sub_sup("∫", a, a + e), fenced(polynomial("x", b, c, d)), "d x"),
    ),
    Shape(
        12,
        (range(1, 10), range(3, 8), SIGNED),
        range(1, 30),
        lambda a, n, b, c: line(
            "∫", fenced(times(a, sup("x", n)), plus_times(b, sup("x", 2)), "+", c), "d x"
        ),
    ),
    Shape(
        12,
        (range(2, 8), range(2, 10), ("sin", "cos")),
        range(1, 20),
        lambda a, b, f, c: line(
            sub_sup("∫", 0, fraction("π", a)), b, function(f, times(c, "x")), "d x"
        ),
    ),
    Shape(
        12,
        (range(1, 10), SIGNED),
        range(1, 30),
        lambda a, b, c: line(
            sub_sup("∫", 0, c), fenced(polynomial("x", a, b)), sup("e", (times(c, "x"),)), "d x"
        ),
    ),
)

LIMITS: Final = (
    Shape(
        12,
        (range(1, 10), SIGNED, SIGNED),
        range(1, 20),
        lambda a, b, c, d: line(
            under("lim", ("x →", d)), fraction((polynomial("x", a, b, c),), ("x −", d))
        ),
    ),
    Shape(
        12,
        (range(1, 10), SIGNED, range(1, 10)),
        range(1, 50),
        lambda a, b, c, d: line(
            under("lim", "n → ∞"),
            fraction((polynomial("n", a, b, 0),), (polynomial("n", c, 0, d),)),
        ),
    ),
    Shape(
        12,
        (range(1, 10), ("sin", "tan")),
        range(1, 100),
        lambda a, f, b: line(
            under("lim", "x → 0"), fraction((function(f, times(b, "x")),), (times(a, "x"),))
        ),
    ),
    Shape(
        12,
        (range(1, 10), SIGNED),
        range(1, 20),
        lambda a, b, c: line(
            *(function("f", "x"), "=", polynomial("x", a, b, 0), COMMA, under("lim", "h → 0")),
            fraction((function("f", c, "+ h"), "−", function("f", c)), "h"),
        ),
    ),
    Shape(
        11,
        (range(2, 10), range(2, 10)),
        range(1, 30),
        lambda a, b, c: line(
            *(sub("a", "n"), "=", fraction((sup(a, "n"), "+", c), sup(a + b, "n")), COMMA),
            *(under("lim", "n → ∞"), sub("a", "n"), "= ?"),
        ),
    ),
)
