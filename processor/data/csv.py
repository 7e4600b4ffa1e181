"""CSV as rows: RFC 4180, a header first, quoted line ends, every value text."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from processor.data.source import BadRow
from processor.data.text import ROW_LIMIT_BYTES, begun
from processor.errors import InputError
from processor.items import Row

# What Python's parser says when a quote has swallowed the rest of the file.
_UNCLOSED = ("unexpected end of data", "field larger than field limit")

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_HEADER_BYTES = 1 << 16
# Where a file begins; within one, another file was joined to it.
_MARK = "\ufeff"
_QUOTED_NAME = re.compile(r'(?:\A|(?<=[,;\t]))"(?:[^"]|"")*+"')

# The line where it begins (from 1), its fields, and its problem, which stands instead of them.
_Record = tuple[int, list[str], str]


def read_csv(
    parts: Iterable[bytes], *, source: str, delimiter: str | None = None
) -> Iterator[Row | BadRow]:
    """The rows below a header; a row's number counts rows, not lines, and blank lines not at all.

    Args:
        parts: UTF-8, whole lines at a time.
        source: As the user named it, for messages.
        delimiter: What stands between two fields; None lets the header decide.

    Raises:
        InputError: The header is unusable, there is no row, a quote is never closed, or bytes are
            not UTF-8.
    """
    # The limit is the process's, and 128 KB at first; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT_BYTES))
    first, parts = begun(parts)
    delimiter = delimiter or _delimiter(first)
    records = _records(parts, source=source, delimiter=delimiter)
    header = _header(next(records, None), source=source)
    width = len(header)
    number = 0
    for number, (line, record, problem) in enumerate(records, 1):
        if len(record) == width and not record[0].startswith(_MARK):
            yield Row(number=number, fields=dict(zip(header, record, strict=True)))
        else:
            what = problem or _misfit(record, width, delimiter)
            yield BadRow(number=number, problem=f"{what} (line {line})")
    if not number:
        raise InputError("has no rows, only a header", source=source)


def _delimiter(first: bytes) -> str:
    """A comma, unless the header has none but the semicolons or tabs of other spreadsheets."""
    text = first[:_HEADER_BYTES].decode(errors="replace").lstrip("\r\n")
    header = re.split(r"[\r\n]", _QUOTED_NAME.sub("name", text), maxsplit=1)[0]
    return "," if "," in header else max(_DELIMITERS, key=header.count)


def _misfit(record: list[str], width: int, delimiter: str) -> str:
    if record[0].startswith(_MARK):
        return "begins with a byte order mark: another file was joined here"
    between = "" if delimiter == "," else f" between {_DELIMITERS[delimiter]}"
    return f"has {len(record)} fields{between}, the header {width}"


def _records(parts: Iterable[bytes], *, source: str, delimiter: str) -> Iterator[_Record]:
    reader = csv.reader(_lines(parts), delimiter=delimiter, strict=True)
    number, line = 0, 1  # The header is record 0, so that records count as rows do.
    while True:
        try:
            for record in reader:
                if record:
                    yield line, record, ""
                    number += 1
                line = reader.line_num + 1
        except csv.Error as error:
            if str(error).startswith(_UNCLOSED):
                way_out = "Close it, or double the quotes within a field."
                problem = "a quote is opened and never closed"
                raise _refusal(problem, number, line, source, way_out) from error
            yield line, [], f"is not CSV: {error}"
            number, line = number + 1, reader.line_num + 1
        except _NotTextError as error:
            way_out = "Mend it, or name its encoding with --encoding: cp949, utf-16-le."
            raise _refusal(str(error), number, line, source, way_out) from error
        else:
            return


def _refusal(problem: str, number: int, line: int, source: str, way_out: str) -> InputError:
    message = f"{problem} (line {line})"
    return InputError(message, source=source, row=number or None, way_out=way_out)


def _header(first: _Record | None, *, source: str) -> list[str]:
    if first is None:
        raise InputError("has no rows", source=source)
    line, names, problem = first
    if problem:
        raise InputError(f"the header {problem} (line {line})", source=source)
    if names[0].startswith(_MARK):
        way_out = "Save it as UTF-8 anew."
        raise InputError("begins with two byte order marks", source=source, way_out=way_out)
    for place, name in enumerate(names, 1):
        if not name.strip():
            way_out = "Give it one (from pandas: to_csv(index=False))."
            raise InputError(f"column {place} has no name", source=source, way_out=way_out)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = f"has more than one column named {', '.join(twice)}"
        raise InputError(message, source=source, way_out="Rename all but one.")
    return names


class _NotTextError(ValueError):
    """A line is no UTF-8 text."""


def _lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends, up to one that is no text."""
    for part in parts:
        text, problem = _sound(part)
        yield from io.StringIO(text, newline="")
        if problem:
            raise _NotTextError(problem)


def _sound(part: bytes) -> tuple[str, str]:
    """The lines before the first that is no text, and what is wrong with that one."""
    problem = ""
    try:
        text = part.decode()
    except UnicodeDecodeError as error:
        problem = f"has a byte that is not UTF-8: 0x{part[error.start]:02X}"
        text = part[: part.rfind(b"\n", 0, error.start) + 1].decode()
    nul = text.find("\0")
    if nul >= 0:
        problem = "has a NUL byte"
        text = text[: text.rfind("\n", 0, nul) + 1]
    return text, problem
