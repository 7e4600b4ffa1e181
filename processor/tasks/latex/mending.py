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
    "overbracket": r"\overbrace",
    "underbracket": r"\underbrace",
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
# After an even number of backslashes: of "\\dots" both are a row's end, and "dots" is text.
_BEFORE = r"(?<!\\)(?P<rows>(?:\\\\)*)"
_NAMES = "|".join(sorted(_ALIASES, key=len, reverse=True))
_ALIAS = re.compile(_BEFORE + rf"\\(?P<name>{_NAMES})(?![A-Za-z])")
_TAG = re.compile(_BEFORE + r"\\tag\*?\s*\{(?P<label>[^{}]*)\}")
_BARE_PERCENT = re.compile(_BEFORE + "%")
_ROMAN = re.compile(r"\{\s*\\rm(?![A-Za-z])\s*(?P<inside>[^{}]*)\}")

_REWRITES = (
    (_ROMAN, r"\\mathrm{\g<inside>}", r"\rm mended to \mathrm"),
    (_TAG, r"\g<rows>\\qquad\\text{(\g<label>)}", r"\tag mended to \text"),
    # A bare % starts a comment, which hides the rest of the line.
    (_BARE_PERCENT, r"\g<rows>\\%", r"% mended to \%"),
)


def mended(latex: str) -> tuple[str, tuple[str, ...]]:
    """The text in commands that MathLive knows, and a note for each thing that was mended."""
    notes: dict[str, None] = {}

    def alias(match: re.Match[str]) -> str:
        new = _ALIASES[match["name"]]
        old = "\\" + match["name"]
        notes[f"{old} mended to {new}" if new else f"{old} left out"] = None
        return match["rows"] + new

    text = _ALIAS.sub(alias, latex)
    for pattern, replacement, note in _REWRITES:
        text, count = pattern.subn(replacement, text)
        if count:
            notes[note] = None
    return text, tuple(notes)
