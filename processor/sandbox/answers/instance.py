"""Values that fit a JSON Schema, drawn from a seed.

As far as it goes: a `pattern` is not looked at, of `allOf` only the first, and what a schema
demands that contradicts itself cannot be had.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from processor.sandbox.seeded import draw, pick

_DEEP = 8  # from here on nothing is made that need not be
_WORDS = ("사과", "green", "river", "하늘", "stone", "paper", "바람", "seven")
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "date": "2026-11-21",
        "date-time": "2026-11-21T09:30:00Z",
        "duration": "P1D",
        "email": "someone@example.com",
        "hostname": "example.com",
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "time": "09:30:00Z",
        "uri": "https://example.com/",
        "uuid": "6f1c2d9e-52b7-4c3a-9f0e-1d2c3b4a5968",
    }
)


class Instance:
    """Makes values for one schema.

    Args:
        schema: The whole, which references are looked up in.
        seed: Of the sandbox.
        context: What is asked; another question gets other values.
    """

    def __init__(self, schema: Mapping[str, Any], seed: int, context: str) -> None:
        self._whole = schema
        self._name = (seed, "instance", context)

    def value(self) -> Any:
        """A value of the whole schema."""
        return self._make(self._whole, ())

    def _make(self, schema: Any, place: tuple[str, ...]) -> Any:
        schema = self._resolved(schema)
        if len(place) > 2 * _DEEP:  # what demands itself has no value
            return None
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._pick(schema["enum"], place)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if schema.get(keyword):
                return self._make({**schema, keyword: None, **self._choice(schema, keyword)}, place)
        make = self._makers().get(_type_of(schema))
        return None if make is None else make(schema, place)

    def _makers(self) -> Mapping[str, Callable[[Mapping[str, Any], tuple[str, ...]], Any]]:
        return {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _, place: self._draw(place) < 0.5,
        }

    def _choice(self, schema: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
        choices = [self._resolved(choice) for choice in schema[keyword]]
        return next((one for one in choices if _type_of(one) not in {"null", "object"}), choices[0])

    def _object(self, schema: Mapping[str, Any], place: tuple[str, ...]) -> dict[str, Any]:
        required = schema.get("required", ())
        return {
            name: self._make(inner, (*place, name))
            for name, inner in schema.get("properties", {}).items()
            if name in required or (len(place) < _DEEP and self._draw((*place, name, "?")) < 0.5)
        }

    def _array(self, schema: Mapping[str, Any], place: tuple[str, ...]) -> list[Any]:
        least = schema.get("minItems", 0)
        more = 0 if len(place) >= _DEEP else int(self._draw(place) * 3)
        count = max(least, min(least + more, schema.get("maxItems", math.inf)))
        inner = schema.get("items", {"type": "string"})
        return [self._make(inner, (*place, str(number))) for number in range(count)]

    def _string(self, schema: Mapping[str, Any], place: tuple[str, ...]) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        word: str = self._pick(_WORDS, place)
        return word.ljust(schema.get("minLength", 0), "·")[: schema.get("maxLength")]

    def _integer(self, schema: Mapping[str, Any], place: tuple[str, ...]) -> int:
        step = schema.get("multipleOf", 1)
        return int(math.ceil(self._number(schema, place) / step) * step)

    def _number(self, schema: Mapping[str, Any], place: tuple[str, ...]) -> float:
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        most = schema.get("maximum", schema.get("exclusiveMaximum", least + 100))
        drawn: float = least + (most - least) * (0.25 + self._draw(place) / 2)
        return round(drawn, 2) if most - least > 1 else drawn

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        """A schema without its reference, which is one within the whole."""
        for _ in range(_DEEP):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                break
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._at(schema["$ref"]), **beside}
        return schema if isinstance(schema, Mapping) else {}

    def _at(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._whole
        for step in reference.lstrip("#/").split("/"):
            found = found.get(step, {}) if step and isinstance(found, Mapping) else found
        return found if isinstance(found, Mapping) else {}

    def _draw(self, place: tuple[str, ...]) -> float:
        return draw(*self._name, *place)

    def _pick(self, choices: Any, place: tuple[str, ...]) -> Any:
        return pick(choices, *self._name, *place)


def _type_of(schema: Mapping[str, Any]) -> str:
    told = schema.get("type")
    if isinstance(told, list):
        told = next((name for name in told if name != "null"), "null")
    if isinstance(told, str):
        return told
    return "object" if "properties" in schema else "string"
