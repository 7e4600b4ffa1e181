"""Text without what nobody else should see. Pure.

Secrets are known exactly, so that every place of theirs is found, escaped for JSON or for an
address, too; what only looks like a key goes as well. Rows and answers are known as well: a message
may quote a part of one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from processor.provider_error import mask_keys

HIDDEN = "***"
CUT = "…"
_SECRET_LEAST_CHARS = 4
_TELLING = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_QUOTED_CHARS = 12  # so many characters in a row are taken for a quotation
_VALUE_LEAST_CHARS = 4  # a whole value of so many, too


class Redactor:
    """Takes secrets out of texts and JSON values.

    Args:
        secrets: Shorter ones than four characters are no secrets.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {
            each
            for secret in secrets
            if len(secret) >= _SECRET_LEAST_CHARS
            for each in _spellings(secret)
        }
        self._secrets = sorted(known, key=lambda each: (-len(each), each))

    def text(self, text: str) -> str:
        """A text without them, and without what only looks like one."""
        return mask_keys(self.exactly(text))

    def exactly(self, text: str) -> str:
        """A text of any form, such as JSON, without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value without them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value


def secrets_in(variables: Mapping[str, str]) -> set[str]:
    """The secrets of an environment: what is named like one, and passwords in addresses."""
    found = set()
    for name, value in variables.items():
        if any(word in name.upper() for word in _TELLING):
            found.add(value)
        if "://" in value:
            found |= _passwords(value)
    return found


def without_content(message: str, contents: Iterable[str]) -> str:
    """A message without what it quotes of a row or an answer.

    Args:
        message: One line.
        contents: Every text of the row and of what was answered.
    """
    marked = [False] * len(message)
    for content in contents:
        for text in {content, " ".join(content.split())}:
            _mark(message, text, marked)
    return _cut(message, marked)


def texts_in(value: Any) -> Iterable[str]:
    """Every text and number in a JSON value."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _mark(message: str, text: str, marked: list[bool]) -> None:
    """Note which characters of a message are a quotation of a text."""
    width = min(len(text), _QUOTED_CHARS)
    if width < _VALUE_LEAST_CHARS:
        return
    for start in range(len(message) - width + 1):
        if message[start : start + width] in text:
            marked[start : start + width] = [True] * width


def _cut(message: str, marked: Sequence[bool]) -> str:
    parts: list[str] = []
    for mark, hidden in zip(message, marked, strict=True):
        if not hidden:
            parts.append(mark)
        elif not parts or parts[-1] != CUT:
            parts.append(CUT)
    return "".join(parts)


def _spellings(secret: str) -> set[str]:
    in_json = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {secret, quote(secret), quote(secret, safe=""), *in_json}


def _passwords(address: str) -> set[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()
