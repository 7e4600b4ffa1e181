"""What `POST /v1/batches` accepts."""

from dataclasses import dataclass
from typing import Any

from processor.sandbox import errors, parameters
from processor.sandbox.batches.endpoints import ELSEWHERE, SERVED
from processor.sandbox.files.upload import LEAST_LIFE_S, MOST_LIFE_S
from processor.sandbox.parameters import Check, integer, one_of
from processor.sandbox.validation import check_parameters

WINDOW = "24h"
_ENDPOINTS = (*SERVED, *ELSEWHERE)
_PARAMETERS: dict[str, Check] = {
    "input_file_id": parameters.string,
    "endpoint": parameters.string,
    "completion_window": one_of(WINDOW),
    "metadata": parameters.metadata,
    "output_expires_after": parameters.obj,
}
_LIFE: dict[str, Check] = {
    "anchor": one_of("created_at"),
    "seconds": integer(LEAST_LIFE_S, MOST_LIFE_S),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A valid request for a batch.

    Attributes:
        endpoint: As OpenAI names it.
        output_life_s: Of the files that it will write, from when it writes them.
    """

    input_file_id: str
    endpoint: str
    metadata: dict[str, str] | None
    output_life_s: int


def check_creation(body: dict[str, Any], *, azure: bool) -> Creation:
    """The batch that a body asks for.

    Args:
        body: Of the request.
        azure: Whether the endpoint may be named as Azure names it.

    Raises:
        ApiError: With OpenAI's status, type, code and parameter.
    """
    given = {name: value for name, value in body.items() if value is not None}
    check_parameters(body.keys(), given, _PARAMETERS)
    for name in ("input_file_id", "endpoint", "completion_window"):
        if name not in given:
            raise errors.missing_parameter(name)
    return Creation(
        input_file_id=given["input_file_id"],
        endpoint=_endpoint(given["endpoint"], azure=azure),
        metadata=given.get("metadata"),
        output_life_s=_life_s(given.get("output_expires_after")),
    )


def _endpoint(asked: str, *, azure: bool) -> str:
    name = f"/v1{asked}" if azure and not asked.startswith("/v1/") else asked
    one_of(*_ENDPOINTS)("endpoint", name)
    if name in ELSEWHERE:
        raise errors.ApiError(
            400,
            f"Unsupported value: the sandbox serves no batches of '{asked}'.",
            param="endpoint",
            code="unsupported_value",
        )
    return name


def _life_s(policy: dict[str, Any] | None) -> int:
    if policy is None:
        return MOST_LIFE_S
    for name in policy:
        if name not in _LIFE:
            raise errors.unknown_parameter(f"output_expires_after.{name}")
    for name, check in _LIFE.items():
        if name not in policy:
            raise errors.missing_parameter(f"output_expires_after.{name}")
        check(f"output_expires_after.{name}", policy[name])
    return int(policy["seconds"])
