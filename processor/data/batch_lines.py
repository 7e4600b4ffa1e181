"""Lines of the Batch API, and the short form that people write by hand, as rows of a table.

A full line is `{"custom_id", "method", "url", "body"}`. A short one is `{"model", "input"}`, with
`custom_id`, `patient` and `symptoms` if need be. What their text says behind a label
(`질문: …`, `페르소나: …`) becomes a column; everything else stays as it is.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from processor.data.source import BadRow
from processor.items import Row

_FULL = ("custom_id", "method", "url", "body")
_EMPTY = (None, "")
_LABELS = {
    "질문": "질문",
    "페르소나": "페르소나",
    "환자정보": "patient",
    "환자 정보": "patient",
    "증상": "symptoms",
}
_SPACES = r"[^\S\r\n]*"
_LABEL = re.compile(rf"(?<![^\r\n]){_SPACES}({'|'.join(_LABELS)}){_SPACES}[:：]")
# A persona of the form `temperament, character`; the users' are.
_PERSONA, _TRAITS = "페르소나", ("기질", "성격")
_COMMA = re.compile("[,，]")


def read(rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows; if the first is a line, all of them as lines of its form.

    Of a table that holds none only that one is looked at, and nothing is put between the others
    and their reader.
    """
    rest = iter(rows)
    first = next(rest, None)
    if first is None:
        return rest
    return _from_bad(first, rest) if isinstance(first, BadRow) else _from_good(first, rest)


def _from_good(first: Row, rest: Iterator[Row | BadRow]) -> Iterator[Row | BadRow]:
    form = _form_of(first.fields)
    rows = chain([first], rest)
    if form is None:
        return rows
    return (row if isinstance(row, BadRow) else form.read(row) for row in rows)


def _from_bad(first: BadRow, rest: Iterator[Row | BadRow]) -> Iterator[Row | BadRow]:
    yield first
    for row in rest:
        if isinstance(row, Row):
            yield from _from_good(row, rest)
        else:
            yield row


def tell_more(columns: Collection[str]) -> bool:
    """Whether rows of these columns are lines, which may tell more columns than they have."""
    return all(name in columns for name in _FULL) or ("model" in columns and "input" in columns)


def way_to_tell(name: str, columns: Collection[str]) -> str | None:
    """What to do when no line of these columns tells that one; None if they cannot."""
    if not tell_more(columns) or name not in _LABELS.values():
        return None
    label = next(label for label, column in _LABELS.items() if column == name)
    return f"Begin a line of each text with '{label}:', or add the column."


def asked_in(request: Mapping[str, Any]) -> str | None:
    """What the user says last in the body of a request; None when that is no text."""
    for key in ("messages", "input", "prompt"):
        said = request.get(key)
        if isinstance(said, list):
            turns = [turn for turn in said if isinstance(turn, Mapping)]
            of_users = [turn for turn in turns if turn.get("role") == "user"]
            said = of_users[-1].get("content") if of_users else None
        if said is not None:
            return _text_of(said)
    return None


def labelled(text: str) -> dict[str, str]:
    """Column to what stands behind its label, up to the next; a label counts where it is first."""
    text = unicodedata.normalize("NFC", text)  # files from a Mac may spell Hangul in pieces
    marks: dict[str, re.Match[str]] = {}
    for mark in _LABEL.finditer(text):
        marks.setdefault(_LABELS[mark[1]], mark)
    ends = [*(mark.start() for mark in marks.values()), len(text)]
    found = {
        name: text[mark.end() : end].strip()
        for (name, mark), end in zip(marks.items(), ends[1:], strict=True)
    }
    return {name: value for name, value in found.items() if value}


def _text_of(content: Any) -> str | None:
    """A message's text, which may come in parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        texts = [text for text in parts if isinstance(text, str)]
        return "\n".join(texts) if texts else None
    return content if isinstance(content, str) else None


def _told_by(request: Mapping[str, Any]) -> dict[str, str]:
    """The columns that a request's text tells, with the traits of its persona."""
    found = labelled(asked_in(request) or "")
    traits = [trait.strip() for trait in _COMMA.split(found.get(_PERSONA, ""))]
    if len(traits) == len(_TRAITS) and all(traits):
        found |= zip(_TRAITS, traits, strict=True)
    return found


def _form_of(fields: Mapping[str, Any]) -> "_Full | _Short | None":
    if _looks_full(fields):
        return _Full()
    return _Short(named=_is_named(fields)) if _looks_short(fields) else None


def _looks_full(fields: Mapping[str, Any]) -> bool:
    """Whether it was to be a line: a call of the API's, rather than of any web server's."""
    missing = [name for name in _FULL if name not in fields]
    body = fields.get("body")
    signs = ("/v1/" in str(fields.get("url")), isinstance(body, Mapping) and "model" in body)
    return len(missing) <= 1 and (all(signs) if missing == ["custom_id"] else any(signs))


def _looks_short(fields: Mapping[str, Any]) -> bool:
    return "model" in fields and asked_in({"input": fields.get("input")}) is not None


def _is_named(fields: Mapping[str, Any]) -> bool:
    return fields.get("custom_id") not in _EMPTY


class _Short:
    """Lines of the short form.

    Args:
        named: The first has a custom_id; so must all.
    """

    def __init__(self, *, named: bool) -> None:
        self._named = named

    def read(self, row: Row) -> Row | BadRow:
        """The row with what its text tells; columns that it has stay as they are."""
        fields = row.fields
        if _looks_full(fields):
            return _bad(row, "is a full Batch line after short ones")
        if self._named != _is_named(fields):
            return _bad(row, f"has {'no' if self._named else 'a'} custom_id, unlike the first line")
        return _row(row, _told_by({"input": fields.get("input")}))


class _Full:
    """Lines of the Batch API."""

    def __init__(self) -> None:
        self._url: Any = None

    def read(self, row: Row) -> Row | BadRow:
        """The row, named by its custom_id, with what its text tells and its model."""
        fields = row.fields
        if problem := self._problem_with(row):
            return _bad(row, problem)
        body = fields["body"]
        model = {"model": body["model"]} if isinstance(body.get("model"), str) else {}
        return _row(row, {**model, **_told_by(body)})

    def _problem_with(self, row: Row) -> str | None:
        fields = row.fields
        missing = [name for name in _FULL if fields.get(name) in _EMPTY]
        if len(missing) > 1 and _looks_short(fields):
            return "is a short line after full Batch lines"
        if missing:
            return f"has no {missing[0]}, which a Batch line needs"
        if fields["method"] != "POST":
            return f"its method is {fields['method']!r}; the Batch API knows POST"
        if not isinstance(fields["body"], Mapping):
            return "its body is no object"
        self._url = self._url or fields["url"]
        if fields["url"] != self._url:
            return f"its url is {fields['url']}, after lines for {self._url}; make two files"
        return None


def _row(row: Row, found: Mapping[str, Any]) -> Row:
    """The line, then what was found in it, but for what it says itself."""
    fields = row.fields
    more = {name: value for name, value in found.items() if name not in fields}
    name = fields["custom_id"] if _is_named(fields) else None
    return Row(number=row.number, fields={**fields, **more}, id=name)


def _bad(row: Row, problem: str) -> BadRow:
    return BadRow(number=row.number, problem=problem)
