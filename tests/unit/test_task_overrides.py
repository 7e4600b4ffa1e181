"""Rows that name their own model and parameters."""

from pathlib import Path
from typing import Any

import pytest

from processor import Task
from processor.errors import TaskError
from processor.items import Item
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse
from processor.tasks.toml import load_task

FILE = """
name = "n"
model = "gpt-6-luna"
prompt = "p"
max_output_tokens = 9
[parameters]
seed = 1
label = "a"
[overrides]
model = "which"
[overrides.parameters]
temperature = "heat"
seed = "seed"
label = "label"
stop = "stops"
store = "keep"
"""


def task(text: str = FILE) -> PromptTask:
    return PromptTask(parse(text, where="f"), where="f")


def sent(**fields: Any) -> dict[str, Any]:
    body = dict(task().render(Item(seq=1, chunk=1, id=1, fields=fields)).body)
    del body["messages"]
    return body


OWN = {"model": "gpt-6-luna", "seed": 1, "label": "a", "max_completion_tokens": 9}


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, {}),
        ({"which": "", "heat": " ", "seed": None, "stops": float("nan")}, {}),
        ({"which": "gpt-6-sol "}, {"model": "gpt-6-sol"}),
        ({"heat": 0.5}, {"temperature": 0.5}),
        ({"heat": "0.5"}, {"temperature": 0.5}),
        ({"heat": "1"}, {"temperature": 1}),
        ({"seed": "7"}, {"seed": 7}),
        ({"seed": 7.0}, {"seed": 7}),
        ({"label": "7"}, {"label": "7"}),
        ({"keep": "TRUE"}, {"store": True}),
        ({"stops": "word"}, {"stop": "word"}),
        ({"stops": '["a", "b"]'}, {"stop": ["a", "b"]}),
        ({"stops": ["a"]}, {"stop": ["a"]}),
    ],
)
def test_a_value_that_is_there_takes_the_place_of_the_tasks(
    fields: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert sent(**fields) == {**OWN, **changed}
    assert task().problem_with(fields) is None


def test_the_cap_has_the_name_that_the_rows_model_knows() -> None:
    assert sent(which="llama-4") == {
        "model": "llama-4",
        "seed": 1,
        "label": "a",
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"which": 5}, "which must name a model, and is 5"),
        ({"heat": "hot"}, "heat must be a number, as temperature is, and is 'hot'"),
        ({"heat": True}, "heat must be a number, as temperature is, and is True"),
        ({"heat": "true"}, "heat must be a number"),
        ({"heat": "nan"}, "heat must be a number"),
        ({"heat": [1]}, "heat must be a number"),
        ({"seed": "1.5"}, "seed must be a whole number, as seed is, and is '1.5'"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"label": 5}, "label must be text, as label is, and is 5"),
        ({"keep": "maybe"}, "keep must be true or false, as store is, and is 'maybe'"),
    ],
)
def test_a_value_of_the_wrong_type_is_a_problem_of_its_row(
    fields: dict[str, Any], said: str
) -> None:
    problem = task().problem_with(fields)
    assert problem is not None
    assert problem.startswith(said)
    with pytest.raises(TaskError, match="must"):
        sent(**fields)


def test_overrides_are_part_of_what_must_not_change() -> None:
    before, after = task().identity, task(FILE.replace('"which"', '"other"')).identity
    assert {part for part in before if before[part] != after[part]} == {"overrides"}


def test_a_model_that_is_named_goes_before_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "a"\nmodel = "m"\nprompt = "b"\n[overrides]\nmodel = "which"\n')
    rows_own = Item(seq=1, chunk=1, id=1, fields={"which": "theirs"})
    assert load_task(str(path)).render(rows_own).body["model"] == "theirs"
    assert load_task(str(path), model="named").render(rows_own).body["model"] == "named"
    made = Task(name="a", model="m", prompt="b", overrides={"model": "which"})
    assert made.render(rows_own).body["model"] == "theirs"
    assert made.asking(model="named", max_output_tokens=None).render(rows_own).body["model"] == (
        "named"
    )


def test_columns_that_a_table_may_lack() -> None:
    said = 'name = "a"\nmodel = "m"\nprompt = "b"\n[overrides]\nmodel = "which"\n'
    strict = PromptTask(parse(said, where="f"), where="f")
    lenient = PromptTask(parse(said + "optional = true\n", where="f"), where="f")
    assert (strict.named_fields(), lenient.named_fields()) == (("which",), ())
    assert strict.lets_rows_choose
    assert lenient.lets_rows_choose
    assert strict.identity == lenient.identity
