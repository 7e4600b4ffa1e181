"""What `/v1/chat/completions` accepts: as strict as OpenAI, who refuse rather than ignore."""

from typing import Any

import orjson

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.conversation import ChatRequest, Turn
from processor.sandbox.parameters import Check, integer, number, one_of
from processor.sandbox.tokens import count_tokens

_MOST_TOKENS = 2_000_000
# The roles and the final reply have their price, too.
_TOKENS_PER_MESSAGE = 3

_PARAMETERS: dict[str, Check] = {
    "model": parameters.string,
    "messages": parameters.array,
    "audio": parameters.obj,
    "frequency_penalty": number(-2, 2),
    "function_call": parameters.anything,
    "functions": parameters.array,
    "logit_bias": parameters.obj,
    "logprobs": parameters.boolean,
    "max_completion_tokens": integer(1, _MOST_TOKENS),
    "max_tokens": integer(1, _MOST_TOKENS),
    "metadata": parameters.metadata,
    "modalities": parameters.array,
    "moderation": parameters.obj,
    "n": integer(1, 128),
    "parallel_tool_calls": parameters.boolean,
    "prediction": parameters.obj,
    "presence_penalty": number(-2, 2),
    "prompt_cache_key": parameters.string,
    "prompt_cache_options": parameters.obj,
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh"),
    "response_format": parameters.typed_object("text", "json_object", "json_schema"),
    "safety_identifier": parameters.string,
    "seed": integer(-(2**63), 2**63 - 1),
    "service_tier": one_of("auto", "default", "flex", "priority"),
    "stop": parameters.stop,
    "store": parameters.boolean,
    "stream": parameters.boolean,
    "stream_options": parameters.obj,
    "temperature": number(0, 2),
    "tool_choice": parameters.anything,
    "tools": parameters.array,
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "user": parameters.string,
    "verbosity": one_of("low", "medium", "high"),
    "web_search_options": parameters.obj,
}

# What reasoning models refuse: the only value they take, or None when they take none.
_FIXED_WHEN_REASONING: dict[str, int | None] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": None,
    "top_logprobs": None,
    "logit_bias": None,
}

_MESSAGE_FIELDS = frozenset(
    ("role", "content", "name", "refusal", "audio", "function_call", "tool_calls", "tool_call_id")
)
_check_role = one_of("system", "assistant", "user", "function", "tool", "developer")
_check_part_type = parameters.typed_object("text", "image_url", "input_audio", "file", "refusal")


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        ApiError: It is broken, or no object.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.unparsable() from error
    if not isinstance(body, dict):
        raise errors.ApiError(
            400, f"Invalid type for body: expected an object, got {errors.json_type(body)}."
        )
    return body


def check_chat(body: dict[str, Any], config: SandboxConfig) -> ChatRequest:
    """The request that a body asks for.

    Raises:
        ApiError: With OpenAI's status, type, code and parameter.
    """
    given = {name: value for name, value in body.items() if value is not None}
    model = _check_model(given, config)
    _check_parameters(body.keys(), given)
    if models.is_reasoning(model):
        _check_reasoning(given)
    elif "reasoning_effort" in given:
        raise errors.unsupported_parameter("reasoning_effort")
    turns = _check_messages(given)
    prompt_tokens = sum(count_tokens(turn.text) + _TOKENS_PER_MESSAGE for turn in turns) + 3
    window = config.context_tokens or models.window_tokens(model)
    if prompt_tokens > window:
        raise errors.context_exceeded(window, prompt_tokens)
    return ChatRequest(
        model=model,
        turns=turns,
        prompt_tokens=prompt_tokens,
        max_tokens=given.get("max_completion_tokens", given.get("max_tokens")),
        choices=given.get("n", 1),
        tier={"flex": "flex", "priority": "priority"}.get(given.get("service_tier", ""), "default"),
        json_mode=given.get("response_format", {}).get("type") == "json_object",
    )


def _check_model(given: dict[str, Any], config: SandboxConfig) -> str:
    if "model" not in given:
        raise errors.ApiError(400, "you must provide a model parameter")
    model = given["model"]
    parameters.string("model", model)
    if not models.is_known(model, config.models):
        raise (errors.retired_model if models.is_retired(model) else errors.unknown_model)(model)
    return str(model)


def _check_parameters(names: Any, given: dict[str, Any]) -> None:
    for name in names:
        if name not in _PARAMETERS:
            raise errors.unknown_parameter(name)
    for name, value in given.items():
        _PARAMETERS[name](name, value)
    if given.get("stream"):
        raise errors.ApiError(
            400,
            "Unsupported value: 'stream' does not support true: the sandbox does not stream.",
            param="stream",
            code="unsupported_value",
        )
    if given.get("response_format", {}).get("type") == "json_schema":
        raise errors.ApiError(
            400,
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
            "this model.",
            param="response_format",
        )
    if "max_tokens" in given and "max_completion_tokens" in given:
        raise errors.ApiError(
            400,
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            code="invalid_parameter_combination",
        )


def _check_reasoning(given: dict[str, Any]) -> None:
    if "max_tokens" in given:
        raise errors.unsupported_parameter("max_tokens", "max_completion_tokens")
    for name, only in _FIXED_WHEN_REASONING.items():
        if name not in given:
            continue
        if only is None:
            raise errors.unsupported_parameter(name)
        if given[name] != only:
            raise errors.unsupported_value(name, given[name], str(only))


def _check_messages(given: dict[str, Any]) -> tuple[Turn, ...]:
    if "messages" not in given:
        raise errors.missing_parameter("messages")
    if not given["messages"]:
        raise errors.ApiError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
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
    return Turn(message["role"], _check_content(f"{where}.content", message))


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
