"""Answers of kind json: what fits a schema, what is said of the rest, how a schema is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.api.task import Task
from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item
from processor.tasks import strictness
from processor.tasks.jsonvalue import JsonCheck
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse
from processor.tasks.toml import load_task

ITEM = Item(seq=1, chunk=1, id=1, fields={})
PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"enum": ["x", "y"]}},
    },
    "required": ["name"],
    "additionalProperties": False,
}
FILE = """
name = "people"
model = "m"
prompt = "{{ text }}"
[output]
kind = "json"
[output.schema]
type = "object"
properties = { name = { type = "string" } }
required = ["name"]
additionalProperties = false
"""


def checked(answer: str, schema: dict[str, Any] | None = None) -> Accepted | Invalid:
    return JsonCheck(schema or PERSON, where="f")(ITEM, answer)


def task(text: str = FILE) -> PromptTask:
    return PromptTask(parse(text, where="f"), where="f")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ('{"name": "Ann", "age": 3}', '{"name":"Ann","age":3}'),
        (' {"age": null,\n "name": "한\\uae00"}\n', '{"age":null,"name":"한글"}'),
        (
            '{"name":"A","age":123456789012345678901234}',
            '{"name":"A","age":123456789012345678901234}',
        ),
    ],
)
def test_an_answer_that_fits_becomes_compact_json(answer: str, result: str) -> None:
    assert checked(answer) == Accepted(result=result)


@pytest.mark.parametrize(
    "answer", ['```json\n{"name":"A"}\n```', '```\n{"name": "A"}```', ' ```JSON {"name":"A"} ``` ']
)
def test_a_fence_is_taken_off_and_noted(answer: str) -> None:
    assert checked(answer) == Accepted(result='{"name":"A"}', notes=("code fence taken off",))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "is not JSON"),
        ('Here you are: {"name":"A"}', "is not JSON: unexpected character"),
        ('{"name":"A"', "is not JSON"),
        ('{"name":"A"} {"name":"B"}', "is not JSON"),
        ("{'name':'A'}", "is not JSON"),
        ('{"name":NaN}', "is not JSON"),
        ('{"name":"\\ud800"}', "is not JSON"),
        ("[" * 5_000, "is not JSON"),
        ("9" * 5_000, "is not JSON"),
        ("[]", 'the value is not of type "object"'),
        ('{"age":3}', '"name" is a required property'),
        ('{"name":"A","age":"3"}', "age: the value is not of types "),
        ('{"name":"A","tags":["x","z"]}', 'tags[1]: the value is not one of "x" or "y"'),
        ('{"name":"A","more":1}', "'more' was unexpected"),
        ('{"name":""}', "name: the value is shorter than 1 character"),
    ],
)
def test_what_is_wrong_is_said_by_its_place(answer: str, said: str) -> None:
    found = checked(answer)
    assert isinstance(found, Invalid)
    assert said in found.problem
    assert found.problem.endswith("JSON alone.")


@pytest.mark.parametrize("depth", [250, 256, 1000, 1023, 1025, 100_000])
@pytest.mark.parametrize("inside", ["1", "1" * 25])
def test_an_answer_without_a_bottom_is_one_of_many(depth: int, inside: str) -> None:
    """Models that have lost their way repeat a bracket."""
    check = JsonCheck({"type": ["array", "object"]}, where="here")
    for answer in ("[" * depth + inside + "]" * depth, '{"a":' * depth + inside + "}" * depth):
        found = check(ITEM, answer)
        if depth <= 250:
            assert isinstance(found, Accepted)
        else:
            assert isinstance(found, Invalid)
            assert len(found.problem) < 300


def test_problems_are_few_and_short_and_do_not_quote_the_answer() -> None:
    found = checked(json.dumps({"name": ["secret " * 1_000], "tags": [1] * 1_000}))
    assert isinstance(found, Invalid)
    assert len(found.problem) < 1_500
    assert "secret" not in found.problem


def test_no_pattern_takes_long() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert isinstance(checked(json.dumps("a" * 50_000 + "!"), schema), Invalid)


@given(
    value=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_value_is_changed(value: Any) -> None:
    anything = {"type": ["null", "boolean", "number", "string", "array", "object"]}
    found = checked(json.dumps(value, ensure_ascii=False), anything)
    assert isinstance(found, Accepted)
    assert json.loads(found.result) == value


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objct"}, "type: "),
        ({"properties": {"a": 3}}, "properties.a: 3 is not of types"),
        ({"required": "a"}, 'required: "a" is not of type "array"'),
        ({"$ref": "#/$defs/none"}, "Pointer '/$defs/none' does not exist"),
        ({"$ref": "https://example.com/s.json"}, "Retrieval is disabled"),
        ({"type": "string", "pattern": "(a"}, "pattern: "),
        ({"type": "string", "pattern": "(?=a)b"}, "no look-around"),
        ({"name": "string", "age": "integer"}, "has none of its words, such as type"),
        ({"type": "string", "enum": [object()]}, "Unsupported type"),
    ],
)
def test_what_is_no_schema_is_refused_in_one_line(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskError) as caught:
        JsonCheck(schema, where="my.toml: output: schema")
    assert str(caught.value).startswith("my.toml: output: schema: no JSON Schema: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schema_is_sent_as_structured_output() -> None:
    assert task().render(Item(seq=1, chunk=1, id=1, fields={"text": "a"})).body[
        "response_format"
    ] == {
        "type": "json_schema",
        "json_schema": {
            "name": "people",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    }
    assert task().advice == ""


@pytest.mark.parametrize(
    ("old", "new", "sent", "advice"),
    [
        ('kind = "json"', 'kind = "json"\nstructured = false', None, ""),
        (
            "[output]",
            '[parameters]\nresponse_format = { type = "json_object" }\n[output]',
            {"type": "json_object"},
            "",
        ),
        (
            'type = "object"',
            'type = "array"',
            None,
            "f: output: schema is not sent, because its type is not object",
        ),
    ],
)
def test_a_schema_that_is_not_sent(old: str, new: str, sent: Any, advice: str) -> None:
    one = task(FILE.replace(old, new))
    body = one.render(Item(seq=1, chunk=1, id=1, fields={"text": "a"})).body
    assert body.get("response_format") == sent
    assert one.advice == advice


def test_what_strict_mode_would_refuse_is_sent_without_it_and_told() -> None:
    one = task(FILE.replace("additionalProperties = false", ""))
    body = one.render(Item(seq=1, chunk=1, id=1, fields={"text": "a"})).body
    assert body["response_format"]["json_schema"]["strict"] is False
    assert "additionalProperties" not in body["response_format"]["json_schema"]["schema"]
    assert one.advice == (
        "f: output: schema is sent with strict = false, because additionalProperties must be false"
    )


OBJECT: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (OBJECT, None),
        ({**OBJECT, "properties": {"a": {}}, "required": ["a"]}, None),
        ({**OBJECT, "properties": {"a": {}}}, "a must be required"),
        ({"type": "object"}, "additionalProperties must be false"),
        ({**OBJECT, "anyOf": []}, "the whole must not be an anyOf"),
        (
            {**OBJECT, "$defs": {"d": {"type": "object"}}},
            "$defs.d: additionalProperties must be false",
        ),
        (
            {**OBJECT, "properties": {"a": {"not": {}}}, "required": ["a"]},
            "properties.a: not is unknown to it",
        ),
        (
            {
                **OBJECT,
                "properties": {"a": {"anyOf": [{"items": {"type": "object"}}]}},
                "required": ["a"],
            },
            "properties.a.anyOf[0].items: additionalProperties must be false",
        ),
    ],
)
def test_strict_mode(schema: dict[str, Any], said: str | None) -> None:
    assert strictness.problem_with(schema) == said


FROM_FILE = FILE[: FILE.index("[output.schema]")] + 'schema_file = "person.json"\n'


def test_a_schema_in_a_file_beside_the_task(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FROM_FILE)
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    one = load_task(str(tmp_path / "t.toml"))
    assert one.check(ITEM, '{"name":"A"}') == Accepted(result='{"name":"A"}')
    before = one.identity["output"]
    (tmp_path / "person.json").write_text(json.dumps({**PERSON, "required": []}))
    assert load_task(str(tmp_path / "t.toml")).identity["output"] != before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "person.json: No such file or directory"),
        (b"{", "person.json: not JSON: "),
        (b"[]", "person.json: no JSON Schema: must be an object"),
        (b'{"type": "objct"}', "person.json: no JSON Schema: type: "),
        (b"\xff", "person.json: not UTF-8, at byte 0"),
    ],
)
def test_a_schema_file_that_cannot_be(content: bytes | None, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FROM_FILE)
    if content is not None:
        (tmp_path / "person.json").write_bytes(content)
    with pytest.raises(TaskError) as caught:
        load_task(str(tmp_path / "t.toml"))
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/t.toml: output: ")
    assert "\n" not in str(caught.value)


def test_keys_as_columns_have_the_types_of_the_schema() -> None:
    text = FILE.replace('kind = "json"', 'kind = "json"\ncolumns = true')
    properties = """{ a = { type = "string" }, b = { type = ["integer", "null"] }, d = {},
    c = { type = "number" }, e = { type = ["integer", "string"] }, f = { type = "boolean" } }"""
    one = task(text.replace('{ name = { type = "string" } }', properties.replace("\n", "")))
    assert dict(one.result_columns) == {
        "a": "text",
        "b": "integer",
        "d": "json",
        "c": "real",
        "e": "json",
        "f": "boolean",
    }
    assert (
        one.identity
        == task(
            text.replace("columns = true", "").replace(
                '{ name = { type = "string" } }', properties.replace("\n", "")
            )
        ).identity
    )
    assert task().result_columns == {}


def test_a_schema_without_keys_makes_no_columns() -> None:
    text = FILE.replace('kind = "json"', 'kind = "json"\ncolumns = true')
    with pytest.raises(TaskError, match="f: output: columns: the schema names no properties"):
        task(text.replace('properties = { name = { type = "string" } }', ""))


def test_a_program_names_a_schema_file_as_it_names_any(tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    path.write_text(json.dumps(PERSON))
    keys = {"name": "n", "model": "m", "prompt": "p", "id": "row"}
    one = Task(**keys, output={"kind": "json", "schema_file": str(path)})
    assert one.check(ITEM, '{"name":"A"}') == Accepted(result='{"name":"A"}')
