"""The messages of a request, checked in OpenAI's words."""

import re
from typing import Any

from processor.sandbox import errors, parameters
from processor.sandbox.conversation import Turn
from processor.sandbox.parameters import one_of

_MESSAGE_FIELDS = frozenset(
    ("role", "content", "name", "refusal", "audio", "function_call", "tool_calls", "tool_call_id")
)
_check_role = one_of("system", "assistant", "user", "function", "tool", "developer")
_check_part_type = parameters.typed_object("text", "image_url", "input_audio", "file", "refusal")
_NAME = re.compile(r"[^\s<|\\/>]+")


def check_messages(given: dict[str, Any]) -> tuple[Turn, ...]:
    """The turns of a request whose parameters have the right types.

    Raises:
        ApiError: A message is refused, or there is none.
    """
    if "messages" not in given:
        raise errors.missing_parameter("messages")
    return tuple(
        _check_message(f"messages[{index}]", message)
        for index, message in enumerate(given["messages"])
    )


def _check_message(where: str, message: Any) -> Turn:
    parameters.obj(where, message)
    if "role" not in message:
        raise errors.missing_parameter(f"{where}.role")
    _check_role(f"{where}.role", message["role"])
    for name in message:
        if name not in _MESSAGE_FIELDS:
            raise errors.unknown_parameter(f"{where}.{name}")
    if message["role"] == "tool" and "tool_call_id" not in message:
        raise errors.missing_parameter(f"{where}.tool_call_id")
    if message.get("name") is not None:
        _check_name(f"{where}.name", message["name"])
    if message.get("tool_calls") is not None:
        parameters.filled_array(f"{where}.tool_calls", message["tool_calls"])
    return Turn(message["role"], _check_content(f"{where}.content", message))


def _check_name(where: str, name: Any) -> None:
    parameters.string(where, name)
    if not _NAME.fullmatch(name):
        raise errors.wrong_pattern(where, f"^{_NAME.pattern}$")


def _check_content(where: str, message: dict[str, Any]) -> str:
    content = message.get("content")
    if type(content) is str:
        return content
    if content is None:
        return _check_no_content(where, message)
    if type(content) is not list:
        raise errors.invalid_type(where, "one of a string or array of objects", content)
    return "\n".join(_check_part(f"{where}[{index}]", part) for index, part in enumerate(content))


def _check_no_content(where: str, message: dict[str, Any]) -> str:
    if message["role"] == "assistant" and (
        message.get("tool_calls") or message.get("function_call") or message.get("refusal")
    ):
        return ""
    if "content" not in message:
        raise errors.missing_parameter(where)
    raise errors.ApiError(
        400,
        f"Invalid value for '{where}': expected a string, got null.",
        param=where,
        code="invalid_type",
    )


def _check_part(where: str, part: Any) -> str:
    _check_part_type(where, part)
    if part["type"] != "text":
        return ""
    if "text" not in part:
        raise errors.missing_parameter(f"{where}.text")
    parameters.string(f"{where}.text", part["text"])
    return str(part["text"])
