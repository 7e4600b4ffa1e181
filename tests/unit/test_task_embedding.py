"""Kind `embedding`: what is asked for, and which vectors are taken."""

import math
import struct
from base64 import b64encode

import pytest
from hypothesis import given, strategies as st

from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse

FILE = """
name = "near"
model = "text-embedding-3-small"
prompt = "{{ title }}: {{ text }}"
[output]
kind = "embedding"
"""
OTHER = FILE.replace('kind = "embedding"', 'kind = "text"')
SIZED = "parameters = { dimensions = 3 }\n" + FILE
ITEM = Item(seq=1, chunk=1, id=1, fields={"title": "a", "text": "b"})


def task(text: str = FILE) -> PromptTask:
    return PromptTask(parse(text, where="near.toml"), where="near.toml")


def packed(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def answer(*numbers: float) -> str:
    return b64encode(packed(*numbers)).decode()


def problem(checked: Accepted | Invalid) -> str:
    assert isinstance(checked, Invalid)
    return checked.problem


def test_a_request_is_the_text_alone() -> None:
    request = task().render(ITEM)
    assert request.endpoint == "/v1/embeddings"
    assert request.body == {
        "model": "text-embedding-3-small",
        "input": "a: b",
        "encoding_format": "base64",
    }
    assert task(SIZED).render(ITEM).body["dimensions"] == 3


def test_the_format_of_the_wire_is_the_authors_to_choose() -> None:
    body = task('parameters = { encoding_format = "float" }\n' + FILE).render(ITEM).body
    assert body["encoding_format"] == "float"


def test_it_is_asked_again_as_it_was() -> None:
    assert task().render(ITEM, [("AAAA", "Zeros.")]) == task().render(ITEM)


def test_a_whole_request_can_be_written() -> None:
    text = FILE.replace('prompt = "{{ title }}: {{ text }}"', "").replace(
        "[output]", '[body]\ninput = "{{ text }}"\ndimensions = 2\nuser = "u"\n[output]'
    )
    assert task(text).render(ITEM).body == {
        "model": "text-embedding-3-small",
        "encoding_format": "base64",
        "input": "b",
        "dimensions": 2,
        "user": "u",
    }
    assert "2 were asked for" in problem(task(text).check(ITEM, answer(1)))


FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FLOAT32, min_size=1, max_size=40).filter(lambda row: any(packed(*row))))
def test_every_finite_vector_is_taken_as_it_is(row: list[float]) -> None:
    checked = task().check(ITEM, answer(*row))
    assert checked == Accepted(result=f"{len(row)} float32", vector=packed(*row))


@given(st.lists(FLOAT32, max_size=9), st.sampled_from([math.nan, math.inf, -math.inf]), st.data())
def test_one_number_that_is_none_spoils_a_vector(
    row: list[float], bad: float, data: st.DataObject
) -> None:
    row.insert(data.draw(st.integers(0, len(row))), bad)
    assert "infinite or none" in problem(task().check(ITEM, answer(*row)))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("these are no numbers", "not base64"),
        ("AA=A", "not base64"),
        ("벡터", "not base64"),
        ("AAAA", "3 bytes"),
        ("AAAAAAA=", "5 bytes"),
        (answer(0, 0, 0), "are 0"),
        (answer(3e38, math.inf), "infinite or none"),
    ],
)
def test_what_is_no_vector(told: str, said: str) -> None:
    assert said in problem(task().check(ITEM, told))


def test_large_finite_numbers_are_numbers() -> None:
    assert isinstance(task().check(ITEM, answer(3.4e38, -3.4e38, 1e-45)), Accepted)


def test_the_first_vector_tells_the_length_where_none_is_asked_for() -> None:
    one = task()
    assert "are 0" in problem(one.check(ITEM, answer(0, 0, 0)))  # tells nothing
    assert isinstance(one.check(ITEM, answer(1, 2)), Accepted)
    said = problem(one.check(ITEM, answer(1, 2, 3)))
    assert said == "The vector has 3 numbers, but 2 have the others of this run."
    assert isinstance(one.check(ITEM, answer(3, 4)), Accepted)


def test_what_is_asked_for_tells_the_length() -> None:
    said = problem(task(SIZED).check(ITEM, answer(1, 2)))
    assert said == "The vector has 2 numbers, but 3 were asked for."


def test_a_run_that_has_vectors_goes_on_with_their_length() -> None:
    one = task()
    one.expect_vectors(2)
    assert "2 have the others" in problem(one.check(ITEM, answer(1, 2, 3)))
    task(SIZED).expect_vectors(3)
    with pytest.raises(TaskError, match=r"dimensions: 3, but the vectors of this run have 2"):
        task(SIZED).expect_vectors(2)
    task(OTHER).expect_vectors(2)  # has none, and does not mind


def test_other_kinds_keep_their_endpoint() -> None:
    assert task(OTHER).endpoint == "/v1/chat/completions"
    assert task(FILE).endpoint == "/v1/embeddings"
    assert task('endpoint = "/v1/embeddings"\n' + FILE).identity == task().identity


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", 'endpoint = "/v1/chat/completions"', "does not answer 'embedding'"),
        ("", 'endpoint = "/v1/responses"', "does not answer 'embedding'"),
        ("", 'system = "Be brief."', "system: kind 'embedding' has none"),
        ("", 'examples = [{ user = "a", assistant = "b" }]', "examples: kind"),
        ("", "max_output_tokens = 5", "max_output_tokens: kind 'embedding' has none"),
        ("", "parameters = { dimensions = 0 }", "dimensions: must be 1 or more, is 0"),
        ("", 'parameters = { dimensions = "8" }', "must be 1 or more, is '8'"),
        ("", "parameters = { dimensions = true }", "must be 1 or more, is True"),
        ("", 'parameters = { input = "x" }', "input is not a parameter"),
        ("", 'overrides = { parameters = { dimensions = "d" } }', "vectors of a run have one"),
        (
            'prompt = "{{ title }}: {{ text }}"',
            'messages = [{ role = "user", content = "{{ text }}" }]',
            "messages: kind 'embedding' has none",
        ),
        (
            'prompt = "{{ title }}: {{ text }}"',
            'body = { input = ["{{ title }}", "{{ text }}"] }',
            "body: input: must be text",
        ),
        ('kind = "embedding"', 'kind = "embedding"\nlabels = { a = "b" }', "has none"),
    ],
)
def test_what_makes_no_sense_for_a_vector_is_refused(before: str, after: str, said: str) -> None:
    text = FILE.replace(before, after) if before else f"{after}\n{FILE}"
    with pytest.raises(TaskError, match=r"^near\.toml: ") as caught:
        task(text)
    assert said in str(caught.value)


def test_embeddings_have_no_other_kind() -> None:
    with pytest.raises(TaskError, match="/v1/embeddings does not answer 'text'"):
        task('endpoint = "/v1/embeddings"\n' + OTHER)
