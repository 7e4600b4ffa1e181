"""How good answers are spoiled, by the `object` that they are."""

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from math import inf, nan
from types import MappingProxyType
from typing import Any

Params = Mapping[str, str]
Change = Callable[[dict[str, Any], Params], None]
Changes = Mapping[str, Change]

_CHAT = "chat.completion"
_RESPONSE = "response"
_VECTORS = "list"
_EVERY = (_CHAT, _RESPONSE, _VECTORS)

_NO = "I'm sorry, I can't help with that."
_TOOL = MappingProxyType({"name": "look_up", "arguments": '{"word":"x"}'})


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of an answer in which something is said."""
    if body["object"] == _CHAT:
        return [choice["message"] for choice in body["choices"]]
    return [item for item in body["output"] if item["type"] == "message"]


def _no_choices(body: dict[str, Any], _: Params) -> None:
    body["choices"] = []


def _no_output(body: dict[str, Any], _: Params) -> None:
    body["output"] = []


def _no_vectors(body: dict[str, Any], _: Params) -> None:
    body["data"] = []


def _cut_off_chat(body: dict[str, Any], _: Params) -> None:
    for choice in body["choices"]:
        content = choice["message"]["content"]
        choice["message"]["content"] = content[: len(content) // 2]
        choice["finish_reason"] = "length"


def _cut_off_response(body: dict[str, Any], _: Params) -> None:
    for message in _messages(body):
        part = message["content"][0]
        part["text"] = part["text"][: len(part["text"]) // 2]
        message["status"] = "incomplete"
    _end(body, "max_output_tokens")


def _filtered_chat(body: dict[str, Any], _: Params) -> None:
    for choice in body["choices"]:
        choice["message"]["content"] = None
        choice["finish_reason"] = "content_filter"


def _filtered_response(body: dict[str, Any], _: Params) -> None:
    body["output"] = []
    _end(body, "content_filter")


def _end(body: dict[str, Any], reason: str) -> None:
    body["status"] = "incomplete"
    body["incomplete_details"] = {"reason": reason}


def _refused_chat(body: dict[str, Any], params: Params) -> None:
    for message in _messages(body):
        message["content"] = None
        message["refusal"] = params.get("message", _NO)


def _refused_response(body: dict[str, Any], params: Params) -> None:
    for message in _messages(body):
        message["content"] = [{"type": "refusal", "refusal": params.get("message", _NO)}]


def _other_content_chat(body: dict[str, Any], params: Params) -> None:
    for message in _messages(body):
        message["content"] = params.get("content", "")


def _other_content_response(body: dict[str, Any], params: Params) -> None:
    for message in _messages(body):
        message["content"][0]["text"] = params.get("content", "")


def _tool_call_chat(body: dict[str, Any], _: Params) -> None:
    for choice in body["choices"]:
        call = {"id": "call_1", "type": "function", "function": dict(_TOOL)}
        choice["message"] |= {"content": None, "tool_calls": [call]}
        choice["finish_reason"] = "tool_calls"


def _tool_call_response(body: dict[str, Any], _: Params) -> None:
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "status": "completed"}
    kept = [item for item in body["output"] if item["type"] != "message"]
    body["output"] = [*kept, {**call, **_TOOL}]


def _failed(body: dict[str, Any], params: Params) -> None:
    code, message = params.get("code", "server_error"), params.get("message", "It broke midway.")
    body |= {"status": "failed", "output": [], "error": {"code": code, "message": message}}


def _no_usage(body: dict[str, Any], _: Params) -> None:
    del body["usage"]


def _other_model(body: dict[str, Any], params: Params) -> None:
    body["model"] = params.get("model", "gpt-6-other-2026-10-01")


def _other_tier(body: dict[str, Any], params: Params) -> None:
    body["service_tier"] = params.get("tier", "priority")


def _extra_fields(body: dict[str, Any], _: Params) -> None:
    body["x_new_field"] = {"nested": [1, None, "새 필드"]}
    for each in body["data"] if body["object"] == _VECTORS else _messages(body):
        each["x_new_field"] = True


def _other_vector(body: dict[str, Any], params: Params) -> None:
    spoil = spoilt_vector(params.get("how", "nan"))
    for entry in body["data"]:
        vector = entry["embedding"]
        told = spoil(_numbers(vector) if isinstance(vector, str) else vector)
        entry["embedding"] = _base64(told) if isinstance(vector, str) else told


def spoilt_vector(how: str) -> Callable[[list[float]], Any]:
    """A way to spoil a vector, by name.

    Raises:
        ValueError: There is none of this name.
    """
    if how not in _WAYS:
        raise ValueError(how)
    return _WAYS[how]


def _numbers(text: str) -> list[float]:
    return [number for (number,) in struct.iter_unpack("<f", b64decode(text))]


def _base64(vector: Any) -> Any:
    if not isinstance(vector, list):
        return vector
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# From the numbers of a vector to numbers, or to something else that is sent as it is.
_WAYS: Mapping[str, Callable[[list[float]], Any]] = {
    "nan": lambda vector: [nan, *vector[1:]],
    "infinity": lambda vector: [inf, *vector[1:]],
    "zeros": lambda vector: [0.0] * len(vector),
    "short": lambda vector: vector[: len(vector) // 2],
    "text": lambda _: "these are no numbers",
    "torn": lambda vector: b64encode(struct.pack("<f", vector[0])[:3]).decode(),
    "null": lambda _: None,
}

NOTHING: Changes = {_CHAT: _no_choices, _RESPONSE: _no_output, _VECTORS: _no_vectors}
CUT_OFF: Changes = {_CHAT: _cut_off_chat, _RESPONSE: _cut_off_response}
FILTERED: Changes = {_CHAT: _filtered_chat, _RESPONSE: _filtered_response}
REFUSED: Changes = {_CHAT: _refused_chat, _RESPONSE: _refused_response}
OTHER_CONTENT: Changes = {_CHAT: _other_content_chat, _RESPONSE: _other_content_response}
TOOL_CALL: Changes = {_CHAT: _tool_call_chat, _RESPONSE: _tool_call_response}
FAILED: Changes = {_RESPONSE: _failed}
OTHER_VECTOR: Changes = {_VECTORS: _other_vector}
NO_USAGE: Changes = dict.fromkeys(_EVERY, _no_usage)
OTHER_MODEL: Changes = dict.fromkeys(_EVERY, _other_model)
OTHER_TIER: Changes = dict.fromkeys(_EVERY, _other_tier)
EXTRA_FIELDS: Changes = dict.fromkeys(_EVERY, _extra_fields)
