"""JSON Schema, compiled: what is wrong with a value, said so that a model can mend it."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from processor.errors import TaskError

_PROBLEMS_MOST = 5
_CHARS_MOST = 200
_TOO_DEEP = "it is nested more deeply than 255 levels"
# Stands for the value: what a model answered belongs into no log.
_MASK = "the value"
_NO_PATTERN = "; patterns know no look-around and no back-references"
# A table without any of these was written for something else, and would be fitted by everything.
_KEYWORDS = frozenset(
    {
        *("$dynamicRef", "$recursiveRef", "$ref", "additionalProperties", "allOf", "anyOf"),
        *("const", "contains", "dependentRequired", "enum", "if", "items", "maxItems"),
        *("maxLength", "maximum", "minItems", "minLength", "minimum", "not", "oneOf"),
        *("pattern", "patternProperties", "prefixItems", "properties", "propertyNames"),
        *("required", "type"),
    }
)


class Schema:
    """A schema whose patterns take linear time and whose references stay within it.

    Args:
        schema: Draft 4 to 2020-12; the latest where it does not say.
        where: File and key, for messages.

    Raises:
        TaskError: It is no JSON Schema; one line that says where in it.
    """

    def __init__(self, schema: Mapping[str, Any], *, where: str) -> None:
        if _KEYWORDS.isdisjoint(schema):
            raise TaskError(f"{where}: no JSON Schema: has none of its words, such as type")
        try:
            _compiled(schema)
            self._validator = _compiled(schema, mask=_MASK)
        except ValueError as error:  # jsonschema_rs.ValidationError, and what is no JSON at all
            raise TaskError(f"{where}: no JSON Schema: {_fault_of(error)}") from error

    def problems(self, value: Any) -> list[str]:
        """Where a value does not fit, and why: a few of them, each short; none when it fits."""
        try:
            if self._validator.is_valid(value):
                return []
            return list(islice(map(_described, self._validator.iter_errors(value)), _PROBLEMS_MOST))
        except ValueError:  # the library goes 255 levels down
            return [_TOO_DEEP]


class Pattern:
    """A regular expression that takes linear time.

    Args:
        source: Of ECMA's kind, without look-around and back-references; found anywhere in a text.
        where: File and key, for messages.

    Raises:
        TaskError: It is none.
    """

    def __init__(self, source: str, *, where: str) -> None:
        try:
            self._validator = _compiled({"type": "string", "pattern": source})
        except ValueError as error:
            raise TaskError(f"{where}: no regular expression: {source!r}{_NO_PATTERN}") from error

    def is_in(self, text: str) -> bool:
        """Whether a text holds what it describes."""
        return self._validator.is_valid(text)


def _compiled(schema: Mapping[str, Any], *, mask: str | None = None) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        dict(schema),
        mask=mask,
        validate_formats=True,
        offline=True,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def _fault_of(error: ValueError) -> str:
    if not isinstance(error, jsonschema_rs.ValidationError):
        return _short(str(error))
    return _described(error) + (_NO_PATTERN if error.message.endswith('is not a "regex"') else "")


def _described(error: jsonschema_rs.ValidationError) -> str:
    place = _place(error.instance_path)
    return f"{place}: {_short(error.message)}" if place else _short(error.message)


def _place(path: Sequence[str | int]) -> str:
    """Such as `items[2].price`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CHARS_MOST else line[: _CHARS_MOST - 1] + "…"
