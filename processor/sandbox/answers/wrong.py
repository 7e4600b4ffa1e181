"""Answers that are wrong as models' answers are wrong."""

import re
from collections.abc import Callable

from processor.sandbox.answers.kind import Kind
from processor.sandbox.seeded import draw, pick

# None of them can be a label 0, 1 or 2: so a wrong answer is never taken for an example's.
_WRONG: dict[Kind, tuple[str, ...]] = {
    "label": ("3", "7", "중립", "라벨: 중립적인 기사입니다.", ""),
    "persona": ("",),
    "text": ("",),
}

_WRONG_JSON = ('{"answer": "cut sh', "Here is the JSON that you asked for.", "[]", "null")


def wrong_answer(kind: Kind, right: str, mathml: str, seed: int, *name: object) -> str:
    """A wrong answer for a question, drawn by name."""
    if kind != "mathml":
        return pick(_WRONG[kind], seed, "wrong", *name)
    spoil = pick(_SPOILERS, seed, "wrong", *name)
    return spoil(right, mathml)


def wrong_json(seed: int, *name: object) -> str:
    """A wrong answer where JSON is wanted, drawn by name; no model of OpenAI's gives such."""
    return pick(_WRONG_JSON, seed, "wrong", *name)


def is_wrong(kind: Kind, answer: str) -> bool:
    """Whether an answer is one that `wrong_json` gives, or `wrong_answer` for what is no mathml."""
    return answer.strip() in (*_WRONG.get(kind, ()), *_WRONG_JSON)


def hits(share: float, seed: int, *name: object) -> bool:
    """Whether a share of all names includes this one."""
    return share > 0 and draw(seed, *name) < share


def _fenced(latex: str, _mathml: str) -> str:
    return f"```latex\n{latex}\n```"


def _with_prose(latex: str, _mathml: str) -> str:
    return f"Here is the LaTeX for the given expression:\n\n{latex}"


def _leaked(latex: str, mathml: str) -> str:
    return mathml if len(mathml) < 200 else f"{latex}<mo>=</mo>"


def _cut_short(latex: str, mathml: str) -> str:
    """End before the last brace is closed; without braces, before the end."""
    brace = latex.rfind("}")
    if brace > 0:
        return latex[:brace]
    return latex[: len(latex) // 2] + "\\frac{" if latex else _with_prose(latex, mathml)


def _other_digit(latex: str, mathml: str) -> str:
    """A number that was misread; where there is none, prose."""
    changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), latex, count=1)
    return changed if changed != latex else _with_prose(latex, mathml)


def _empty(_latex: str, _mathml: str) -> str:
    return ""


_SPOILERS: tuple[Callable[[str, str], str], ...] = (
    _fenced,
    _with_prose,
    _leaked,
    _cut_short,
    _other_digit,
    _empty,
)
