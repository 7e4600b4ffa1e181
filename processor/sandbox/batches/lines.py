"""One line of a batch: what is asked, and the line that answers it."""

from dataclasses import dataclass
from typing import Any

import orjson

from processor.sandbox import errors
from processor.sandbox.batches.batch import Usage
from processor.sandbox.batches.endpoints import SERVED
from processor.sandbox.call import Answer, Ask
from processor.sandbox.faults.book import Try
from processor.sandbox.faults.kinds import KINDS
from processor.sandbox.faults.places import LINE
from processor.sandbox.faults.replies import ErrorReply, Spoiled
from processor.sandbox.pandoc import ConverterError
from processor.sandbox.state import Sandbox

_EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}
_CANCELLED = {
    "code": "batch_cancelled",
    "message": "This request was not executed because the batch was cancelled.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a line.

    Attributes:
        item: Names what was asked; None when that could not be read.
        raw: The line to be written, with its end.
        charged: Whether the model answered.
        good: Whether it stands in the output file, not in the error file.
    """

    custom_id: str
    item: str | None
    raw: bytes
    charged: bool
    good: bool
    usage: Usage


async def outcome_of(raw: bytes, endpoint: str, sandbox: Sandbox) -> Outcome:
    """Ask the model what a valid line asks, or let the line go wrong if so told."""
    line = orjson.loads(raw)
    custom_id, most = line["custom_id"], sandbox.config.max_body_bytes
    if len(raw) > most:
        return _refused(custom_id, None, errors.too_large(most), sandbox)
    try:
        ask = SERVED[endpoint].read(line["body"], sandbox)
    except errors.ApiError as refusal:
        return _refused(custom_id, None, refusal, sandbox)
    count = sandbox.stats.item(ask.key)
    fault = sandbox.faults.choose(
        Try(ask.key, ask.text, count.received + 1, place=LINE, tier=ask.tier)
    )
    kind = None if fault is None else KINDS[fault.kind]
    if fault is not None:
        sandbox.stats.by_fault[fault.kind] += 1
        if isinstance(kind, ErrorReply):
            return _failed(custom_id, ask.key, kind.told(fault.params)[:2], sandbox)
    try:
        answer = await ask.answer(sandbox, count.paid)
    except ConverterError as error:
        return _refused(custom_id, ask.key, errors.server_error(str(error)), sandbox)
    if fault is not None and isinstance(kind, Spoiled):
        kind.spoil(answer.body, fault.params)
    return _answered(custom_id, ask, answer, sandbox)


def custom_id_of(raw: bytes) -> str:
    """The custom_id of a valid line."""
    return str(orjson.loads(raw)["custom_id"])


def undone_line(custom_id: str, sandbox: Sandbox, *, expired: bool) -> bytes:
    """The line of a request that was never worked on."""
    return _line(custom_id, sandbox, response=None, error=_EXPIRED if expired else _CANCELLED)


def _answered(custom_id: str, ask: Ask, answer: Answer, sandbox: Sandbox) -> Outcome:
    return Outcome(
        custom_id=custom_id,
        item=ask.key,
        raw=_http_line(custom_id, 200, answer.body, sandbox),
        charged=True,
        good=True,
        usage=Usage(
            input=answer.prompt_tokens,
            cached=_cached(answer.body),
            output=answer.completion_tokens,
        ),
    )


def _refused(
    custom_id: str, item: str | None, refusal: errors.ApiError, sandbox: Sandbox
) -> Outcome:
    return _failed(custom_id, item, (refusal.status, refusal.body), sandbox)


def _failed(custom_id: str, item: str | None, told: tuple[int, bytes], sandbox: Sandbox) -> Outcome:
    status, raw = told
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # A page of some proxy.
        body = raw.decode(errors="replace")
    return Outcome(
        custom_id=custom_id,
        item=item,
        raw=_http_line(custom_id, status, body, sandbox),
        charged=False,
        good=False,
        usage=Usage(),
    )


def _http_line(custom_id: str, status: int, body: Any, sandbox: Sandbox) -> bytes:
    response = {"status_code": status, "request_id": sandbox.new_id(), "body": body}
    return _line(custom_id, sandbox, response=response, error=None)


def _line(
    custom_id: str, sandbox: Sandbox, *, response: dict[str, Any] | None, error: Any
) -> bytes:
    line = {
        "id": f"batch_req_{sandbox.new_id()}",
        "custom_id": custom_id,
        "response": response,
        "error": error,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _cached(body: dict[str, Any]) -> int:
    usage = body.get("usage", {})
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    return int(details.get("cached_tokens", 0))
