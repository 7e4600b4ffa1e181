"""Checks of single JSON values, in OpenAI's words."""

from collections.abc import Callable
from typing import Any

from processor.sandbox import errors

# Raises ApiError when the value cannot be.
Check = Callable[[str, Any], None]


def anything(param: str, value: Any) -> None:
    """Whatever it is: the sandbox does nothing with it."""


def _of_type(kind: type, expected: str) -> Check:
    def check(param: str, value: Any) -> None:
        if type(value) is not kind:
            raise errors.invalid_type(param, expected, value)

    return check


string = _of_type(str, "a string")
boolean = _of_type(bool, "a boolean")
obj = _of_type(dict, "an object")
array = _of_type(list, "an array")


def filled_array(param: str, value: Any) -> None:
    """A list of at least one."""
    array(param, value)
    if not value:
        raise errors.empty_array(param)


def number(least: float, most: float) -> Check:
    """A number within bounds, both allowed."""

    def check(param: str, value: Any) -> None:
        if type(value) not in (int, float):
            raise errors.invalid_type(param, "a decimal", value)
        if not least <= value <= most:
            raise errors.out_of_range(param, float(value), least=least, most=most)

    return check


def integer(least: int, most: int) -> Check:
    """A whole number within bounds, both allowed."""

    def check(param: str, value: Any) -> None:
        if type(value) is not int:
            raise errors.invalid_type(param, "an integer", value)
        if not least <= value <= most:
            raise errors.out_of_range(param, value, least=least, most=most)

    return check


def one_of(*choices: str) -> Check:
    """One of some words."""

    def check(param: str, value: Any) -> None:
        string(param, value)
        if value not in choices:
            raise errors.invalid_value(param, value, choices)

    return check


effort = one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")


def typed_object(*types: str) -> Check:
    """An object whose `type` is one of some words."""

    def check(param: str, value: Any) -> None:
        obj(param, value)
        if "type" not in value:
            raise errors.missing_parameter(f"{param}.type")
        one_of(*types)(f"{param}.type", value["type"])

    return check


def stop(param: str, value: Any) -> None:
    """A stop sequence, or at most four."""
    if type(value) is list:
        if len(value) > 4:
            raise errors.too_many(param, len(value), most=4)
        for index, sequence in enumerate(value):
            string(f"{param}[{index}]", sequence)
        return
    if type(value) is not str:
        raise errors.invalid_type(param, "one of a string or array of strings", value)


def modalities(param: str, value: Any) -> None:
    """Output types; no model here speaks."""
    array(param, value)
    for index, modality in enumerate(value):
        one_of("text", "audio")(f"{param}[{index}]", modality)
    if "audio" in value:
        raise errors.ApiError(
            400,
            f"Unsupported value: '{param}' does not support 'audio' with this model.",
            param=param,
            code="unsupported_value",
        )


def metadata(param: str, value: Any) -> None:
    """At most 16 pairs of text; keys of at most 64 characters, values of at most 512."""
    obj(param, value)
    if len(value) > 16:
        raise errors.ApiError(
            400,
            f"Invalid '{param}': too many properties. Expected an object with at most 16 "
            f"properties, but got an object with {len(value)} properties instead.",
            param=param,
            code="object_above_max_properties",
        )
    for key, text in value.items():
        string(f"{param}.{key}", text)
        if len(key) > 64 or len(text) > 512:
            raise errors.ApiError(
                400,
                f"Invalid '{param}.{key[:64]}': string too long.",
                param=f"{param}.{key[:64]}",
                code="string_above_max_length",
            )
