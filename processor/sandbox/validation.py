"""What holds for the requests of every endpoint: as strict as OpenAI, who refuse, not ignore."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.conversation import FLEX, Turn
from processor.sandbox.parameters import Check
from processor.sandbox.tokens import count_tokens

# More than any model answers.
MOST_TOKENS = 2_000_000
# The roles and the final reply have their price, too.
_TOKENS_PER_MESSAGE = 3

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


def check_model(given: Mapping[str, Any], config: SandboxConfig) -> str:
    """The model that a request names.

    Raises:
        ApiError: None, or one that is not there.
    """
    if "model" not in given:
        raise errors.ApiError(400, "you must provide a model parameter")
    model = given["model"]
    parameters.string("model", model)
    if not models.is_known(model, config.models):
        raise (errors.retired_model if models.is_retired(model) else errors.unknown_model)(model)
    return str(model)


def check_parameters(
    names: Iterable[str], given: Mapping[str, Any], known: Mapping[str, Check]
) -> None:
    """Demand that an endpoint has the parameters, and that each has a value that it can have.

    Args:
        names: Of all parameters, those with null, too.
        given: Those with a value.
        known: The endpoint's.

    Raises:
        ApiError: One has not, or one cannot be.
    """
    for name in names:
        if name not in known:
            raise errors.unknown_parameter(name)
    for name, value in given.items():
        known[name](name, value)


def check_no_stream(given: Mapping[str, Any]) -> None:
    """Demand a whole answer.

    Raises:
        ApiError: A stream is asked for.
    """
    if given.get("stream"):
        raise errors.not_here("stream", "the sandbox does not stream")


def check_tools(given: Mapping[str, Any]) -> None:
    """Demand tools where something is said of them.

    Raises:
        ApiError: There are none.
    """
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in given and "tools" not in given:
            raise errors.only_with_tools(name)


def check_sampling(given: Mapping[str, Any]) -> None:
    """Demand what reasoning models demand of parameters that steer the draw of words.

    Raises:
        ApiError: One is not at its default.
    """
    for name, only in _FIXED_WHEN_REASONING.items():
        if name not in given:
            continue
        if only is None:
            raise errors.unsupported_parameter(name)
        if given[name] != only:
            raise errors.unsupported_value(name, given[name], str(only))


def count_prompt(turns: Iterable[Turn]) -> int:
    """Tokens of a conversation."""
    return sum(count_tokens(turn.text) + _TOKENS_PER_MESSAGE for turn in turns) + 3


def tier_of(model: str, given: Mapping[str, Any]) -> str:
    """The tier that serves the request.

    Raises:
        ApiError: The model is not served at it.
    """
    if given.get("service_tier") == FLEX and not models.has_flex(model):
        raise errors.ApiError(400, "Invalid service_tier argument", param="service_tier")
    return {FLEX: FLEX, "priority": "priority"}.get(given.get("service_tier", ""), "default")


def window_of(model: str, config: SandboxConfig) -> int:
    """Tokens that fit into the model's context."""
    return config.context_tokens or models.window_tokens(model)
