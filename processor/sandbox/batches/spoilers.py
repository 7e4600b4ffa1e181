"""How the files of a batch are spoiled, line by line, as a stream."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from processor.sandbox.batches.batch import Batch
from processor.sandbox.batches.fates import concerns

Params = Mapping[str, str]
Lines = Iterator[bytes]
Change = Callable[[Lines, Params], Lines]

_SEPARATORS = "\u2028 \u2029 \u0085 \x0b \x0c \x1c \x1d \x1e"
_CUT_BYTES = "20"
# Whatever they are told in, these are done last: the others read lines as they were written.
_FORMS: Mapping[str, int] = {"blank_lines": 1, "crlf": 2, "byte_order_mark": 3}
_CONTRADICTION = {"code": "server_error", "message": "The request failed."}


def spoil(batch: Batch, output: Path, errors: Path) -> None:
    """Spoil what a batch wrote, as its faults say."""
    contradictions = [
        _contradiction(line)
        for fault in batch.faults
        if fault.kind == "lines_contradicted"
        for line in _first(output, _count(fault.params))
    ]
    if contradictions:
        with errors.open("ab") as file:
            file.writelines(contradictions)
    _rewrite(output, batch, {**_BOTH, **_OUTPUT})
    _rewrite(errors, batch, {**_BOTH, **_ERROR})
    for name, path in (("output", output), ("error", errors)):
        if concerns(batch, "empty_file", name):
            path.write_bytes(b"")
        elif concerns(batch, "cut_mid_line", name):
            _cut(path, batch)


def _rewrite(path: Path, batch: Batch, changes: Mapping[str, Change]) -> None:
    faults = [fault for fault in batch.faults if fault.kind in changes]
    if not faults:
        return
    faults.sort(key=lambda fault: _FORMS.get(fault.kind, 0))
    spoiled = path.with_name(f"{path.name}.spoiled")
    with path.open("rb") as source, spoiled.open("wb") as target:
        lines: Lines = iter(source)
        for fault in faults:
            lines = changes[fault.kind](lines, fault.params)
        target.writelines(lines)
    spoiled.replace(path)


def _cut(path: Path, batch: Batch) -> None:
    cut = next(fault.params for fault in batch.faults if fault.kind == "cut_mid_line")
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.truncate(max(0, size - int(cut.get("bytes", _CUT_BYTES))))


def _first(path: Path, count: int) -> list[bytes]:
    with path.open("rb") as file:
        return list(islice(file, count))


def _count(params: Params) -> int:
    return int(params.get("lines", "1"))


def _changed(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    told = orjson.loads(line)
    change(told)
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _contradiction(line: bytes) -> bytes:
    def fail(told: dict[str, Any]) -> None:
        told |= {"response": None, "error": _CONTRADICTION}

    return _changed(line, fail)


def _missing(lines: Lines, params: Params) -> Lines:
    return islice(lines, _count(params), None)


def _twice(lines: Lines, params: Params) -> Lines:
    repeated = list(islice(lines, _count(params)))
    return chain(repeated, lines, repeated)


def _strange(lines: Lines, params: Params) -> Lines:
    """Answers to what was never asked, behind the others."""
    last = b""
    for last in lines:
        yield last
    for number in range(_count(params) if last else 0):
        stranger = orjson.loads(last) | {"custom_id": f"stranger-{number}"}
        yield orjson.dumps(stranger, option=orjson.OPT_APPEND_NEWLINE)


def _without_success(lines: Lines, params: Params) -> Lines:
    response = {
        "status_code": int(params.get("status", "0")),
        "request_id": "",
        "body": orjson.loads(params.get("body", "null")),
    }
    for line in islice(lines, _count(params)):
        yield _changed(line, lambda told: told.update(response=response))
    yield from lines


def _separators(lines: Lines, _: Params) -> Lines:
    """Every character that a careless reader takes for the end of a line, in every answer."""
    for line in lines:
        yield _changed(line, _separate)


def _separate(told: dict[str, Any]) -> None:
    body = (told.get("response") or {}).get("body")
    if not isinstance(body, dict):
        return
    for choice in body.get("choices", ()):
        choice["message"]["content"] += _SEPARATORS
    for item in body.get("output", ()):
        for part in item.get("content", ()):
            part["text"] += _SEPARATORS


def _text_bodies(lines: Lines, _: Params) -> Lines:
    def change(told: dict[str, Any]) -> None:
        if told.get("response"):
            told["response"]["body"] = orjson.dumps(told["response"]["body"]).decode()

    return (_changed(line, change) for line in lines)


def _bare_errors(lines: Lines, params: Params) -> Lines:
    """Errors as other servers tell them."""
    how = params.get("how", "both")

    def change(told: dict[str, Any]) -> None:
        body = (told.get("response") or {}).get("body") or {}
        error = dict(told.get("error") or body.get("error") or {})
        if how in ("type", "both"):
            error["type"] = error.pop("code", None) or error.get("type")
        if how in ("no_response", "both"):
            told.pop("response", None)
        told["error"] = error

    return (_changed(line, change) for line in lines)


def _crlf(lines: Lines, _: Params) -> Lines:
    return (line.removesuffix(b"\n") + b"\r\n" for line in lines)


def _blank_lines(lines: Lines, _: Params) -> Lines:
    return (ending for line in lines for ending in (line, b"\n"))


def _marked(lines: Lines, _: Params) -> Lines:
    return chain((b"\xef\xbb\xbf",), lines)


_OUTPUT: Mapping[str, Change] = {
    "lines_missing": _missing,
    "lines_twice": _twice,
    "lines_strange": _strange,
    "lines_without_success": _without_success,
}
_ERROR: Mapping[str, Change] = {"bare_errors": _bare_errors}
_BOTH: Mapping[str, Change] = {
    "line_separators": _separators,
    "bodies_as_text": _text_bodies,
    "crlf": _crlf,
    "blank_lines": _blank_lines,
    "byte_order_mark": _marked,
}
