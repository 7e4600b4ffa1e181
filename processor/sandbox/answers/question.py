"""Which message of a conversation holds the question, and what kind it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from processor.sandbox.answers.kind import Kind
from processor.sandbox.answers.wrong import is_wrong
from processor.sandbox.conversation import Turn

_MATH_BEGINS = re.compile(r"<math[\s>]")
_MATH_ENDS = "</math>"
_PERSONA = re.compile(r"페르소나\s*:")
_LABEL_CHOICES = re.compile(r"(?<![\w.])0(?!\d).*(?<![\w.])1(?!\d).*(?<![\w.])2(?!\d)", re.DOTALL)
_LABEL_WORDS = re.compile(r"라벨|레이블|분류|기사|옹호|label|classif|article|stance", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        key: Names the item: the first 16 hexadecimal digits of the SHA-256 of all messages up to
            and including the one with the question. A re-ask of an item has the item's key; the
            same system prompt or examples do not make two items one.
        kind: By which rule it is answered.
        text: The message with the question.
        context: All texts up to and including that message.
        mathml: The expression to convert; empty for other kinds.
        answers_since: Assistant messages after the question: how often it was answered before,
            as the client tells.
    """

    key: str
    kind: Kind
    text: str
    context: str
    mathml: str = ""
    answers_since: int = 0


def find_question(turns: Sequence[Turn]) -> Question:
    """The question of a conversation.

    For mathml: the latest user message with an expression; its last expression is the one to
    convert. Otherwise the last user message, unless it only says what was wrong with an answer of
    the sandbox: then the one that was answered wrongly.
    """
    place, mathml = _find_math(turns)
    kind: Kind = "mathml"
    if place < 0:
        kind = _kind(turns)
        place = _find_asked(turns, kind)
    before = turns[: place + 1]
    context = "\x1e".join(f"{role}\x1f{text}" for role, text in before)
    return Question(
        key=sha256(context.encode()).hexdigest()[:16],
        kind=kind,
        text=turns[place].text,
        context=context,
        mathml=mathml,
        answers_since=sum(turn.role == "assistant" for turn in turns[place + 1 :]),
    )


def _find_math(turns: Sequence[Turn]) -> tuple[int, str]:
    for place in range(len(turns) - 1, -1, -1):
        role, text = turns[place]
        expression = last_expression(text) if role == "user" else ""
        if expression:
            return place, expression
    return -1, ""


def last_expression(text: str) -> str:
    """The last `<math …>…</math>` with an element in it; empty when there is none.

    One without an element is talk about MathML, not MathML.
    """
    end = text.rfind(_MATH_ENDS)
    while end >= 0:
        start = text.rfind("<math", 0, end)
        if start < 0:
            break
        begins = _MATH_BEGINS.match(text, start)
        if begins and text.find("<", begins.end(), end) >= 0:
            return text[start : end + len(_MATH_ENDS)]
        end = text.rfind(_MATH_ENDS, 0, start)
    return ""


def _kind(turns: Sequence[Turn]) -> Kind:
    asked = [turn.text for turn in turns if turn.role != "assistant"]
    if any(_PERSONA.search(text) for text in asked):
        return "persona"
    if any(_LABEL_CHOICES.search(text) and _LABEL_WORDS.search(text) for text in asked):
        return "label"
    return "text"


def _find_asked(turns: Sequence[Turn], kind: Kind) -> int:
    """The last message, or the one before the wrong answers and the complaints about them."""
    place = len(turns) - 1
    while (
        place >= 2
        and turns[place - 1].role == "assistant"
        and is_wrong(kind, turns[place - 1].text)
        and turns[place - 2].role == "user"
    ):
        place -= 2
    return place
