"""Structured output of the sandbox: what it refuses, and that its answers fit."""

from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, strategies as st

from processor.sandbox.answers.instance import Instance
from processor.sandbox.errors import ApiError
from processor.sandbox.structured import check_format

CLOSED: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def wish(schema: dict[str, Any], *, strict: bool = True, name: str = "n") -> dict[str, Any]:
    return {"name": name, "schema": schema, "strict": strict}


def closed(**properties: Any) -> dict[str, Any]:
    return {**CLOSED, "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    "wanted",
    [
        wish(CLOSED),
        wish({"type": "object"}, strict=False),
        wish(closed(a={"anyOf": [closed(b={}), {"type": "null"}]})),
        {"name": "n", "schema": {"type": "object"}, "description": "d", "strict": None},
    ],
)
def test_a_wish_that_is_taken(wanted: dict[str, Any]) -> None:
    assert check_format("f", wanted) == wanted["schema"]


@pytest.mark.parametrize(
    ("wanted", "param", "code", "said"),
    [
        ({"schema": CLOSED}, "f.name", "missing_required_parameter", ""),
        ({"name": "n"}, "f.schema", "missing_required_parameter", ""),
        ({"name": "n", "schema": []}, "f.schema", "invalid_type", "expected an object"),
        ({**wish(CLOSED), "more": 1}, "f.more", "unknown_parameter", ""),
        (wish(CLOSED, name="a b"), "f.name", "invalid_value", "pattern"),
        (
            wish({"type": "array"}, strict=False),
            "f",
            "invalid_json_schema",
            "got 'type: \"array\"'",
        ),
        (wish({"type": "object", "properties": 3}), "f", "invalid_json_schema", "is not of type"),
        (wish({**CLOSED, "$ref": "https://x/y"}), "f", "invalid_json_schema", "cannot fetch"),
        (wish({"type": "object"}), "f", "invalid_json_schema", "In context=(), 'additionalPr"),
        (
            wish({**closed(a={}), "required": []}),
            "f",
            "invalid_json_schema",
            "Missing 'a'.",
        ),
        (
            wish(closed(a={"items": {"type": "object"}})),
            "f",
            "invalid_json_schema",
            "In context=('properties', 'a', 'items'), 'additionalProperties'",
        ),
        (wish({**CLOSED, "allOf": [{}]}), "f", "invalid_json_schema", "'allOf' is not permitted"),
    ],
)
def test_a_wish_that_is_refused(wanted: dict[str, Any], param: str, code: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_format("f", wanted)
    error = orjson.loads(caught.value.body)["error"]
    assert (caught.value.status, error["param"], error["code"]) == (400, param, code)
    assert said in error["message"]


SIMPLE = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 9, "maxLength": 12},
        {"type": "string", "maxLength": 1},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "uuid"},
        {"type": "integer"},
        {"type": "integer", "minimum": 5, "maximum": 7},
        {"type": "integer", "minimum": 10, "multipleOf": 5},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "number", "exclusiveMinimum": 3},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["null", "integer"]},
        {"enum": ["x", 2, None]},
        {"const": {"a": 1}},
        {"$ref": "#/$defs/word"},
    ]
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    named = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return st.one_of(
        st.builds(lambda keys: closed(**keys), named),
        st.builds(lambda keys: {"type": "object", "properties": keys}, named),
        st.builds(lambda one: {"type": "array", "items": one, "minItems": 1, "maxItems": 2}, inner),
        st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=3)),
    )


@given(schema=st.recursive(SIMPLE, nested, max_leaves=8), seed=st.integers(0, 9))
def test_answers_fit_and_repeat(schema: dict[str, Any], seed: int) -> None:
    whole = {**closed(value=schema), "$defs": {"word": {"type": "string"}}}
    value = Instance(whole, seed, "question").value()
    validator = jsonschema_rs.validator_for(whole, validate_formats=True)
    assert [error.message for error in validator.iter_errors(value)] == []
    assert value == Instance(whole, seed, "question").value()


def test_a_tree_ends() -> None:
    tree = closed(name={"type": "string"}, children={"type": "array", "items": {"$ref": "#"}})
    value = Instance(tree, 1, "question").value()
    assert jsonschema_rs.is_valid(tree, value)


def test_what_demands_itself_ends_too() -> None:
    assert Instance(closed(again={"$ref": "#"}), 1, "question").value()["again"]
