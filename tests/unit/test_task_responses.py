"""Tasks on `/v1/responses`: the same file, in the words of that endpoint."""

from typing import Any

import pytest

from processor.errors import TaskError
from processor.items import Item
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse

FILE = """
name = "mine"
model = "gpt-6-luna"
endpoint = "/v1/responses"
system = "Be brief."
prompt = "Say {{ word }}"
examples = [{ user = "Say a", assistant = "A" }]
parameters = { reasoning = { effort = "low" } }
"""
ITEM = Item(seq=1, chunk=1, id=1, fields={"word": "b"})
SHORT = FILE.replace('system = "Be brief."', "").replace("examples", "# examples")


def body(text: str = FILE, *invalid: tuple[str, str]) -> Any:
    return PromptTask(parse(text, where="t"), where="t").render(ITEM, invalid).body


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_a_request() -> None:
    assert body() == {
        "model": "gpt-6-luna",
        "instructions": "Be brief.",
        "input": [said("user", "Say a"), said("assistant", "A"), said("user", "Say b")],
        "store": False,
        "reasoning": {"effort": "low"},
    }
    assert body(SHORT)["input"] == [said("user", "Say b")]
    assert "instructions" not in body(SHORT)


def test_it_is_asked_again_with_what_was_wrong() -> None:
    again = body(SHORT, ("?", "Wrong."), ("!", "Wrong again."))
    assert again["input"] == [
        said("user", "Say b"),
        said("assistant", "?"),
        said("user", "Wrong."),
        said("assistant", "!"),
        said("user", "Wrong again."),
    ]


def test_the_provider_keeps_a_copy_only_when_told() -> None:
    assert body()["store"] is False
    told = FILE.replace("{ reasoning", "{ store = true, reasoning")
    assert body(told)["store"] is True


@pytest.mark.parametrize("model", ["gpt-6-luna", "mistral-large"])
def test_a_cap_has_the_name_of_this_endpoint(model: str) -> None:
    text = FILE.replace("gpt-6-luna", model)
    assert body("max_output_tokens = 50\n" + text)["max_output_tokens"] == 50
    told = text.replace("{ reasoning", "{ max_output_tokens = 9, reasoning")
    assert body("max_output_tokens = 50\n" + told)["max_output_tokens"] == 50
    assert "max_tokens" not in body("max_output_tokens = 50\n" + text)


def test_a_schema_is_a_format_of_the_text() -> None:
    schema = (
        '{ type = "object", properties = { a = { type = "integer" } }, required = ["a"], '
        "additionalProperties = false }"
    )
    text = FILE.replace("{ reasoning", '{ text = { verbosity = "low" }, reasoning')
    found = body(f'{text}\n[output]\nkind = "json"\nschema = {schema}')
    assert found["text"].pop("verbosity") == "low"
    form = found["text"].pop("format")
    assert (form["type"], form["name"], form["strict"]) == ("json_schema", "mine", True)
    assert form["schema"]["required"] == ["a"]
    assert found["text"] == {}


def test_messages_that_begin_with_the_system_s() -> None:
    text = """
name = "mine"
model = "m"
endpoint = "/v1/responses"
messages = [
  { role = "system", content = "About {{ word }}." },
  { role = "user", content = [{ type = "input_image", image_url = "{{ word }}" }] },
]
"""
    found = body(text)
    assert found["instructions"] == "About b."
    image = {"type": "input_image", "image_url": "b"}
    assert found["input"] == [{"role": "user", "content": [image]}]
    other = body(text.replace('"system"', '"developer"'))
    assert [message["role"] for message in other["input"]] == ["developer", "user"]


def test_a_whole_request_whose_input_is_one_text_is_asked_again_as_messages() -> None:
    text = 'name = "mine"\nmodel = "m"\nendpoint = "/v1/responses"\nbody = { input = "{{ word }}" }'
    assert body(text) == {"model": "m", "store": False, "input": "b"}
    again = body(text, ("?", "Wrong."))
    assert again["input"] == [said("user", "b"), said("assistant", "?"), said("user", "Wrong.")]


@pytest.mark.parametrize("key", ["input", "instructions", "messages", "stream", "background"])
def test_what_the_request_is_made_of_is_no_parameter(key: str) -> None:
    with pytest.raises(TaskError, match=f"parameters: {key} is not a parameter"):
        body(FILE.replace("{ reasoning", f'{{ {key} = "x", reasoning'))
