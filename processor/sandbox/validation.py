"""What `/v1/chat/completions` accepts: as strict as OpenAI, who refuse rather than ignore."""

from typing import Any

import orjson

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.conversation import ChatRequest
from processor.sandbox.messages import check_messages
from processor.sandbox.parameters import Check, integer, number, one_of
from processor.sandbox.tokens import count_tokens

_MOST_TOKENS = 2_000_000
# The roles and the final reply have their price, too.
_TOKENS_PER_MESSAGE = 3

_PARAMETERS: dict[str, Check] = {
    "model": parameters.string,
    "messages": parameters.filled_array,
    "audio": parameters.obj,
    "frequency_penalty": number(-2, 2),
    "function_call": parameters.anything,
    "functions": parameters.array,
    "logit_bias": parameters.obj,
    "logprobs": parameters.boolean,
    "max_completion_tokens": integer(1, _MOST_TOKENS),
    "max_tokens": integer(1, _MOST_TOKENS),
    "metadata": parameters.metadata,
    "modalities": parameters.modalities,
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
    "tools": parameters.filled_array,
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
    turns = check_messages(given)
    json_mode = given.get("response_format", {}).get("type") == "json_object"
    if json_mode and not any("json" in turn.text.lower() for turn in turns):
        raise errors.no_json_asked()
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
        json_mode=json_mode,
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
    _check_ability(given)
    _check_together(given)


def _check_ability(given: dict[str, Any]) -> None:
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


def _check_together(given: dict[str, Any]) -> None:
    if "max_tokens" in given and "max_completion_tokens" in given:
        raise errors.ApiError(
            400,
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            code="invalid_parameter_combination",
        )
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in given and "tools" not in given:
            raise errors.only_with_tools(name)


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
