"""MathML read as XML, from text that nobody vouches for."""

import re
import unicodedata
from html.entities import html5
from typing import Protocol
from xml.parsers import expat

MAX_DEPTH = 100  # schoolbooks stay below 30; what reads a form recurses no deeper than this

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_XML_ENTITIES = {"amp;", "lt;", "gt;", "quot;", "apos;"}
_DECLARATION = re.compile(r"<\?xml[^<>]*\?>")


class UnreadableError(Exception):
    """The text is no presentation MathML that can be read."""


class Reader(Protocol):
    """Is told the elements as they begin and end, the outermost a `mrow` round the whole."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; its name may have a prefix."""

    def end(self, name: str) -> None:
        """The element that began last ends."""

    def text(self, text: str) -> None:
        """All text between two tags."""


def parse(mathml: str, reader: Reader) -> None:
    """Read MathML: with or without its `<math>`, alone or among text.

    Raises:
        UnreadableError: It is not well-formed, or what the reader raises.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(f"<mrow>{_prepared(mathml)}</mrow>", True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise UnreadableError(f"not well-formed: {error}") from error


def _prepared(mathml: str) -> str:
    # A document type can only be harmful here: it declares entities.
    if "<!DOCTYPE" in mathml or "<!ENTITY" in mathml:
        raise UnreadableError("a document type is not read")
    text = _DECLARATION.sub("", mathml, count=1)
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML_ENTITIES else html5.get(name, match[0])
