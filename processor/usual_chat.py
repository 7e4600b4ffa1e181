"""Chat completions as nearly all are, read in one step.

Whatever is unlike them is read by `completion`, which says what it means; here is only what it
would say of the usual one, several times as fast.
"""

from typing import Annotated, Literal

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder

from processor.completion import TOKENS_MOST

UNREAD = (DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises."""
Count = Annotated[int, Meta(ge=0, le=TOKENS_MOST)]


class Details(Struct, gc=False):
    """Of the tokens that were asked."""

    cached_tokens: Count | None = None


class Counts(Struct, gc=False):
    """Tokens."""

    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: Details | None = None


class Message(Struct, gc=False):
    """What the model said."""

    content: str
    refusal: None = None


class Choice(Struct, gc=False):
    """The one answer."""

    message: Message
    finish_reason: Literal["stop"]


class UsualChat(Struct, gc=False):
    """One answer in text that came to its end, with its tokens counted."""

    choices: Annotated[list[Choice], Meta(min_length=1, max_length=1)]
    usage: Counts
    model: str
    service_tier: str | None = None
    error: None = None


_decode = Decoder(UsualChat).decode


def read(body: bytes) -> UsualChat | None:
    """A body; None when it is not a usual one."""
    try:
        return _decode(body)
    except UNREAD:
        return None
