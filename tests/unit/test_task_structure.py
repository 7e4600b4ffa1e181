"""Requests made of templates: messages, whole bodies, values that keep their type."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.errors import TaskError
from processor.items import Item
from processor.tasks.prompt import PromptTask
from processor.tasks.structure import Structure
from processor.tasks.taskfile import parse

HEAD = 'name = "n"\nmodel = "gpt-6-luna"\n'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def task(text: str) -> PromptTask:
    return PromptTask(parse(HEAD + text, where="f"), where="f")


def body(text: str, /, **fields: Any) -> dict[str, Any]:
    return dict(task(text).render(Item(seq=1, chunk=1, id=1, fields=fields)).body)


def test_messages_are_templates() -> None:
    text = """
    messages = [
      { role = "developer", content = "Answer in {{ language | default('English') }}." },
      { role = "user", content = "{{ text }}" },
    ]
    """
    assert task(text).required_fields() == ("text",)
    assert body(text, text="hi")["messages"] == [
        {"role": "developer", "content": "Answer in English."},
        {"role": "user", "content": "hi"},
    ]


def test_a_message_may_have_parts() -> None:
    text = """
    [[messages]]
    role = "user"
    content = [
      { type = "text", text = "What is {{ what }}?" },
      { type = "image_url", image_url = { url = "{{ url }}", detail = "low" } },
    ]
    """
    assert task(text).required_fields() == ("url", "what")
    assert body(text, what="this", url="https://x/y.png")["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            ],
        }
    ]


def test_what_a_message_says_is_text() -> None:
    assert body('messages = [{ role = "user", content = "{{ n }}" }]', n=5)["messages"] == [
        {"role": "user", "content": "5"}
    ]


BODY = """
[body]
messages = [{ role = "user", content = "Look at {{ text }}" }]
temperature = "{{ heat }}"
stop = "{{ stops | default([]) }}"
tools = [{ type = "function", function = { name = "f", parameters = "{{ schema }}" } }]
"""


def test_a_body_is_the_whole_request() -> None:
    assert task(BODY).required_fields() == ("heat", "schema", "text")
    assert body(BODY, text="it", heat=0.5, schema={"type": "object"}) == {
        "model": "gpt-6-luna",
        "messages": [{"role": "user", "content": "Look at it"}],
        "temperature": 0.5,
        "stop": [],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
    }


def test_a_body_is_continued_by_what_was_wrong_and_leaves_no_trace() -> None:
    text = '[body]\nmessages = [{ role = "user", content = "same for all" }]'
    one, item = task(text), Item(seq=1, chunk=1, id=1, fields={})
    again = one.render(item, [("?", "Wrong.")]).body["messages"]
    assert [(turn["role"], turn["content"]) for turn in again] == [
        ("user", "same for all"),
        ("assistant", "?"),
        ("user", "Wrong."),
    ]
    assert len(one.render(item).body["messages"]) == 1


def test_parameters_and_the_cap_join_a_body() -> None:
    text = """
    max_output_tokens = 9
    parameters = { seed = 1 }
    body = { max_tokens = 3, messages = "{{ m }}" }
    """
    assert body(text, m=[]) == {
        "model": "gpt-6-luna",
        "messages": [],
        "seed": 1,
        "max_completion_tokens": 9,
    }


@pytest.mark.parametrize(
    ("source", "fields", "value"),
    [
        ("{{ a }}", {"a": [1, {"b": None}]}, [1, {"b": None}]),
        ("{{ a }}", {"a": "007"}, "007"),
        ("{{ a | float }}", {"a": "0.5"}, 0.5),
        ("{{ a.b }}", {"a": {"b": True}}, True),
        ("{{ result }}", {"result": 1}, 1),
        ("{{ a if a is defined else 0 }}", {}, 0),
        (" {{ a }}", {"a": 1}, " 1"),
        ("{{ a }}{{ b }}", {"a": 1, "b": 2}, "12"),
        ("{% set x = a %}{{ x }}", {"a": 1}, "1"),
        ("{# nothing #}plain", {}, "plain"),
        ("{{ 'plain' }}", {}, "plain"),
        ("", {}, ""),
    ],
)
def test_a_lone_expression_gives_its_value(source: str, fields: dict[str, Any], value: Any) -> None:
    found = Structure(source, where="f", typed=True).render(fields)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("source", "fields", "said"),
    [
        ("{{ a }}", {}, "the row has no a"),
        ("{{ a }}", {"a": None}, "the row has no a"),
        ("{{ a.b }}", {"a": {}}, "cannot be written for this row: 'dict object' has no attribute"),
        ("{{ a.__class__ }}", {"a": 1}, "cannot be written for this row: access to attribute"),
        ("{{ 1 / a }}", {"a": 0}, "cannot be written for this row: division by zero"),
    ],
)
def test_a_row_that_does_not_fit(source: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskError, match=said):
        Structure(source, where="f", typed=True).render(fields)


@given(value=JSON)
def test_a_field_comes_through_as_it_is(value: Any) -> None:
    structure = Structure({"a": ["{{ x }}"]}, where="f", typed=True)
    if value is None:
        with pytest.raises(TaskError, match="no x"):
            structure.render({"x": value})
    else:
        assert structure.render({"x": value}) == {"a": [value]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[body]\nmessages = [{ content = "a\n{{ b" }]'.replace("a\n", "a\\n"),
            r"f: body.messages\[0\].content: line 2",
        ),
        (
            'messages = [{ role = "user", content = "{{ a | nope }}" }]',
            r"f: messages\[0\].content: line 1",
        ),
        ('[body]\nmessages = "{{ a | nope }}"', "f: body.messages: line 1: No filter named 'nope'"),
    ],
)
def test_bad_syntax_names_its_place(text: str, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        task(text)
