"""Structured output: which JSON Schemas the API takes, in OpenAI's words of refusal."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from processor.sandbox import parameters
from processor.sandbox.errors import ApiError, missing_parameter, unknown_parameter, wrong_pattern
from processor.sandbox.parameters import Check

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEYS: dict[str, Check] = {
    "name": parameters.string,
    "description": parameters.string,
    "schema": parameters.obj,
    "strict": parameters.boolean,
}
_NOT_STRICT = ("allOf", "dependentRequired", "dependentSchemas", "else", "if", "not", "then")
_LISTS = ("anyOf", "oneOf", "prefixItems")
_TABLES = ("$defs", "definitions", "properties")

Place = tuple[str, ...]


def check_format(param: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a request wants its answer to fit.

    Args:
        param: Where the wish stands in the request.
        wanted: It; its type is left out.

    Raises:
        ApiError: It is not as it has to be.
    """
    for name, value in wanted.items():
        if name not in _KEYS:
            raise unknown_parameter(f"{param}.{name}")
        if value is not None:
            _KEYS[name](f"{param}.{name}", value)
    for name in ("name", "schema"):
        if wanted.get(name) is None:
            raise missing_parameter(f"{param}.{name}")
    if not _NAME.fullmatch(wanted["name"]):
        raise wrong_pattern(f"{param}.name", "^[a-zA-Z0-9_-]+$")
    schema: Mapping[str, Any] = wanted["schema"]
    _check_schema(param, wanted["name"], schema)
    if schema.get("type") != "object":
        told = schema.get("type", "None")
        said = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{told}\"'."
        raise _invalid(param, wanted["name"], said)
    problem = next(_problems(schema, ()), None) if wanted.get("strict") else None
    if problem is not None:
        raise _invalid(param, wanted["name"], problem)
    return schema


def _check_schema(param: str, name: str, schema: Mapping[str, Any]) -> None:
    import jsonschema_rs  # noqa: PLC0415 - 15 MB that most runs do without

    try:
        jsonschema_rs.validator_for(dict(schema), offline=True)
    except ValueError as error:
        raise _invalid(param, name, str(error).split("\n", maxsplit=1)[0]) from error


def _invalid(param: str, name: str, said: str) -> ApiError:
    return ApiError(
        400,
        f"Invalid schema for response_format '{name}': {said}",
        param=param.split(".", maxsplit=1)[0],
        code="invalid_json_schema",
    )


def _problems(schema: Any, place: Place) -> Iterator[str]:
    """What strict mode refuses."""
    if not isinstance(schema, Mapping):
        return
    at = f"In context={place}, "
    for keyword in _NOT_STRICT:
        if keyword in schema:
            yield f"{at}'{keyword}' is not permitted."
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{at}'additionalProperties' is required to be supplied and to be false."
        for name in schema.get("properties", {}):
            if name not in schema.get("required", ()):
                yield (
                    f"{at}'required' is required to be supplied and to be an array including "
                    f"every key in properties. Missing '{name}'."
                )
    for inner, step in _inner(schema):
        yield from _problems(inner, (*place, *step))


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[Any, Place]]:
    if "items" in schema:
        yield schema["items"], ("items",)
    for keyword in _LISTS:
        for number, inner in enumerate(schema.get(keyword, ())):
            yield inner, (keyword, str(number))
    for keyword in _TABLES:
        for name, inner in schema.get(keyword, {}).items():
            yield inner, (keyword, name)
