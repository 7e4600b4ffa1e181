"""How long answers will be. Pure."""

import re
from dataclasses import dataclass
from types import MappingProxyType

NOTHING = "nothing"
# Tokens; of a label as users report it. What a model thinks before it answers is not in it.
_ASSUMED = MappingProxyType({"label": 5, "latex": 50})
_ASSUMED_OTHERWISE = 200
_WITHOUT_OUTPUT = "embedding"
# OpenAI's models that think first, also behind a router and fine-tuned.
_THINKS = re.compile(r"(?:openai/)?(?:ft:)?(?:gpt-(?:[5-9]|\d{2})|o\d)")


@dataclass(frozen=True, slots=True)
class Usual:
    """How long answers of a task were.

    Attributes:
        tokens: Of an item on the average, all of its answers together.
        answers: Items that this is known from.
    """

    tokens: float
    answers: int


@dataclass(frozen=True, slots=True)
class Expected:
    """How long an answer will be.

    Attributes:
        tokens: So many.
        basis: How that is known: `measured`, `cap`, `assumed`, or `nothing` is written.
        words: The same for people.
    """

    tokens: int
    basis: str
    words: str


def thinks(model: str) -> bool:
    """Whether a model is known to think before it answers, which is charged as output."""
    return _THINKS.match(model) is not None


def expected(kind: str, cap: int | None, usual: Usual | None) -> Expected:
    """How long an answer will be, about.

    Args:
        kind: Of the task's output.
        cap: The most that it may have; None without a cap.
        usual: Of earlier answers; None before any.
    """
    if kind == _WITHOUT_OUTPUT:
        return Expected(0, NOTHING, "nothing is written")
    if usual is not None:
        answers = f"{usual.answers:,} answer{'' if usual.answers == 1 else 's'}"
        return Expected(round(usual.tokens), "measured", f"measured over {answers}")
    short = _ASSUMED.get(kind)
    if cap is not None and (short is None or cap < short):
        return Expected(cap, "cap", f"by their cap of {cap:,}")
    tokens = _ASSUMED_OTHERWISE if short is None else short
    what = f"a {kind}" if kind == "label" else "an answer"
    return Expected(tokens, "assumed", f"assumed: {tokens} {what}")
