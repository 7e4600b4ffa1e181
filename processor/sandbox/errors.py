"""Refusals, in OpenAI's words: `{"error": {"message", "type", "param", "code"}}`."""

from typing import Any

import orjson

INVALID_REQUEST = "invalid_request_error"


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        code: Of the error; None without one.
        body: The JSON body.
        headers: Sent with it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = INVALID_REQUEST,  # noqa: A002 - OpenAI's name
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = error_body(message, type=type, param=param, code=code)
        self.headers = headers or {}


def error_body(
    message: str,
    *,
    type: str = INVALID_REQUEST,  # noqa: A002 - OpenAI's name
    param: str | None = None,
    code: str | None = None,
) -> bytes:
    """The JSON of an error."""
    fields: dict[str, Any] = {"message": message, "type": type, "param": param, "code": code}
    return orjson.dumps({"error": fields})


def missing_key() -> ApiError:
    """No bearer key came."""
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API "
        "key from https://platform.openai.com/account/api-keys.",
    )


def wrong_key(key: str) -> ApiError:
    """Another key is demanded; the message masks the one that came."""
    plain = key.encode("ascii", "replace").decode()
    shown = f"{plain[:3]}***{plain[-4:]}" if len(plain) > 12 else "***"
    return ApiError(
        401,
        f"Incorrect API key provided: {shown}. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def wrong_account(kind: str) -> ApiError:
    """The key belongs to another organisation or project than the header says."""
    return ApiError(
        401,
        f"OpenAI-{kind.capitalize()} header should match {kind} for API key",
        code=f"mismatched_{kind}",
    )


def unparsable() -> ApiError:
    """The body is no JSON: broken, NaN, half of a surrogate pair, another encoding."""
    return ApiError(
        400,
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was "
        "sent was not valid JSON.)",
    )


def wrong_content_type(content_type: str) -> ApiError:
    """The body does not say that it is JSON."""
    return ApiError(
        400,
        f"Unsupported content type: '{content_type}'. This API method only accepts "
        "'application/json' requests, but you specified the header 'Content-Type: "
        f"{content_type}'. Please try again with a supported content type.",
        code="unsupported_content_type",
    )


def missing_parameter(param: str) -> ApiError:
    """A required field is not there."""
    return ApiError(
        400,
        f"Missing required parameter: '{param}'.",
        param=param,
        code="missing_required_parameter",
    )


def unknown_parameter(param: str) -> ApiError:
    """A field that the API does not have."""
    return ApiError(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def invalid_type(param: str, expected: str, value: object) -> ApiError:
    """A field has a value of another JSON type than it must."""
    return ApiError(
        400,
        f"Invalid type for '{param}': expected {expected}, but got {json_type(value)} instead.",
        param=param,
        code="invalid_type",
    )


def invalid_value(param: str, value: object, supported: tuple[str, ...]) -> ApiError:
    """A field is none of its choices."""
    names = [f"'{name}'" for name in supported]
    listed = f"{', '.join(names[:-1])}, and {names[-1]}" if len(names) > 1 else names[0]
    return ApiError(
        400,
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        param=param,
        code="invalid_value",
    )


def out_of_range(param: str, value: float, *, least: float, most: float) -> ApiError:
    """A number is too small or too large."""
    kind = "integer" if isinstance(value, int) else "decimal"
    side, sign, bound = ("below_min", ">=", least) if value < least else ("above_max", "<=", most)
    words = "below minimum value" if value < least else "above maximum value"
    return ApiError(
        400,
        f"Invalid '{param}': {kind} {words}. Expected a value {sign} {bound:g}, "
        f"but got {value:g} instead.",
        param=param,
        code=f"{kind}_{side}_value",
    )


def empty_array(param: str) -> ApiError:
    """A list that must not be empty."""
    return ApiError(
        400,
        f"Invalid '{param}': empty array. Expected an array with minimum length 1, "
        "but got an empty array instead.",
        param=param,
        code="empty_array",
    )


def too_many(param: str, count: int, *, most: int) -> ApiError:
    """A list is too long."""
    return ApiError(
        400,
        f"Invalid '{param}': array too long. Expected an array with maximum length {most}, "
        f"but got an array with length {count} instead.",
        param=param,
        code="array_above_max_length",
    )


def wrong_pattern(param: str, pattern: str) -> ApiError:
    """A text has characters that it must not."""
    return ApiError(
        400,
        f"Invalid '{param}': string does not match pattern. "
        f"Expected a string that matches the pattern '{pattern}'.",
        param=param,
        code="invalid_value",
    )


def only_with_tools(param: str) -> ApiError:
    """A field that means nothing without tools."""
    return ApiError(
        400,
        f"Invalid value for '{param}': '{param}' is only allowed when 'tools' are specified.",
        param=param,
    )


def not_here(param: str, reason: str) -> ApiError:
    """What OpenAI could and the sandbox cannot."""
    return ApiError(
        400,
        f"Unsupported value: '{param}' does not support true: {reason}.",
        param=param,
        code="unsupported_value",
    )


def no_chat_model() -> ApiError:
    """The model does not talk."""
    return ApiError(
        404,
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
        "Did you mean to use v1/completions?",
        param="model",
    )


def no_embedding_model() -> ApiError:
    """The model talks, and does nothing else."""
    return ApiError(403, "You are not allowed to generate embeddings from this model")


def invalid_input() -> ApiError:
    """What cannot be embedded; the message says no more than that."""
    return ApiError(
        400,
        "'$.input' is invalid. Please check the API reference: "
        "https://platform.openai.com/docs/api-reference.",
    )


def input_too_long(limit: int) -> ApiError:
    """A text does not fit into the window of an embedding model."""
    return ApiError(400, f"Invalid 'input': maximum context length is {limit} tokens.")


def too_many_tokens(tokens: int, *, most: int) -> ApiError:
    """All texts of a request together are too long."""
    return ApiError(
        400,
        f"Requested {tokens} tokens, max {most} tokens per request",
        type="max_tokens_per_request",
        code="max_tokens_per_request",
    )


def too_many_dimensions(asked: int, *, most: int) -> ApiError:
    """The model's vectors are shorter than that."""
    return ApiError(
        400, f"Invalid value for 'dimensions' = {asked}. Must be less than or equal to {most}."
    )


def no_responding_model(model: str) -> ApiError:
    """The model does not talk."""
    return ApiError(
        400,
        f"The requested model '{model}' cannot be used with the Responses API.",
        param="model",
    )


def moved(param: str, place: str) -> ApiError:
    """A parameter of chat that responses have elsewhere."""
    return ApiError(
        400,
        f"Unsupported parameter: '{param}'. In the Responses API, this parameter has moved to "
        f"'{place}'. Try again with the new parameter. See the API documentation for more "
        "information: https://platform.openai.com/docs/api-reference/responses/create.",
        param=param,
        code="unsupported_parameter",
    )


def no_such_response(name: str) -> ApiError:
    """What is to be fetched is not there."""
    return ApiError(404, f"Response with id '{name}' not found.")


def input_exceeds_window() -> ApiError:
    """The input of a response does not fit into the model's window."""
    return ApiError(
        400,
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again.",
        param="input",
        code="context_length_exceeded",
    )


def no_json_in_input() -> ApiError:
    """JSON mode of a response without an input that asks for JSON."""
    return ApiError(
        400,
        "Response input messages must contain the word 'json' in some form to use 'text.format' "
        "of type 'json_object'.",
        param="input",
    )


def no_json_asked() -> ApiError:
    """JSON mode without a message that asks for JSON."""
    return ApiError(
        400,
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
        "'json_object'.",
        param="messages",
    )


def unsupported_value(param: str, value: object, default: str) -> ApiError:
    """The model takes only the default."""
    return ApiError(
        400,
        f"Unsupported value: '{param}' does not support {value} with this model. "
        f"Only the default ({default}) value is supported.",
        param=param,
        code="unsupported_value",
    )


def unsupported_parameter(param: str, instead: str | None = None) -> ApiError:
    """The model does not take the field at all."""
    advice = f" Use '{instead}' instead." if instead else ""
    return ApiError(
        400,
        f"Unsupported parameter: '{param}' is not supported with this model.{advice}",
        param=param,
        code="unsupported_parameter",
    )


def unknown_model(model: str) -> ApiError:
    """No such model, or not for this account."""
    return ApiError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


def retired_model(model: str) -> ApiError:
    """The model was shut down."""
    return ApiError(
        404,
        f"The model `{model}` has been deprecated, learn more here: "
        "https://platform.openai.com/docs/deprecations",
        code="model_not_found",
    )


def context_exceeded(limit: int, tokens: int) -> ApiError:
    """The messages do not fit into the model's window."""
    return ApiError(
        400,
        f"This model's maximum context length is {limit} tokens. However, your messages resulted "
        f"in {tokens} tokens. Please reduce the length of the messages.",
        param="messages",
        code="context_length_exceeded",
    )


def no_such_url(method: str, path: str) -> ApiError:
    """A route that is not there."""
    return ApiError(404, f"Invalid URL ({method} {path})")


def wrong_method(method: str, path: str) -> ApiError:
    """A route that is there, for another method."""
    return ApiError(405, f"Not allowed to {method} on {path}.", code="method_not_supported")


def too_large(limit_bytes: int) -> ApiError:
    """The body is longer than the server reads."""
    return ApiError(413, f"Maximum content size limit ({limit_bytes}) exceeded.")


def server_error(message: str) -> ApiError:
    """The server cannot do what it should."""
    return ApiError(500, message, type="server_error", code="server_error")


_JSON_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def json_type(value: object) -> str:
    """A JSON type with its article, as in "but got an integer instead"."""
    return _JSON_TYPES[type(value)]
