"""A text that is looked for in items: what SQL narrows down, and what is really there."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import orjson

from processor import jsontext


class Search:
    """A text, however its letters are cased and its Hangul is spelled.

    Args:
        text: What is looked for, in values of fields, ids, results and messages.
    """

    def __init__(self, text: str) -> None:
        self._wanted = _plain(text)
        # SQL knows the cases of ASCII alone.
        cased = (text, text.lower(), text.upper(), text.title())
        spellings = dict.fromkeys(
            unicodedata.normalize(form, one)
            for one in (cased if not text.isascii() else cased[:1])
            for form in ("NFC", "NFD")
        )
        self._columns = [
            (column, _like(spelling if column != "fields" else _in_json(spelling)))
            for spelling in spellings
            for column in ("fields", "id", "result", "message")
        ]

    @property
    def which(self) -> str:
        """What SQL asks of an item joined with its outcome; names of fields may match, too."""
        terms = (f"{column} LIKE ? ESCAPE '\\'" for column, _ in self._columns)
        return f"({' OR '.join(terms)})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Of `which`."""
        return tuple(pattern for _, pattern in self._columns)

    def is_in(self, fields_json: str, *texts: str | None) -> bool:
        """Whether a value of the fields, or another text, holds it."""
        if any(self._wanted in _plain(text) for text in texts if text):
            return True
        return any(self._wanted in _plain(text) for text in _values(jsontext.loads(fields_json)))


def _values(value: Any) -> Iterator[str]:
    """What stands in a value of JSON, as text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif value is not None:
        yield jsontext.dumps(value)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _in_json(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def _like(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
