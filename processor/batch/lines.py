"""The lines of a batch's output and error files. Either file may hold either kind of line."""

import json
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

import orjson
from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from processor.provider_error import ProviderError, error_in
from processor.usual_chat import UNREAD
from processor.verdict import parse_leniently

_STATUS_MOST = 999
_BOM = b"\xef\xbb\xbf"
_BLOCK_BYTES = 1 << 20
_LINE_BYTES_MOST = 1 << 26


class Line(Struct, frozen=True, gc=False):
    """What a line tells of one request.

    Attributes:
        custom_id: As it came.
        status: Of the HTTP answer that the request got at the provider; None when not said.
        body: JSON of that answer, as it came; None when there is none.
        error: What went wrong, where it is told beside the answer or instead of one.
        request_id: For the provider's support.
    """

    custom_id: str
    status: int | None = None
    body: bytes | None = None
    error: ProviderError | None = None
    request_id: str | None = None


class BadLine(Struct, frozen=True, gc=False):
    """A line that tells of no request.

    Attributes:
        problem: What is wrong with it.
        cut_off: It ends before it is complete, as the last one of a file does that came in part.
    """

    problem: str
    cut_off: bool = False


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of `lines_at`, wherever they are."""
    return (line for _, line in lines_at(path))


def lines_at(path: Path) -> Iterator[tuple[int, bytes]]:
    r"""The lines of a file and where each begins, without blank ones, in constant memory.

    They end at the byte `\n` and nowhere else: answers hold every other kind of line break. The
    last one needs none. Whether it is whole, `read_line` tells.

    Raises:
        OSError: The file cannot be read.
    """
    offset = 0
    with path.open("rb", buffering=_BLOCK_BYTES) as file:
        for line in iter(partial(file.readline, _LINE_BYTES_MOST), b""):
            content = line.removeprefix(_BOM)
            if content and not content.isspace():
                yield offset + len(line) - len(content), content
            offset += len(line)


def name_in(raw: bytes) -> str | BadLine:
    """The custom_id of a line; quicker than all that it tells."""
    try:
        return _decode_name(raw).custom_id
    except UNREAD:
        line = read_line(raw)
        return line if isinstance(line, BadLine) else line.custom_id


def read_line(raw: bytes) -> Line | BadLine:
    """What a line of `lines_of` tells."""
    try:
        told = _decode(raw)
    except UNREAD as error:
        return _read_unusual(raw, str(error))
    response = told.response
    body = bytes(response.body)
    if body[:1] != b"{":
        return _read_unusual(raw)
    return Line(told.custom_id, response.status_code, body, None, response.request_id or None)


class _Response(Struct, gc=False):
    status_code: Annotated[int, Meta(ge=0, le=_STATUS_MOST)]
    body: Raw
    request_id: str | None = None


class _Usual(Struct, gc=False):
    """A line as nearly all are. What is unlike it is read slowly, whatever it is."""

    custom_id: str
    response: _Response
    error: None = None


class _Named(Struct, gc=False):
    custom_id: str


_decode = Decoder(_Usual).decode
_decode_name = Decoder(_Named).decode


def _read_unusual(raw: bytes, complaint: str = "") -> Line | BadLine:
    try:
        return _line(_parsed(raw))
    except (ValueError, TypeError, RecursionError):  # orjson reads deeper than it writes
        return _read_damaged(raw, complaint)


def _line(told: Any) -> Line | BadLine:
    custom_id = told.get("custom_id") if isinstance(told, dict) else None
    if not isinstance(custom_id, str) or not custom_id:
        return BadLine("It has no custom_id")
    response = told.get("response")
    if not isinstance(response, dict):
        response = {}
    status, error = _status(response.get("status_code")), _error(told.get("error"))
    return Line(
        custom_id,
        (error.status if error else None) if status is None else status,
        _body(response.get("body")),
        error,
        _text(response.get("request_id")),
    )


def _read_damaged(raw: bytes, complaint: str) -> Line | BadLine:
    """A line that is not JSON; whose it is may be readable all the same."""
    custom_id = _name_in_damaged(raw)
    if custom_id is not None:
        return Line(custom_id, None, raw)
    if "truncated" in complaint:
        return BadLine("It ends before it is complete", cut_off=True)
    return BadLine("It is not JSON")


def _name_in_damaged(raw: bytes) -> str | None:
    try:
        return _decode_name(raw).custom_id
    except UNREAD:
        pass
    try:
        told = json.loads(raw.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return _text(told.get("custom_id")) if isinstance(told, dict) else None


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return parse_leniently(raw)


def _status(told: Any) -> int | None:
    if isinstance(told, str) and told.isascii() and told.isdecimal():
        told = int(told[:4])
    return int(told) if type(told) in {int, float} and 0 <= told <= _STATUS_MOST else None


def _body(told: Any) -> bytes | None:
    """An answer; some servers give it as text that holds its JSON."""
    if isinstance(told, str):
        return told.encode() or None
    return orjson.dumps(told) if told else None


def _error(told: Any) -> ProviderError | None:
    """An error; some servers wrap it once more, and others give an empty one for none."""
    return _read_error(orjson.dumps(told)) if told and isinstance(told, (dict, str)) else None


@lru_cache(maxsize=256)  # thousands of lines expire in the same words
def _read_error(written: bytes) -> ProviderError | None:
    told = orjson.loads(written)
    wrapped = isinstance(told, dict) and isinstance(told.get("error"), dict)
    error = error_in(told if wrapped else {"error": told})
    return None if error is None or error == ProviderError() else error


def _text(told: Any) -> str | None:
    return told if isinstance(told, str) and told else None
