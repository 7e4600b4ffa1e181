"""What `/v1/responses` accepts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.conversation import Conversation, Turn
from processor.sandbox.inputs import check_input
from processor.sandbox.parameters import Check, integer, number, one_of
from processor.sandbox.structured import check_format
from processor.sandbox.validation import (
    MOST_TOKENS,
    check_model,
    check_no_stream,
    check_parameters,
    check_sampling,
    count_prompt,
    tier_of,
    window_of,
)

_LEAST_TOKENS = 16

_PARAMETERS: dict[str, Check] = {
    "model": parameters.string,
    "input": parameters.anything,
    "access_programs": parameters.obj,
    "background": parameters.boolean,
    "context_management": parameters.array,
    "conversation": parameters.anything,
    "image": parameters.obj,
    "include": parameters.array,
    "instructions": parameters.string,
    "max_output_tokens": integer(_LEAST_TOKENS, MOST_TOKENS),
    "max_tool_calls": integer(1, 2**31),
    "metadata": parameters.metadata,
    "moderation": parameters.obj,
    "parallel_tool_calls": parameters.boolean,
    "previous_response_id": parameters.string,
    "prompt": parameters.obj,
    "prompt_cache_key": parameters.string,
    "prompt_cache_options": parameters.obj,
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "reasoning": parameters.obj,
    "safety_identifier": parameters.string,
    "service_tier": one_of("auto", "default", "flex", "priority"),
    "store": parameters.boolean,
    "stream": parameters.boolean,
    "stream_options": parameters.obj,
    "temperature": number(0, 2),
    "text": parameters.obj,
    "tool_choice": parameters.anything,
    "tools": parameters.array,
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "truncation": one_of("auto", "disabled"),
    "user": parameters.string,
}
_REASONING: dict[str, Check] = {
    "context": one_of("auto", "current_turn", "all_turns"),
    "effort": parameters.effort,
    "generate_summary": one_of("auto", "concise", "detailed"),
    "mode": parameters.string,
    "summary": one_of("auto", "concise", "detailed"),
}
_TEXT: dict[str, Check] = {
    "format": parameters.typed_object("text", "json_object", "json_schema"),
    "verbosity": one_of("low", "medium", "high"),
}
# What is said stands in the request: the sandbox looks nowhere else for it.
_ELSEWHERE = ("conversation", "previous_response_id", "prompt")
# Chat's parameters, and where they went.
_MOVED: Mapping[str, str] = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRequest:
    """A valid request for a response.

    Attributes:
        conversation: What is said, the instructions first.
        given: Its parameters, those with null left out.
    """

    conversation: Conversation
    given: Mapping[str, Any]

    @property
    def store(self) -> bool:
        """Whether the response can be fetched again later."""
        return bool(self.given.get("store", True))


def check_response(body: dict[str, Any], config: SandboxConfig) -> ResponseRequest:
    """The request that a body asks for.

    Raises:
        ApiError: With OpenAI's status, type, code and parameter.
    """
    given = {name: value for name, value in body.items() if value is not None}
    model = check_model(given, config)
    if models.embeds(model):
        raise errors.no_responding_model(model)
    for name, place in _MOVED.items():
        if name in body:
            raise errors.moved(name, place)
    check_parameters(body.keys(), given, _PARAMETERS)
    _check_within("text", given, _TEXT)
    _check_within("reasoning", given, _REASONING)
    _check_ability(given)
    _check_model_takes(model, given)
    turns = check_input(given)
    if "instructions" in given:
        turns = (Turn("system", given["instructions"]), *turns)
    conversation = Conversation(
        model=model,
        turns=turns,
        prompt_tokens=_prompt_tokens(turns, window_of(model, config)),
        max_tokens=given.get("max_output_tokens"),
        tier=tier_of(model, given),
        json_mode=_json_mode(given, turns),
        schema=_schema(given),
    )
    return ResponseRequest(conversation=conversation, given=given)


def _check_within(param: str, given: dict[str, Any], known: dict[str, Check]) -> None:
    for name, value in given.get(param, {}).items():
        if name not in known:
            raise errors.unknown_parameter(f"{param}.{name}")
        if value is not None:
            known[name](f"{param}.{name}", value)


def _check_ability(given: dict[str, Any]) -> None:
    check_no_stream(given)
    if given.get("background"):
        raise errors.not_here("background", "the sandbox answers at once")
    for name in _ELSEWHERE:
        if name in given:
            raise errors.unsupported_parameter(name)


def _check_model_takes(model: str, given: dict[str, Any]) -> None:
    if models.is_reasoning(model):
        check_sampling(given)
    elif (given.get("reasoning") or {}).get("effort") is not None:
        raise errors.unsupported_parameter("reasoning.effort")


def _schema(given: dict[str, Any]) -> Mapping[str, Any] | None:
    wanted = given.get("text", {}).get("format") or {}
    if wanted.get("type") != "json_schema":
        return None
    return check_format("text.format", {key: wanted[key] for key in wanted if key != "type"})


def _json_mode(given: dict[str, Any], turns: tuple[Turn, ...]) -> bool:
    wanted = (given.get("text", {}).get("format") or {}).get("type") == "json_object"
    if wanted and not any("json" in turn.text.lower() for turn in turns):
        raise errors.no_json_in_input()
    return wanted


def _prompt_tokens(turns: tuple[Turn, ...], window: int) -> int:
    tokens = count_prompt(turns)
    if tokens > window:
        raise errors.input_exceeds_window()
    return tokens
