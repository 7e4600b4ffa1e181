"""MathML of strangers, written anew so that it may stand in a page.

What is written is made of the names and the attributes that are listed here and of nothing else:
no links, styles, events, scripts, HTML, SVG. Elements of text hold nothing but text, so that a
parser of HTML finds in it what a parser of XML finds. What browsers do not draw is spelled out in
what they do: `<mfenced>` becomes its brackets, bold letters those that Unicode has. The lines of a
table's cell are told by `data-lines`, for the page's style to draw.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from processor.tasks.mathml.parsing import MAX_DEPTH, UnreadableError, parse
from processor.tasks.mathml.styles import styled

NAMESPACE = "http://www.w3.org/1998/Math/MathML"

_MOST_CHARACTERS = 100_000  # of what is read; the longest of schoolbooks have 10,000
_MOST_ELEMENTS = 5_000
_TOKENS = frozenset({"mi", "mn", "mo", "ms", "mtext"})
_WORDS = frozenset({"ms", "mtext"})  # their letters stay what they are
_DRAWN = _TOKENS | {
    *("menclose", "merror", "mfrac", "mmultiscripts", "mover", "mpadded", "mphantom"),
    *("mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup"),
    *("mtable", "mtd", "mtr", "munder", "munderover", "none"),
}
# Drawn as another; of `semantics` only what it is drawn as is left, for its notes are passed over.
_AS = MappingProxyType({"math": "mrow", "semantics": "mrow", "mlabeledtr": "mtr"})
# Passed over with whatever they hold; of all other elements the text stays.
_UNSEEN = frozenset(
    {
        *("annotation", "annotation-xml", "malignmark", "maligngroup", "mglyph"),
        *("embed", "iframe", "noscript", "object", "script", "style", "svg"),
        *("template", "textarea", "title", "xmp"),
    }
)

_LENGTH = r"[+-]?(\d?(\.\d{1,6})?(r?em|ex)|\d{1,2}(\.\d{1,6})?(px|pt|mu|%)?|\.\d{1,6}|[a-z]+space)"
_LENGTHS = rf"{_LENGTH}( {_LENGTH}){{0,20}}"
_TRUTH = "true|false"
_LINES = "(none|solid|dashed)( (none|solid|dashed)){0,20}"
_PLACES = "(left|center|right)( (left|center|right)){0,20}"
_ROWS = "(top|bottom|center|baseline|axis)( (top|bottom|center|baseline|axis)){0,20}"
_ATTRIBUTES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(pattern)
        for names, pattern in (
            ("accent accentunder bevelled displaystyle fence largeop movablelimits", _TRUTH),
            ("separator stretchy symmetric", _TRUTH),
            ("depth height lspace maxsize minsize rspace voffset width", _LENGTH),
            ("linethickness", rf"{_LENGTH}|thin|medium|thick"),
            ("columnspacing framespacing rowspacing", _LENGTHS),
            ("columnalign", _PLACES),
            ("rowalign", _ROWS),
            ("columnlines frame rowlines", _LINES),
            ("columnspan rowspan", r"\d{1,2}"),
            ("form", "prefix|infix|postfix"),
            ("data-lines", "(top|right|bottom|left)( (top|right|bottom|left)){0,3}"),
            ("mathvariant", "normal"),
            ("notation", "[a-z ]{1,80}"),
            ("scriptlevel", r"[+-]?\d"),
        )
        for name in names.split()
    }
)
_ALIGNED = re.compile("text-align: (left|center|right);")
_LINED = re.compile("border-(top|right|bottom|left): ")


def safe(mathml: str) -> str:
    """One `<math>` that looks as the text does, to be put into a page as it is.

    Args:
        mathml: With or without its `<math>`, alone or among text.

    Raises:
        UnreadableError: It is not well-formed, too deep or too long to be drawn.
    """
    if len(mathml) > _MOST_CHARACTERS:
        raise UnreadableError("too long to be drawn")
    writer = _Writer()
    parse(mathml, writer)
    return f'<math xmlns="{NAMESPACE}" display="block">{"".join(writer.written)}</math>'


@dataclass(slots=True, kw_only=True)
class _Frame:
    """An element that is open.

    Attributes:
        end: What closes it; nothing for one whose tags are left out.
        is_token: Whether it holds text.
        style: Of its letters, as `mathvariant` names it; "" for the usual one.
        only: The one child that is drawn, from 1; None for all of them.
        between: What is written between its children; the last one again and again.
        children: How many there were.
    """

    end: str = ""
    is_token: bool = False
    style: str = ""
    only: int | None = None
    between: str = ""
    children: int = 0


class _Writer:
    """Writes each element as it is read; without recursion, so depth costs nothing."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._frames = [_Frame()]
        self._unseen = 0  # open elements within one that is passed over
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2].lower()
        if self._unseen or name in _UNSEEN or not self._is_wanted():
            self._unseen += 1
            return
        self._elements += 1
        if len(self._frames) > MAX_DEPTH or self._elements > _MOST_ELEMENTS:
            raise UnreadableError("too deep or too long to be drawn")
        self._frames.append(self._opened(_AS.get(name, name), attributes))

    def end(self, _name: str) -> None:
        if self._unseen:
            self._unseen -= 1
        else:
            self.written.append(self._frames.pop().end)

    def text(self, text: str) -> None:
        if self._unseen or not text or (text.isspace() and not self._frames[-1].is_token):
            return
        frame = self._frames[-1]
        words = escape(styled(text, frame.style) if frame.style else text, quote=False)
        self.written.append(words if frame.is_token else f"<mtext>{words}</mtext>")

    def _is_wanted(self) -> bool:
        """Count a child, and write what stands before it."""
        frame = self._frames[-1]
        frame.children += 1
        if frame.only is not None and frame.children != frame.only:
            return False
        if frame.between and frame.children > 1:
            place = min(frame.children - 2, len(frame.between) - 1)
            self.written.append(_operator(frame.between[place]))
        return True

    def _opened(self, name: str, attributes: Mapping[str, str]) -> _Frame:
        parent = self._frames[-1]
        if parent.is_token:
            return _Frame(is_token=True, style=parent.style)
        style = attributes.get("mathvariant", parent.style)
        if name == "maction":
            selection = attributes.get("selection", "1")
            only = int(selection) if re.fullmatch(r"\d{1,2}", selection) else 1
            return _Frame(only=only, style=style)
        if name == "mfenced":
            return self._fenced(attributes, style)
        if name not in _DRAWN:
            return _Frame(style=style)
        self.written.append(f"<{name}{_kept(name, attributes, style)}>")
        is_token = name in _TOKENS
        styled_here = style if name not in _WORDS else ""
        return _Frame(end=f"</{name}>", is_token=is_token, style=styled_here)

    def _fenced(self, attributes: Mapping[str, str], style: str) -> _Frame:
        opening, closing = attributes.get("open", "("), attributes.get("close", ")")
        self.written.append(f"<mrow>{_operator(opening)}")
        return _Frame(
            end=f"{_operator(closing)}</mrow>",
            style=style,
            between="".join(attributes.get("separators", ",").split()),
        )


def _operator(text: str) -> str:
    return f"<mo>{escape(text[:8], quote=False)}</mo>" if text else ""


def _kept(name: str, attributes: Mapping[str, str], style: str) -> str:
    """What is left of attributes; of styles what math-core says with them."""
    told = attributes.get("style", "")
    kept = {**attributes, "mathvariant": style if name == "mi" else ""}
    if "columnalign" not in kept and (side := _ALIGNED.search(told)):
        kept["columnalign"] = side[1]
    kept["data-lines"] = " ".join(_LINED.findall(told)[:4])
    return "".join(
        f' {key}="{value}"'
        for key, value in kept.items()
        if (pattern := _ATTRIBUTES.get(key)) is not None and pattern.fullmatch(value)
    )
