"""What `/v1/chat/completions` accepts."""

from collections.abc import Mapping
from typing import Any

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.conversation import Conversation
from processor.sandbox.messages import check_messages
from processor.sandbox.parameters import Check, integer, number, one_of
from processor.sandbox.structured import check_format
from processor.sandbox.validation import (
    MOST_TOKENS,
    check_model,
    check_parameters,
    check_sampling,
    check_tools,
    count_prompt,
    tier_of,
    window_of,
)

_PARAMETERS: dict[str, Check] = {
    "model": parameters.string,
    "messages": parameters.filled_array,
    "audio": parameters.obj,
    "frequency_penalty": number(-2, 2),
    "function_call": parameters.anything,
    "functions": parameters.array,
    "logit_bias": parameters.obj,
    "logprobs": parameters.boolean,
    "max_completion_tokens": integer(1, MOST_TOKENS),
    "max_tokens": integer(1, MOST_TOKENS),
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
    "reasoning_effort": parameters.effort,
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


def check_chat(body: dict[str, Any], config: SandboxConfig) -> Conversation:
    """The conversation in a body.

    Raises:
        ApiError: With OpenAI's status, type, code and parameter.
    """
    given = {name: value for name, value in body.items() if value is not None}
    model = check_model(given, config)
    if models.embeds(model):
        raise errors.no_chat_model()
    check_parameters(body.keys(), given, _PARAMETERS)
    _check_stream(given)
    _check_together(given)
    _check_reasoning(model, given)
    turns = check_messages(given)
    json_mode = given.get("response_format", {}).get("type") == "json_object"
    if json_mode and not any("json" in turn.text.lower() for turn in turns):
        raise errors.no_json_asked()
    prompt_tokens, window = count_prompt(turns), window_of(model, config)
    if prompt_tokens > window:
        raise errors.context_exceeded(window, prompt_tokens)
    return Conversation(
        model=model,
        turns=turns,
        prompt_tokens=prompt_tokens,
        max_tokens=given.get("max_completion_tokens", given.get("max_tokens")),
        choices=given.get("n", 1),
        tier=tier_of(model, given),
        json_mode=json_mode,
        schema=_schema(given),
        metadata=given.get("metadata"),
        stored=given.get("store", False),
        streamed=given.get("stream", False),
        streams_usage=given.get("stream_options", {}).get("include_usage") is True,
    )


def _schema(given: dict[str, Any]) -> Mapping[str, Any] | None:
    wanted = given.get("response_format", {})
    if wanted.get("type") != "json_schema":
        return None
    place = "response_format.json_schema"
    if wanted.get("json_schema") is None:
        raise errors.missing_parameter(place)
    parameters.obj(place, wanted["json_schema"])
    return check_format(place, wanted["json_schema"])


def _check_together(given: dict[str, Any]) -> None:
    if "max_tokens" in given and "max_completion_tokens" in given:
        raise errors.ApiError(
            400,
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            code="invalid_parameter_combination",
        )
    check_tools(given)


def _check_stream(given: dict[str, Any]) -> None:
    if "stream_options" in given and not given.get("stream"):
        raise errors.ApiError(
            400,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )


def _check_reasoning(model: str, given: dict[str, Any]) -> None:
    if not models.is_reasoning(model):
        if "reasoning_effort" in given:
            raise errors.unsupported_parameter("reasoning_effort")
        return
    if "max_tokens" in given:
        raise errors.unsupported_parameter("max_tokens", "max_completion_tokens")
    check_sampling(given)
