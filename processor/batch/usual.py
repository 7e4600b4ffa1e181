"""Chat completions as nearly all are, read from their line in one step.

Whatever is unlike them is read by `lines` and `verdict`, which say what it means; here is only what
they would say of the usual one, three times as fast.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.json import Decoder

from processor.batch.lines import UNREAD, Line
from processor.completion import TOKENS_MOST
from processor.items import Usage
from processor.verdict import Kind, Verdict

_Count = Annotated[int, Meta(ge=0, le=TOKENS_MOST)]


class _Details(Struct, gc=False):
    cached_tokens: _Count | None = None


class _Usage(Struct, gc=False):
    prompt_tokens: _Count
    completion_tokens: _Count
    prompt_tokens_details: _Details | None = None


class _Message(Struct, gc=False):
    content: str
    refusal: None = None


class _Choice(Struct, gc=False):
    message: _Message
    finish_reason: Literal["stop"]


class _Body(Struct, gc=False):
    choices: Annotated[list[_Choice], Meta(min_length=1, max_length=1)]
    usage: _Usage
    model: str
    service_tier: str | None = None
    error: None = None


class _Response(Struct, gc=False):
    status_code: Literal[200]
    body: _Body
    request_id: str | None = None


class _Line(Struct, gc=False):
    custom_id: str
    response: _Response
    error: None = None


_decode = Decoder(_Line).decode


def read(raw: bytes, tier: str) -> tuple[Line, Verdict] | None:
    """What a line tells, its body left out; None when it is not a usual one.

    Args:
        raw: Of `lines_at`.
        tier: The service tier where the answer tells none.
    """
    try:
        told = _decode(raw)
    except UNREAD:
        return None
    body = told.response.body
    usage, choice = body.usage, body.choices[0]
    details = usage.prompt_tokens_details
    verdict = Verdict(
        kind=Kind.OK,
        answer=choice.message.content,
        finish=choice.finish_reason,
        usage=Usage(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
        ),
        model=body.model,
        tier=tier if body.service_tier is None else body.service_tier,
    )
    return Line(told.custom_id, 200, None, None, told.response.request_id or None), verdict
