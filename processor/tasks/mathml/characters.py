"""Characters that look alike, brought to one.

Spacing, invisible operators and letter styles are dropped; double-struck letters stay, because
the sets of numbers are told apart by them.
"""

import re
import string
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from processor.tasks.mathml.form import Form, Node

# The first character of each group stands for the others.
_ALIKE = (
    "-−‐‑‒–﹣",
    "·⋅∙・‧",
    "×✕⨯⨉",
    "*∗＊⁎",
    "/∕⁄",
    ":∶",
    "|∣│❘∥‖",
    "~∼˜",
    "→⟶⇀",
    "←⟵",
    "↔⟷",
    "⇒⟹",
    "⇐⟸",
    "⇔⟺",
    "↦⟼",
    "≤≦⩽",
    "≥≧⩾",
    "⟨〈\u2329",
    "⟩〉\u232a",
    "∋∍϶",
    "∈∊",
    "△▵",
    "□◻▢☐",
    "⊥⟂",
    "∅⌀",
    "∘◦",
    "°º˚",
    "′'’‘ʹ",
    "Σ∑",
    "Π∏",
    "∐⨿",
    "∪⋃",
    "∩⋂",
    "∨⋁",
    "∧⋀",
    "⊕⨁",
    "⊗⨂",
    "⊙⨀",
    "Δ∆",
    "∖\\",
    "iı",
    "jȷ",
    "⌢⌒⏜",
    "…⋯",
    "■∎",
    "✓✔",
    "○◯",
)

# One character that is read as several.
_SPELLED = {
    "∥": "||",
    "‖": "||",
    "…": "...",
    "⋯": "...",
    "″": "′′",
    "‴": "′′′",
    "⁗": "′′′′",
    '"': "′′",
    "“": "′′",
    "”": "′′",
    "㎟": "mm²",
    "㎠": "cm²",
    "㎡": "m²",
    "㎢": "km²",
    "㎣": "mm³",
    "㎤": "cm³",
    "㎥": "m³",
    "㎦": "km³",
}

_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ"
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
_SCRIPT_RUNS = re.compile(f"([{_SUPERSCRIPTS}]+)|([{_SUBSCRIPTS}]+)")

_STRUCK_EXCEPTIONS = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
_DOUBLE_STRUCK = (
    {ord(c): chr(0x1D538 + i) for i, c in enumerate(string.ascii_uppercase)}
    | {ord(c): chr(0x1D552 + i) for i, c in enumerate(string.ascii_lowercase)}
    | {ord(c): struck for c, struck in _STRUCK_EXCEPTIONS.items()}
)

# Marks above and below: what an author may use for an accent, and the accent.
_MARK_GROUPS = (
    "¯\u0304\u0305\u0332\u035e‾―—─-_ˉ",
    "⏞⎴",
    "⏟⎵",
    "\u0302^ˆ",
    "\u0303~",
    "\u0307.˙",
    "\u0301´ˊ",
    "\u0300`ˋ",
    "\u030cˇ",
    "→\u20d7",
    "←\u20d6",
)
_ACCENTS = frozenset(group[0] for group in _MARK_GROUPS) | frozenset("⏜⏝⌢⌣\u0306\u0308")
_MARKS = {alike: group[0] for group in _MARK_GROUPS for alike in group}


def _invisible(char: str) -> bool:
    is_variation_selector = "\ufe00" <= char <= "\ufe0f"
    return char.isspace() or is_variation_selector or unicodedata.category(char) in {"Cf", "Cc"}


def _stands_for_itself(char: str) -> bool:
    """Whether Unicode's compatible form would lose a meaning: scripts, ℝ, circled numbers."""
    if char in _SUPERSCRIPTS or char in _SUBSCRIPTS or char in _DOUBLE_STRUCK.values():
        return True
    return unicodedata.decomposition(char).startswith("<circle>")


class _Alike(dict[int, str]):
    """What each character is brought to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if _invisible(char):
            result = ""
        elif _stands_for_itself(char):
            result = char
        else:
            composed = unicodedata.normalize("NFKC", char)
            result = composed if composed == char else composed.translate(self)
        self[code] = result
        return result


def _alike() -> _Alike:
    table = _Alike({ord(c): group[0] for group in _ALIKE for c in group})
    table.update({ord(c): spelled for c, spelled in _SPELLED.items()})
    return table


_TABLE = _alike()


def atoms(text: str, *, double_struck: bool = False) -> Form:
    """The form of a text, which is in Unicode's composed form (NFC)."""
    if len(text) > _LONGEST_REMEMBERED:
        return _form(text, double_struck=double_struck)
    return _remembered_form(text, double_struck=double_struck)


def _form(text: str, *, double_struck: bool) -> Form:
    plain = text.translate(_TABLE)
    if double_struck:
        plain = plain.translate(_DOUBLE_STRUCK)
    if plain.isascii():
        return tuple(plain)
    return tuple(_with_scripts(plain))


# Formulas say the same few names and numbers again and again; sentences they say once.
_LONGEST_REMEMBERED = 16
_remembered_form = lru_cache(maxsize=8192)(_form)


def _with_scripts(plain: str) -> Iterable[str | Node]:
    for piece in _SCRIPT_RUNS.split(plain):
        if not piece:
            continue
        if piece[0] in _SUPERSCRIPTS:
            yield Node("^", (atoms(unicodedata.normalize("NFKC", piece)),))
        elif piece[0] in _SUBSCRIPTS:
            yield Node("_", (atoms(unicodedata.normalize("NFKC", piece)),))
        else:
            yield from piece


def mark(form: Form) -> Form:
    """The form of what stands above or below, where an accent has many spellings."""
    if len(form) != 1 or not isinstance(form[0], str):
        return form
    return (_MARKS.get(form[0], form[0]),)


def is_accent(form: Form) -> bool:
    """Whether a mark, as `mark` gives it, is an accent and no limit of an operator."""
    return len(form) == 1 and form[0] in _ACCENTS
