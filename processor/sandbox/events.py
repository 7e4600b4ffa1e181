"""A chat completion as a stream of events."""

from collections.abc import Iterator
from typing import Any

import orjson

CONTENT_TYPE = "text/event-stream"
_PIECE_CHARS = 16
_END = b"data: [DONE]\n\n"


def as_events(completion: dict[str, Any], *, with_usage: bool) -> bytes:
    """All events of a completion.

    Args:
        completion: As it is answered in one piece.
        with_usage: Whether the last event tells the usage.
    """
    return b"".join((*map(_event, _chunks(completion, with_usage=with_usage)), _END))


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _chunks(completion: dict[str, Any], *, with_usage: bool) -> Iterator[dict[str, Any]]:
    base = {
        **{name: completion[name] for name in ("id", "created", "model", "service_tier")},
        "object": "chat.completion.chunk",
        "system_fingerprint": completion["system_fingerprint"],
        **({"usage": None} if with_usage else {}),
    }
    for choice in completion["choices"]:
        for delta, reason in _deltas(choice):
            told = {"index": choice["index"], "delta": delta, "logprobs": None}
            yield {**base, "choices": [{**told, "finish_reason": reason}]}
    if with_usage:
        yield {**base, "choices": [], "usage": completion["usage"]}


def _deltas(choice: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    content = choice["message"]["content"]
    yield {"role": "assistant", "content": "", "refusal": None}, None
    for place in range(0, len(content), _PIECE_CHARS):
        yield {"content": content[place : place + _PIECE_CHARS]}, None
    yield {}, choice["finish_reason"]
