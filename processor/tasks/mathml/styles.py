"""Letters in the styles of mathematics: Unicode has each, and browsers draw no other."""

import unicodedata
from collections.abc import Mapping
from functools import cache

# As Unicode names the styles, those of several words before the words themselves.
_STYLES: Mapping[str, str | None] = {
    "DOUBLE-STRUCK ITALIC": None,  # signs of their own
    "BOLD ITALIC": "bold-italic",
    "BOLD SCRIPT": "bold-script",
    "BOLD FRAKTUR": "bold-fraktur",
    "SANS-SERIF BOLD ITALIC": "sans-serif-bold-italic",
    "SANS-SERIF BOLD": "bold-sans-serif",
    "SANS-SERIF ITALIC": "sans-serif-italic",
    "SANS-SERIF": "sans-serif",
    "DOUBLE-STRUCK": "double-struck",
    "BLACK-LETTER": "fraktur",
    "MONOSPACE": "monospace",
    "FRAKTUR": "fraktur",
    "SCRIPT": "script",
    "ITALIC": "italic",
    "BOLD": "bold",
}
_BLOCKS = (range(0x2100, 0x2150), range(0x1D400, 0x1D800))  # the second lacks what was in the first
_PLANCK = 0x210E  # the italic h, under a name of its own


def styled(text: str, style: str) -> str:
    """A text in a style, as `mathvariant` names it; letters that have none in it stay."""
    return text.translate(_letters().get(style, {}))


@cache
def _letters() -> Mapping[str, Mapping[int, str]]:
    """Style to plain letter to the letter in it."""
    found: dict[str, dict[int, str]] = {"italic": {ord("h"): chr(_PLANCK)}}
    for code in (code for block in _BLOCKS for code in block):
        kind, _, plain = unicodedata.decomposition(chr(code)).partition(" ")
        style = _style_of(unicodedata.name(chr(code), ""))
        if kind == "<font>" and style is not None and " " not in plain:
            found.setdefault(style, {}).setdefault(int(plain, 16), chr(code))
    return found


def _style_of(name: str) -> str | None:
    words = name.removeprefix("MATHEMATICAL ")
    known = (style for told, style in _STYLES.items() if words.startswith(f"{told} "))
    return next(known, None)
