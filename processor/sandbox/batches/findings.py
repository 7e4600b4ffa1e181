"""What is wrong with the input of a batch, in OpenAI's words."""

from typing import Any


def finding(
    code: str, message: str, *, line: int | None = None, param: str | None = None
) -> dict[str, Any]:
    """One of a failed batch's errors.

    Args:
        code: Of the error.
        message: For people.
        line: Of the input file, from 1; None when it concerns them all.
        param: What it is about.
    """
    return {"code": code, "line": line, "message": message, "param": param}


def no_file(name: str, organization: str) -> dict[str, Any]:
    """The input is not there, or no more."""
    return finding(
        "invalid_request",
        f"Cannot find file {name}, or organization {organization} does not have access to it.",
        param="file_id",
    )


def wrong_purpose(name: str) -> dict[str, Any]:
    """The input was uploaded for something else."""
    return finding(
        "invalid_request", f"File {name} must have purpose 'batch'.", param="input_file_id"
    )


def empty_file() -> dict[str, Any]:
    """The input has no line."""
    return finding(
        "empty_file",
        "The input file is empty. Please ensure that the batch contains at least one request.",
    )


def too_many_tasks(most: int) -> dict[str, Any]:
    """The input has too many lines."""
    return finding(
        "too_many_tasks",
        f"The batch input file contains more requests than the maximum of {most} per batch.",
    )


def too_many_inputs(most: int) -> dict[str, Any]:
    """The lines ask for too many vectors together."""
    return finding(
        "too_many_tasks",
        f"The batch input file contains more embedding inputs than the maximum of {most} per "
        "batch.",
    )


def no_json(line: int) -> dict[str, Any]:
    """The line cannot be read."""
    return finding("invalid_json_line", "This line is not parseable as valid JSON.", line=line)


def missing(name: str, line: int) -> dict[str, Any]:
    """The line lacks what each must have."""
    return finding(
        "missing_required_parameter",
        f"Missing required parameter: '{name}'.",
        line=line,
        param=name,
    )


def wrong_type(name: str, expected: str, line: int) -> dict[str, Any]:
    """A value has another JSON type than it must."""
    return finding(
        "invalid_request", f"Invalid type for '{name}': expected {expected}.", line=line, param=name
    )


def duplicate(line: int) -> dict[str, Any]:
    """Another line has the same custom_id."""
    return finding(
        "duplicate_custom_id",
        "The custom_id for this request is a duplicate of another request. The custom_id "
        "parameter must be unique for each request in a batch.",
        line=line,
        param="custom_id",
    )


def wrong_method(line: int) -> dict[str, Any]:
    """Not POST."""
    return finding(
        "invalid_method", "Invalid method: only POST is supported.", line=line, param="method"
    )


def wrong_url(line: int) -> dict[str, Any]:
    """Another endpoint than the batch's."""
    return finding(
        "invalid_url",
        "The URL provided for this request does not match the batch endpoint.",
        line=line,
        param="url",
    )


def no_parameter(name: str, line: int) -> dict[str, Any]:
    """The body lacks what the endpoint needs."""
    return finding(
        "invalid_request",
        f"{name.capitalize()} parameter is required.",
        line=line,
        param=f"body.{name}",
    )


def no_streaming(words: str, line: int) -> dict[str, Any]:
    """Nobody would be there to read."""
    return finding(
        "streaming_unsupported",
        f"{words}: Streaming is not supported in the Batch API.",
        line=line,
        param="body.stream",
    )


def unknown_model(model: str, line: int) -> dict[str, Any]:
    """No such model, or not for this account."""
    return finding(
        "model_not_found",
        f"The provided model '{model}' is not supported by the Batch API.",
        line=line,
        param="body.model",
    )


def other_model(model: str, line: int) -> dict[str, Any]:
    """Another model than the first line's."""
    return finding(
        "mismatched_model",
        f"The provided model '{model}' does not match the rest of the batch. Each batch must "
        "contain requests for a single model.",
        line=line,
        param="body.model",
    )


def too_many_tokens(model: str, organization: str, most: int) -> dict[str, Any]:
    """What the account has waiting is too much already."""
    return finding("token_limit_exceeded", token_limit_words(model, organization, most))


def token_limit_words(model: str, organization: str, most: int) -> str:
    """As they are told in all three forms."""
    return (
        f"Enqueued token limit reached for {model} in organization {organization}. Limit: "
        f"{most:,} enqueued tokens. Please try again once some in_progress batches have been "
        "completed."
    )
