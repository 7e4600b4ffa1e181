"""Questions about figures."""

from typing import Final

from processor.data.questions.markup import (
    COMMA,
    arrow,
    bar,
    fenced,
    fraction,
    function,
    line,
    plus,
    root,
    sup,
    text,
)
from processor.data.questions.shape import SIGNED, Shape

VECTORS: Final = (
    Shape(
        11,
        (SIGNED, SIGNED, SIGNED),
        range(1, 20),
        lambda a, b, c, d: line(
            *(arrow("a"), "=", fenced(a, ",", b), COMMA, arrow("b"), "=", fenced(c, ",", d)),
            *(COMMA, arrow("a"), "·", arrow("b"), "= ?"),
        ),
    ),
    Shape(
        11,
        (range(1, 10), range(1, 10), range(2, 6)),
        range(1, 20),
        lambda a, b, c, d: line(
            *("|", arrow("a"), "| =", a, COMMA, "|", arrow("b"), "| =", b, COMMA),
            *(arrow("a"), "·", arrow("b"), "=", d, COMMA),
            *("|", arrow("a"), "−", c, arrow("b"), "| = ?"),
        ),
    ),
    Shape(
        12,
        (SIGNED, SIGNED, ("A", "B")),
        range(1, 30),
        lambda a, b, start, c: line(arrow(start, "C"), "=", fenced(a, ",", b, ",", c)),
    ),
)

GEOMETRY: Final = (
    Shape(
        10,
        (SIGNED, SIGNED),
        range(1, 30),
        lambda a, b, r: line(
            sup(fenced("x", plus(a)), 2), "+", sup(fenced("y", plus(b)), 2), "=", sup(r, 2)
        ),
    ),
    Shape(
        10,
        (range(2, 20), (30, 45, 60, 120, 135, 150)),
        range(2, 30),
        lambda a, angle, b: line(
            *(sup("c", 2), "=", sup(a, 2), "+", sup(b, 2), "− 2 ·", a, "·", b, "·"),
            function("cos", angle, "°"),
        ),
    ),
    Shape(
        9,
        (range(2, 30), (30, 45, 60)),
        range(2, 40),
        lambda a, angle, b: line(
            "S =", fraction(1, 2), "×", a, "×", b, "×", function("sin", angle, "°")
        ),
    ),
    Shape(
        10,
        (SIGNED, SIGNED, SIGNED),
        range(1, 20),
        lambda a, b, c, d: line(
            bar("A B"), "=", root(sup(fenced(d, plus(a)), 2), "+", sup(fenced(b, plus(c)), 2))
        ),
    ),
    Shape(
        7,
        (range(20, 90), range(20, 80)),
        range(20, 90),
        lambda a, b, c: line(
            *("∠ A =", a, "°", COMMA, "∠ B =", b, "°", COMMA, "∠ C =", c, "°", COMMA),
            "∠ D = ?",
        ),
    ),
    Shape(
        8,
        (range(2, 20), range(2, 20)),
        range(2, 40),
        lambda a, b, c: line(
            *("△ A B C ∼ △ D E F", COMMA, bar("A B"), "=", a, COMMA),
            *(bar("D E"), "=", b, COMMA, bar("B C"), "=", c),
        ),
    ),
    Shape(
        9,
        (range(2, 20), (2, 3)),
        range(2, 40),
        lambda r, part, h: line(
            "V =", fraction(1, part), "π ×", sup(r, 2), "×", h, sup(text("cm"), 3)
        ),
    ),
)
