"""Whether OpenAI's strict mode takes a JSON Schema: it holds models to schemas of a certain form.

Its rules: the whole is an object, every object names all its properties as required and allows
no others, and some keywords are unknown to it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_UNKNOWN = ("allOf", "dependentRequired", "dependentSchemas", "else", "if", "not", "then")
_ONE = ("additionalProperties", "contains", "items", "not", "propertyNames")
_LISTS = ("anyOf", "oneOf", "prefixItems")
_TABLES = ("$defs", "definitions", "patternProperties", "properties")


def is_object(schema: Mapping[str, Any]) -> bool:
    """Whether the whole is an object, without which no structured output can be asked for."""
    return schema.get("type") == "object"


def problem_with(schema: Mapping[str, Any]) -> str | None:
    """Why strict mode would refuse a schema; None when it takes it."""
    if "anyOf" in schema:
        return "the whole must not be an anyOf"
    return next(_problems(schema, ""), None)


def _problems(schema: Any, place: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    at = f"{place}: " if place else ""
    for keyword in _UNKNOWN:
        if keyword in schema:
            yield f"{at}{keyword} is unknown to it"
    if schema.get("type") == "object" or "properties" in schema:
        yield from _problems_of_object(schema, at)
    for step, inner in _inner(schema):
        yield from _problems(inner, f"{place}.{step}" if place else step)


def _problems_of_object(schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"{at}additionalProperties must be false"
    required = schema.get("required", ())
    for name in schema.get("properties", {}):
        if name not in required:
            yield f"{at}{name} must be required"


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas within a schema, and where each stands."""
    for keyword in _ONE:
        if keyword in schema:
            yield keyword, schema[keyword]
    for keyword in _LISTS:
        for place, inner in enumerate(schema.get(keyword, ())):
            yield f"{keyword}[{place}]", inner
    for keyword in _TABLES:
        for name, inner in schema.get(keyword, {}).items():
            yield f"{keyword}.{name}", inner
