"""The input of a request for a response, checked in OpenAI's words."""

from typing import Any

from processor.sandbox import errors, parameters
from processor.sandbox.conversation import Turn
from processor.sandbox.parameters import one_of, typed_object

_check_role = one_of("assistant", "system", "developer", "user")
_check_item_type = one_of(
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "computer_call",
    "computer_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "file_search_call",
    "function_call",
    "function_call_output",
    "image_generation_call",
    "item_reference",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "message",
    "reasoning",
    "shell_call",
    "shell_call_output",
    "web_search_call",
)
_check_part_type = typed_object(
    "input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot"
)
_check_answer_part_type = typed_object("output_text", "refusal")
_TEXTS = ("input_text", "output_text")
_MESSAGE_FIELDS = frozenset(("type", "role", "content", "id", "status", "phase"))


def check_input(given: dict[str, Any]) -> tuple[Turn, ...]:
    """The turns of a request whose parameters have the right types.

    Raises:
        ApiError: An item is refused, or there is none.
    """
    if "input" not in given:
        raise errors.missing_parameter("input")
    said = given["input"]
    if type(said) is str:
        return (Turn("user", said),)
    if type(said) is not list:
        raise errors.invalid_type("input", "one of a string or array of input items", said)
    parameters.filled_array("input", said)
    turns = (_check_item(f"input[{index}]", item) for index, item in enumerate(said))
    return tuple(turn for turn in turns if turn is not None)


def _check_item(where: str, item: Any) -> Turn | None:
    """The turn that an item is; None when it is no message."""
    parameters.obj(where, item)
    kind = item.get("type", "message")
    _check_item_type(f"{where}.type", kind)
    if kind != "message":
        return None
    if "role" not in item:
        raise errors.missing_parameter(f"{where}.role")
    _check_role(f"{where}.role", item["role"])
    for name in item:
        if name not in _MESSAGE_FIELDS:
            raise errors.unknown_parameter(f"{where}.{name}")
    if "content" not in item:
        raise errors.missing_parameter(f"{where}.content")
    return Turn(item["role"], _check_content(f"{where}.content", item["role"], item["content"]))


def _check_content(where: str, role: str, content: Any) -> str:
    if type(content) is str:
        return content
    if type(content) is not list:
        raise errors.invalid_type(where, "one of an array of objects or string", content)
    check = _check_answer_part_type if role == "assistant" else _check_part_type
    return "\n".join(
        _check_part(f"{where}[{index}]", part, check) for index, part in enumerate(content)
    )


def _check_part(where: str, part: Any, check: parameters.Check) -> str:
    check(where, part)
    if part["type"] not in _TEXTS:
        return ""
    if "text" not in part:
        raise errors.missing_parameter(f"{where}.text")
    parameters.string(f"{where}.text", part["text"])
    return str(part["text"])
