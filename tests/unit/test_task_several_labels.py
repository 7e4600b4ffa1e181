"""Several labels of one answer: which answers name them, what is asked again, what is sent."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.items import Accepted, Invalid, Item
from processor.labels import name_of, result_of
from processor.tasks.prompt import PromptTask
from processor.tasks.several import SeveralLabelsCheck
from processor.tasks.taskfile import parse

TOPICS = {"0": "정치 (Politics)", "1": "경제 (Economy)", "2": "문화 (Culture)", "none": "없음"}
ITEM = Item(seq=1, chunk=1, id=1, fields={})


def task(more: str = "", *, endpoint: str = "/v1/chat/completions") -> PromptTask:
    text = f"""
name = "topics"
model = "gpt-6-luna"
endpoint = "{endpoint}"
prompt = "x"
[output]
kind = "label"
labels = {{ "0" = "Politics", "1" = "Economy" }}
multiple = true
{more}
"""
    return PromptTask(parse(text, where="topics.toml"), where="topics.toml")


def body(of: PromptTask) -> dict[str, Any]:
    return dict(of.render(ITEM).body)


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        ('["0", "2"]', ["0", "2"]),
        ("[2, 0]", ["0", "2"]),
        ('{"labels": ["1"]}', ["1"]),
        ('```json\n{"labels": ["1", "0"]}\n```', ["0", "1"]),
        ("0, 2", ["0", "2"]),
        ("2，０", ["0", "2"]),
        ("2,2,0", ["0", "2"]),
        ("1", ["1"]),
        ('"none"', ["none"]),
        ("NONE", ["none"]),
        ("답: 0, 1.", ["0", "1"]),
        ("정치, Economy", ["0", "1"]),
        ('["정치 (Politics)", "culture"]', ["0", "2"]),
        ("**1**, `2`", ["1", "2"]),
        ("없음", ["none"]),
    ],
)
def test_names_labels(answer: str, keys: list[str]) -> None:
    result = SeveralLabelsCheck(TOPICS)(ITEM, answer)
    assert isinstance(result, Accepted)
    assert json.loads(result.result) == keys


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "names no label"),
        ("[]", "names no label"),
        ('{"labels": []}', "names no label"),
        ("0,", "names '', which is no label"),
        ("0 and 1", "names '0 and 1', which is no label"),
        ("3", "names '3', which is no label"),
        ('["0", "3"]', "names '3', which is no label"),
        ('["0", null]', "names 'null', which is no label"),
        ('["0", true]', "names 'true', which is no label"),
        ('["0, 1"]', "names '0, 1', which is no label"),
        ('[["0"], "1"]', "which is no label"),
        ('{"labels": ["0"], "why": "x"}', "which is no label"),
        ('{"0": 1}', "which is no label"),
        ("0.5", "names '0.5', which is no label"),
        ("정치도 경제도 아님", "which is no label"),
        ("1번입니다", "which is no label"),
        ("[" * 100_000, "which is no label"),
    ],
)
def test_anything_else_is_asked_again(answer: str, said: str) -> None:
    result = SeveralLabelsCheck(TOPICS)(ITEM, answer)
    assert isinstance(result, Invalid)
    assert said in result.problem
    assert result.problem.endswith("a JSON list of one or more of: 0, 1, 2, none.")
    assert len(result.problem) < 200


@given(keys=st.lists(st.sampled_from(list(TOPICS)), min_size=1), in_words=st.booleans())
def test_the_result_is_one_for_the_same_labels(keys: list[str], *, in_words: bool) -> None:
    answer = ", ".join(TOPICS[key] if in_words else key for key in keys)
    result = SeveralLabelsCheck(TOPICS)(ITEM, answer)
    assert isinstance(result, Accepted)
    assert result == Accepted(result=result_of(set(keys), TOPICS))
    assert json.loads(result.result) == [key for key in TOPICS if key in keys]
    assert SeveralLabelsCheck(TOPICS)(ITEM, result.result) == result


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ("0", "정치 (Politics)"),
        ('["0"]', "정치 (Politics)"),
        ('["0","none"]', "정치 (Politics); 없음"),
        ("[]", None),
        ('["9"]', None),
        ("[[]]", None),
        ("[", None),
        ("", None),
    ],
)
def test_the_name_of_a_result(result: str, name: str | None) -> None:
    assert name_of(result, TOPICS) == name


def test_the_labels_are_sent_as_structured_output() -> None:
    schema = {
        "type": "object",
        "properties": {
            "labels": {
                "type": "array",
                "items": {"type": "string", "enum": ["0", "1"]},
                "minItems": 1,
            }
        },
        "required": ["labels"],
        "additionalProperties": False,
    }
    sent = body(task())["response_format"]["json_schema"]
    assert (sent["schema"], sent["strict"]) == (schema, True)
    assert body(task(endpoint="/v1/responses"))["text"]["format"]["schema"] == schema
    assert "response_format" not in body(task("structured = false"))
    assert task().advice == ""


def test_one_label_or_several_is_another_task() -> None:
    assert task().identity != task("structured = false").identity
    one = parse(
        'name = "t"\nmodel = "m"\nprompt = "x"\n[output]\nkind = "label"\nlabels = {a = "b"}',
        where="t.toml",
    )
    many = parse(
        'name = "t"\nmodel = "m"\nprompt = "x"\n[output]\nkind = "label"\nlabels = {a = "b"}\n'
        "multiple = true",
        where="t.toml",
    )
    tasks = [PromptTask(file, where="t") for file in (one, many)]
    assert tasks[0].identity["output"] != tasks[1].identity["output"]
    assert [list(task.samples) for task in tasks] == [["a"], ['["a"]']]
