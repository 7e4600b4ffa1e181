"""A task's requests and identity."""

import pytest

from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item
from processor.tasks.prompt import PromptTask
from processor.tasks.task import Task
from processor.tasks.taskfile import parse

FILE = """
name = "mine"
model = "gpt-6-luna"
system = "Be brief."
prompt = "Say {{ word }}"
examples = [{ user = "Say a", assistant = "A" }]
[parameters]
seed = 7
"""


def task(text: str = FILE) -> PromptTask:
    return PromptTask(parse(text, where="mine.toml"), where="mine.toml")


def item(**fields: object) -> Item:
    return Item(seq=1, chunk=1, id=1, fields=fields)


def test_it_is_a_task() -> None:
    one: Task = task()
    assert (one.name, one.model, one.endpoint, one.id_field, one.reasks) == (
        "mine",
        "gpt-6-luna",
        "/v1/chat/completions",
        "id",
        1,
    )


def test_a_request() -> None:
    request = task().render(item(word="b"))
    assert request.endpoint == "/v1/chat/completions"
    assert request.body == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Say a"},
            {"role": "assistant", "content": "A"},
            {"role": "user", "content": "Say b"},
        ],
        "seed": 7,
    }


def test_an_invalid_answer_is_asked_again_with_what_was_wrong() -> None:
    messages = (
        task().render(item(word="b"), [("?", "Wrong."), ("!", "Again wrong.")]).body["messages"]
    )
    assert messages[4:] == [
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "Wrong."},
        {"role": "assistant", "content": "!"},
        {"role": "user", "content": "Again wrong."},
    ]
    assert len(task().render(item(word="b")).body["messages"]) == 4


def test_rendering_leaves_no_trace_in_the_next_request() -> None:
    one = task()
    first = one.render(item(word="b"), [("?", "Wrong.")])
    assert len(one.render(item(word="b")).body["messages"]) == 4
    assert len(first.body["messages"]) == 6


def test_a_row_without_the_field_is_refused() -> None:
    with pytest.raises(TaskError, match="the row has no word"):
        task().render(item(other="b"))


def test_only_latex_with_a_source_finds_a_row_unfit() -> None:
    latex = FILE.replace("[parameters]", '[output]\nkind = "latex"\n[parameters]')
    against = latex.replace('"latex"', '"latex"\nsource = "mathml"')
    row = {"word": "b", "mathml": "hello"}
    assert [task(text).problem_with(row) for text in (FILE, latex, against)] == [
        None,
        None,
        "mathml holds no <math>",
    ]
    assert task(against).problem_with({"mathml": "<math><mi>x</mi></math>"}) is None
    assert task(against).problem_with({"word": "b"}) == "mathml is missing"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-6-luna", "max_completion_tokens"),
        ("openai/gpt-6-luna", "max_completion_tokens"),
        ("ft:gpt-4o-mini:me::x", "max_completion_tokens"),
        ("o3", "max_completion_tokens"),
        ("llama-4", "max_tokens"),
        ("openai/gpt-oss-20b", "max_tokens"),
        ("gpt-oss-20b", "max_tokens"),
    ],
)
def test_the_cap_is_sent_under_the_name_that_the_model_knows(model: str, name: str) -> None:
    text = f'max_output_tokens = 9\nname = "n"\nmodel = "{model}"\nprompt = "p"'
    body = dict(task(text).render(item()).body)
    del body["model"], body["messages"]
    assert body == {name: 9}


def test_the_cap_replaces_one_among_the_parameters() -> None:
    text = FILE.replace("seed = 7", "max_tokens = 3\nseed = 7")
    body = task(f"max_output_tokens = 9\n{text}").render(item(word="b")).body
    assert {key: body.get(key) for key in ("max_tokens", "max_completion_tokens", "seed")} == {
        "max_tokens": None,
        "max_completion_tokens": 9,
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('model = "gpt-6-luna"', 'model = "gpt-6-sol"', "model"),
        ("Say {{", "Shout {{", "prompt"),
        ("Be brief.", "Be long.", "system"),
        ('assistant = "A"', 'assistant = "B"', "examples"),
        ("seed = 7", "seed = 8", "parameters"),
        ("[parameters]", '[output]\nkind = "latex"\n[parameters]', "output"),
        ("[parameters]", "[output]\nmax_chars = 9\n[parameters]", "output"),
        ("[parameters]", '[overrides]\nmodel = "m"\n[parameters]', "overrides"),
    ],
)
def test_identity_names_the_part_that_changed(old: str, new: str, part: str) -> None:
    before, after = task().identity, task(FILE.replace(old, new)).identity
    assert {key for key in after if before.get(key) != after[key]} == {part}


def test_identity_of_what_an_older_version_knew_stays() -> None:
    assert task().identity == {
        "model": "gpt-6-luna",
        "endpoint": "/v1/chat/completions",
        "prompt": "de7799c39123",
        "system": "fecef222d773",
        "examples": "0e6c00494320",
        "parameters": "beced1fe6963",
        "output": "e70cf669b2b5",
    }


@pytest.mark.parametrize(
    "more", ["max_output_tokens = 5", 'description = "d"', 'id = "row"'], ids=["cap", "words", "id"]
)
def test_identity_ignores_what_changes_no_answer(more: str) -> None:
    assert task(f"{more}\n{FILE}").identity == task().identity


def test_text_answers_must_hold_something() -> None:
    assert task().check(item(), " hi\n") == Accepted(result="hi")
    assert task().check(item(), " \n") == Invalid(problem="The answer is empty.")
