"""A completion: what a model's answer holds, read per endpoint from a successful body."""

import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from processor.items import Usage
from processor.provider_error import clean

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
EMBEDDINGS = "/v1/embeddings"


class Completion(Struct, frozen=True, kw_only=True, gc=False):
    """What a model answered.

    Attributes:
        code: Why it is no success (see `codes`); empty when it is one.
        message: The same for people.
        text: The model's text, or its vector as base64 of little-endian float32; None when there
            is none.
        finish: Why the model stopped, in the provider's word.
        usage: None when the provider did not say.
        model: As the answer names it.
        tier: Service tier that the answer reports.
    """

    code: str = ""
    message: str = ""
    text: str | None = None
    finish: str | None = None
    usage: Usage | None = None
    model: str | None = None
    tier: str | None = None


_TRUNCATED = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety"})
_INCOMPLETE = {"max_output_tokens": "truncated", "content_filter": "filtered"}
_TOOL = frozenset({"tool_calls", "function_call"})
# What a response asks its client to do; other calls are those that the provider made itself.
_CLIENT_CALLS = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "mcp_approval_request",
        "shell_call",
    }
)
_CALLED_TOOL = "The model called a tool instead of answering"

TOKENS_MOST = 2**53


def read_chat(parsed: dict[str, Any]) -> Completion:
    """The first choice of a chat completion."""
    choice = _first(parsed.get("choices"))
    message = choice.get("message")
    text = finish = None
    if type(message) is dict:
        text = _text(message.get("content"))
        finish = _string(choice.get("finish_reason"))
        code, said = _chat_problem(text, message.get("refusal"), finish)
    else:
        code, said = "malformed", "The answer has no choice with a message"
    return Completion(
        code=code,
        message=said,
        text=text,
        finish=finish,
        usage=_usage(parsed.get("usage")),
        model=_string(parsed.get("model")),
        tier=_string(parsed.get("service_tier")),
    )


def read_response(parsed: dict[str, Any]) -> Completion:
    """The messages of a response; one that failed is told by its `error`, before it comes here.

    Reasoning and what the model says on its way to the answer are no part of it.
    """
    output = _objects(parsed.get("output"))
    parts = _answer_parts(output)
    text = _joined(parts, "text")
    code, said = _response_problem(parsed, output, text, _joined(parts, "refusal"))
    return Completion(
        code=code,
        message=said,
        text=text,
        finish=_string(parsed.get("status")),
        usage=_usage(parsed.get("usage"), "input", "output"),
        model=_string(parsed.get("model")),
        tier=_string(parsed.get("service_tier")),
    )


def read_embedding(parsed: dict[str, Any]) -> Completion:
    """The vector of an answer; whether it is any good is not asked.

    It comes as base64, which is asked for, or as numbers from a server that knows nothing else.
    """
    data = parsed.get("data")
    vector = _first(data).get("embedding")
    text = (_packed(vector) if type(vector) is list else _string(vector)) or None
    code, said = ("", "") if text else ("malformed", "The answer has no vector")
    if text and type(data) is list and len(data) > 1:
        code, said = "invalid", f"The answer has {len(data)} vectors, one was asked for"
    return Completion(
        code=code,
        message=said,
        text=text,
        usage=_prompt_usage(parsed.get("usage")),
        model=_string(parsed.get("model")),
        tier=_string(parsed.get("service_tier")),
    )


READERS: Mapping[str, Callable[[dict[str, Any]], Completion]] = MappingProxyType(
    {CHAT: read_chat, RESPONSES: read_response, EMBEDDINGS: read_embedding}
)


def _response_problem(
    parsed: Mapping[str, Any], output: list[dict[str, Any]], text: str | None, refusal: str | None
) -> tuple[str, str]:
    """The code and message of a response that is no success; empty for one that is."""
    status, details = parsed.get("status"), parsed.get("incomplete_details")
    if status == "incomplete":
        reason = details.get("reason") if type(details) is dict else None
        code = _INCOMPLETE.get(reason, "malformed") if type(reason) is str else "malformed"
        return code, f"The response is incomplete: {clean(str(reason))}"
    if status != "completed" and status is not None:
        return "malformed", f"The response is not complete but {clean(str(status))}"
    if refusal:
        return "refused", clean(refusal)
    if not text and any(item.get("type") in _CLIENT_CALLS for item in output):
        return "invalid", _CALLED_TOOL
    return ("malformed", "The response has no text") if text is None else ("", "")


def _answer_parts(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of the messages that are the answer; without any, of those on the way to it."""
    messages = [item for item in output if item.get("type", "message") == "message"]
    final = [message for message in messages if message.get("phase") != "commentary"]
    return [part for one in final or messages for part in _objects(one.get("content"))]


def _objects(values: Any) -> list[dict[str, Any]]:
    """The objects of a list; none of anything else."""
    return [value for value in values if type(value) is dict] if type(values) is list else []


def _joined(parts: list[dict[str, Any]], key: str) -> str | None:
    """The texts under a key; None when no part has one."""
    texts = [part[key] for part in parts if type(part.get(key)) is str]
    return "".join(texts) if texts else None


def _packed(numbers: list[Any]) -> str | None:
    """Numbers as base64 of little-endian float32; None when they are no such numbers."""
    try:
        return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (struct.error, OverflowError):
        return None


def _chat_problem(text: str | None, refusal: Any, finish: str | None) -> tuple[str, str]:
    """The code and message of a chat answer that is no success; empty for one that is."""
    if finish in _TRUNCATED:
        return "truncated", "The answer was cut off at its length limit"
    if finish in _FILTERED:
        return "filtered", "The content filter stopped the answer"
    if refusal:
        return "refused", clean(str(refusal))
    if finish in _TOOL and not text:
        return "invalid", _CALLED_TOOL
    if finish == "error" or text is None:
        return "malformed", "The answer has no content"
    return "", ""


def _first(choices: Any) -> dict[str, Any]:
    if type(choices) is list and choices and type(choices[0]) is dict:
        first: dict[str, Any] = choices[0]
        return first
    return {}


def _text(content: Any) -> str | None:
    """The text of a message; some reasoning models send it in parts."""
    if type(content) is not list:
        return _string(content)
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str)) or None


def _string(value: Any) -> str | None:
    return value if type(value) is str else None


def _usage(reported: Any, asked: str = "prompt", told: str = "completion") -> Usage | None:
    """The usage of an answer; None unless both counts are there, because unknown is not 0."""
    if type(reported) is not dict:
        return None
    prompt = _count(reported.get(f"{asked}_tokens"))
    completion = _count(reported.get(f"{told}_tokens"))
    if prompt is None or completion is None:
        return None
    details = reported.get(f"{asked}_tokens_details")
    cached = _count(details.get("cached_tokens")) if type(details) is dict else 0
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached or 0)


def _prompt_usage(reported: Any) -> Usage | None:
    """The usage of an answer that has no tokens of its own."""
    prompt = _count(reported.get("prompt_tokens")) if type(reported) is dict else None
    return None if prompt is None else Usage(prompt_tokens=prompt, completion_tokens=0)


def _count(value: Any) -> int | None:
    """A count of tokens; one that no ledger could hold is as good as none."""
    return value if type(value) is int and 0 <= value <= TOKENS_MOST else None
