r"""Commands that MathLive does not know, mended to ones that look the same."""

import re

# MathLive rejects the left, draws the right.
_ALIASES = {
    "dots": r"\ldots",
    "dotsc": r"\ldots",
    "dotso": r"\ldots",
    "hdots": r"\ldots",
    "textellipsis": r"\ldots",
    "dotsb": r"\cdots",
    "dotsm": r"\cdots",
    "dotsi": r"\cdots",
    "thinspace": r"\,",
    "medspace": r"\:",
    "thickspace": r"\;",
    "negthinspace": r"\!",
    "nobreakspace": r"\ ",
    "hfill": r"\quad",
    "fbox": r"\boxed",
    "framebox": r"\boxed",
    "underbar": r"\underline",
    "mathds": r"\mathbb",
    "cal": r"\mathcal",
    "bigtimes": r"\times",
    "textdegree": r"\degree",
    "textless": "<",
    "textgreater": ">",
    "implied": r"\impliedby",
    "hline": "",
    "nonumber": "",
    "notag": "",
    "noindent": "",
    "centering": "",
}
_ALIAS = re.compile(rf"\\({'|'.join(sorted(_ALIASES, key=len, reverse=True))})(?![A-Za-z])")
_ROMAN = re.compile(r"\{\s*\\rm(?![A-Za-z])\s*([^{}]*)\}")
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
_BARE_PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")


def mended(latex: str) -> tuple[str, tuple[str, ...]]:
    """The text in commands that MathLive knows, and a note for each thing that was mended."""
    notes: dict[str, None] = {}

    def alias(match: re.Match[str]) -> str:
        new = _ALIASES[match[1]]
        notes[f"{match[0]} mended to {new}" if new else f"{match[0]} left out"] = None
        next_is_letter = latex[match.end() : match.end() + 1].isalpha()
        return f"{new} " if new and new[-1].isalpha() and next_is_letter else new

    text = _ALIAS.sub(alias, latex)
    for pattern, replacement, note in (
        (_ROMAN, r"\\mathrm{\1}", r"\rm mended to \mathrm"),
        (_TAG, r"\\qquad\\text{(\1)}", r"\tag mended to \text"),
        # A bare % starts a comment, which hides the rest of the line.
        (_BARE_PERCENT, r"\1\\%", r"% mended to \%"),
    ):
        text, count = pattern.subn(replacement, text)
        if count:
            notes[note] = None
    return text, tuple(notes)
