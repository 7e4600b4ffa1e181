"""What `/v1/embeddings` accepts."""

from dataclasses import dataclass
from typing import Any

from processor.sandbox import errors, models, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.parameters import Check, integer, one_of
from processor.sandbox.tokens import count_tokens
from processor.sandbox.validation import check_model, check_parameters

_WINDOW_TOKENS = 8_192
_REQUEST_TOKENS = 300_000
_INPUTS = 2_048
_VOCABULARY = 2**31

_PARAMETERS: dict[str, Check] = {
    "model": parameters.string,
    "input": parameters.anything,
    "dimensions": integer(1, 2**31),
    "encoding_format": one_of("float", "base64"),
    "user": parameters.string,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """A valid request for vectors.

    Attributes:
        model: As it was asked for.
        texts: What is embedded, in order; tokens are written as their numbers.
        numbers: Of each vector.
        prompt_tokens: Of all texts.
        base64: Whether the vectors travel as base64.
    """

    model: str
    texts: tuple[str, ...]
    numbers: int
    prompt_tokens: int
    base64: bool


def check_embedding(body: dict[str, Any], config: SandboxConfig) -> EmbeddingRequest:
    """The request that a body asks for.

    Raises:
        ApiError: With OpenAI's status, type, code and parameter.
    """
    given = {name: value for name, value in body.items() if value is not None}
    model = check_model(given, config)
    if not models.embeds(model):
        raise errors.no_embedding_model()
    check_parameters(body.keys(), given, _PARAMETERS)
    if "input" not in given:
        raise errors.missing_parameter("input")
    texts, tokens = zip(*_inputs(given["input"]), strict=True)
    window = config.context_tokens or _WINDOW_TOKENS
    if max(tokens) > window:
        raise errors.input_too_long(window)
    if sum(tokens) > _REQUEST_TOKENS:
        raise errors.too_many_tokens(sum(tokens), most=_REQUEST_TOKENS)
    return EmbeddingRequest(
        model=model,
        texts=texts,
        numbers=_numbers(model, given.get("dimensions")),
        prompt_tokens=sum(tokens),
        base64=given.get("encoding_format") == "base64",
    )


def _inputs(value: Any) -> list[tuple[str, int]]:
    """Each input as text, with its tokens: one text, texts, one list of tokens, or lists of them.

    Raises:
        ApiError: It is none of these, or one is empty.
    """
    if type(value) is str:
        value = [value]
    if type(value) is not list or not value:
        raise errors.invalid_input()
    if type(value[0]) is int:
        value = [value]
    if len(value) > _INPUTS:
        raise errors.too_many("input", len(value), most=_INPUTS)
    kind = type(value[0])
    if kind not in {str, list} or any(type(one) is not kind or not one for one in value):
        raise errors.invalid_input()
    return [(one, count_tokens(one)) if kind is str else _tokens(one) for one in value]


def _tokens(value: list[Any]) -> tuple[str, int]:
    if any(type(token) is not int or not 0 <= token < _VOCABULARY for token in value):
        raise errors.invalid_input()
    return " ".join(map(str, value)), len(value)


def _numbers(model: str, asked: int | None) -> int:
    most = models.vector_numbers(model)
    if asked is None:
        return most
    if not models.shortens(model):
        raise errors.ApiError(400, "This model does not support specifying dimensions.")
    if asked > most:
        raise errors.too_many_dimensions(asked, most=most)
    return asked
