"""Lines with a chat completion as nearly all are, read in one step: see `usual_chat`."""

from typing import Literal

from msgspec import Struct
from msgspec.json import Decoder

from processor.batch.lines import Line
from processor.usual_chat import UNREAD, UsualChat
from processor.verdict import Verdict, accept


class _Response(Struct, gc=False):
    status_code: Literal[200]
    body: UsualChat
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
    line = Line(told.custom_id, 200, None, None, told.response.request_id or None)
    return line, accept(told.response.body, tier)
