"""Questions told in Korean words."""

from typing import Final

from processor.data.questions.markup import COMMA, fraction, line, polynomial, sub, sup, text
from processor.data.questions.shape import SIGNED, Shape

KOREAN: Final = (
    Shape(
        4,
        (range(2, 40),),
        range(2, 100),
        lambda a, b: line(
            text("가로가_"), a, text("_cm, 세로가_"), b, text("_cm인 직사각형의 넓이를 구하시오.")
        ),
    ),
    Shape(
        6,
        (range(2, 12), range(10, 60)),
        range(1, 60),
        lambda a, b, c: line(
            *(text("속력"), "=", fraction(text("거리"), text("시간")), COMMA, text("시간"), "="),
            *(fraction((a * b, text("_km")), (a, text("_km/h"))), "+", c, text("분")),
        ),
    ),
    Shape(
        7,
        (range(2, 10), SIGNED, SIGNED),
        range(1, 50),
        lambda a, b, c, d: line(
            *(text("방정식_"), polynomial("x", a, b), "=", polynomial("x", c, d)),
            text("의 해를 구하시오."),
        ),
    ),
    Shape(
        10,
        (range(1, 6), SIGNED),
        range(1, 60),
        lambda a, b, c: line(
            *(text("이차방정식_"), polynomial("x", a, b, -c), "= 0", text("의 두 근을_")),
            *("α , β", text("라 할 때,_"), sup("α", 2), "+", sup("β", 2), text("의 값은?")),
        ),
    ),
    Shape(
        8,
        (range(2, 7),),
        range(10, 200),
        lambda a, b: line(
            *(text("주사위를_"), b, text("번 던질 때_"), a, text("의 눈이 나오는 횟수를_")),
            *("X", text("라 하자.")),
        ),
    ),
    Shape(
        11,
        (range(1, 20), SIGNED),
        range(5, 60),
        lambda a, d, n: line(
            *(text("첫째항이_"), a, text("이고 공차가_"), d, text("인 등차수열의_")),
            *(sub("a", n), text("의 값")),
        ),
    ),
)
