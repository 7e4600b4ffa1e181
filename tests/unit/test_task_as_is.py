"""Rows that are requests already: the task `requests`."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from processor import Task
from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item
from processor.tasks.taskfile import parse
from processor.tasks.toml import load_task

CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
SAID = {"messages": [{"role": "user", "content": "a"}]}
HEAD = 'name = "mine"\nmodel = "m"\nas_is = true\n'


def row(url: Any = CHAT, **body: Any) -> dict[str, Any]:
    said = SAID if url == CHAT else {"input": "a"}
    return {"url": url, "body": {"model": "own", **said, **body}}


def item(fields: Mapping[str, Any]) -> Item:
    return Item(seq=1, chunk=1, id="x", fields=fields)


@pytest.mark.parametrize("url", [CHAT, RESPONSES, EMBEDDINGS])
def test_a_row_is_sent_as_it_is(url: str) -> None:
    fields = row(url, temperature=0.5)
    before = orjson.dumps(fields)
    request = load_task("requests").render(item(fields))
    assert (request.endpoint, request.body) == (url, fields["body"])
    assert orjson.dumps(fields) == before


@pytest.mark.parametrize(
    ("url", "given", "sent"),
    [
        (CHAT, {"max_tokens": 9}, {"max_tokens": 7}),
        (CHAT, {"model": "gpt-6-luna", "max_tokens": 9}, {"max_completion_tokens": 7}),
        (RESPONSES, {}, {"max_output_tokens": 7}),
    ],
)
def test_a_cap_takes_the_place_of_the_rows(
    url: str, given: Mapping[str, Any], sent: Mapping[str, Any]
) -> None:
    body = load_task("requests", max_output_tokens=7).render(item(row(url, **given))).body
    assert {name: value for name, value in body.items() if name.startswith("max")} == sent


def test_a_model_that_is_named_goes_before_the_rows() -> None:
    named, own = load_task("requests", model="named"), load_task("requests")
    assert named.render(item(row())).body["model"] == "named"
    assert own.render(item(row())).body["model"] == "own"
    assert (named.chosen_by(row()), own.chosen_by(row())) == ({}, {"model": "own"})
    assert own.chosen_by({"body": {}}) == own.chosen_by({"url": [], "body": {"n": 1}}) == {}
    assert named.identity != own.identity


@pytest.mark.parametrize("url", [CHAT, RESPONSES, EMBEDDINGS])
def test_a_row_chooses_all_but_what_is_said(url: str) -> None:
    named, own = load_task("requests", model="named"), load_task("requests")
    fields = row(url, temperature=0.5)
    assert own.chosen_by(fields) == {"model": "own", "temperature": 0.5}
    assert named.chosen_by(fields) == {"temperature": 0.5}
    assert named.lets_rows_choose


def test_an_answer_is_read_by_its_endpoint() -> None:
    task = load_task("requests")
    assert task.check(item(row()), " text ") == Accepted(result="text")
    vector = task.check(item(row(EMBEDDINGS)), "AACAPw==")
    assert isinstance(vector, Accepted)
    assert (vector.result, vector.vector) == ("1 float32", b"\x00\x00\x80?")
    assert isinstance(task.check(item(row(EMBEDDINGS)), "text"), Invalid)


def test_an_invalid_answer_joins_the_conversation() -> None:
    fields = row()
    body = load_task("requests").render(item(fields), [("", "is empty")]).body
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert fields == row()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (row(), None),
        (row(EMBEDDINGS, input=["a"]), None),
        (row(EMBEDDINGS, input=[1, 2, 3]), None),
        (row(stream=False), None),
        (row(EMBEDDINGS, input=["a", "b"]), "its body asks for several vectors, and a row has one"),
        (row(EMBEDDINGS, input=[[1], [2]]), "its body asks for several vectors, and a row has one"),
        (row(n=1), None),
        (row(n=3), "its body asks for 3 answers, and a row has one; see --repeat"),
        (row(stream=True), "its body asks for stream, and an answer is read as a whole"),
        (row(RESPONSES, background=True), "its body asks for background"),
        (row(model=""), "its body names no model, as --model does"),
        (row(model=7), "its body names no model, as --model does"),
        (row(messages=[]), f"its body has no messages, which {CHAT} needs"),
        (row("/v1/images"), f"its url is /v1/images, and there are {CHAT}"),
        (row(None), "its url is None"),
        (row(["a"]), "its url is ['a']"),
        ({"url": CHAT, "body": "text"}, "its body is no object"),
        ({"url": CHAT}, "its body is no object"),
    ],
)
def test_what_makes_a_row_unfit(fields: Mapping[str, Any], problem: str | None) -> None:
    task = load_task("requests")
    found = task.problem_with(fields)
    assert (found is None) == (problem is None)
    if problem is not None:
        assert str(found).startswith(problem)
        with pytest.raises(TaskError):
            task.render(item(fields))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('prompt = "a"', "f: prompt and as_is exclude each other"),
        ('system = "a"', "f: system goes with prompt, not with as_is"),
        ("[parameters]\ntemperature = 1", "f: as_is: has no parameters, and the kind 'text'"),
        ('[output]\nkind = "json"\nschema = {}', "f: as_is: has no parameters"),
        ('[overrides.parameters]\nseed = "s"', "f: as_is: has no parameters"),
    ],
)
def test_what_does_not_go_with_it(more: str, said: str) -> None:
    with pytest.raises(TaskError) as refused:
        parse(HEAD + more, where="f")
    assert str(refused.value).startswith(said)


def test_a_program_names_the_task() -> None:
    with pytest.raises(TaskError, match="by the task named 'requests'"):
        Task(name="mine", model="m", as_is=True)
