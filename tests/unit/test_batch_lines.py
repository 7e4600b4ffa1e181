import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.data import personas
from processor.data.batch_lines import asked_in, labelled, read, way_to_tell
from processor.data.source import BadRow
from processor.items import Row

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
TEXT = "질문: 잘 지내나요?\n페르소나: 폭발적인, 비논리적인"
TOLD = {
    "질문": "잘 지내나요?",
    "페르소나": "폭발적인, 비논리적인",
    "기질": "폭발적인",
    "성격": "비논리적인",
}


def rows(*lines: Mapping[str, Any] | BadRow) -> list[Row | BadRow]:
    numbered = enumerate(lines, start=1)
    return list(
        read(one if isinstance(one, BadRow) else Row(number=n, fields=one) for n, one in numbered)
    )


def full(custom_id: Any = "a", url: str = CHAT, **changes: Any) -> dict[str, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": TEXT}]}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body, **changes}


def problems(lines: Iterable[Row | BadRow]) -> dict[int, str]:
    return {one.number: one.problem for one in lines if isinstance(one, BadRow)}


def test_a_short_line_tells_its_columns() -> None:
    line = {"model": "gpt-4-turbo-preview", "input": TEXT}
    assert rows(line) == [Row(number=1, fields={**line, **TOLD})]


def test_a_full_line_is_named_and_tells_its_model() -> None:
    line = full("req-1")
    assert rows(line) == [Row(number=1, fields={**line, "model": "m", **TOLD}, id="req-1")]


def test_what_a_line_says_itself_stays() -> None:
    line = {"model": "m", "input": TEXT, "질문": "mine", "patient": {"age": 34}}
    [row] = rows(line)
    assert isinstance(row, Row)
    assert row.fields == {**line, **TOLD, "질문": "mine"}


@pytest.mark.parametrize(
    ("persona", "traits"),
    [
        ("a b, c", ("a b", "c")),
        ("a，c", ("a", "c")),
        ("a", (None, None)),
        ("a, b, c", (None, None)),
        ("a,", (None, None)),
    ],
)
def test_traits_of_a_persona(persona: str, traits: tuple[str | None, str | None]) -> None:
    [row] = rows({"model": "m", "input": f"페르소나: {persona}"})
    assert isinstance(row, Row)
    assert (row.fields.get("기질"), row.fields.get("성격")) == traits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("no label", {}),
        ("질문:", {}),
        ("before\n질문: a", {"질문": "a"}),
        ("질문 : a\n  페르소나： b", {"질문": "a", "페르소나": "b"}),
        ("질문: a\nb\n\n증상: c", {"질문": "a\nb", "symptoms": "c"}),
        ("환자정보: 34세\n증상: 불면", {"patient": "34세", "symptoms": "불면"}),
        ("환자 정보: 34세", {"patient": "34세"}),
        ("질문: 다음은?\n질문: 둘째", {"질문": "다음은?\n질문: 둘째"}),
        ("이 질문: 아님", {}),
        ("페르소나: b\r\n질문: a\r\n", {"페르소나": "b", "질문": "a"}),
        ("질문: a\r페르소나: b", {"질문": "a", "페르소나": "b"}),
        ("\u3000질문\u00a0： a\n\u00a0페르소나\u3000：\u3000b", {"질문": "a", "페르소나": "b"}),
        (unicodedata.normalize("NFD", "질문: 잠은?"), {"질문": "잠은?"}),
        ("Question: a\nPersona: b", {}),
    ],
)
def test_labels_in_a_text(text: str, found: Mapping[str, str]) -> None:
    assert labelled(text) == found


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    for value in labelled(text).values():
        assert value.strip() == value
        assert value in unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": [{"role": "user", "content": "a"}]}, "a"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}, "b"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]}, "a"),
        ({"messages": [{"role": "system", "content": "a"}]}, None),
        ({"input": "a"}, "a"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}]}, "a"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]}, "a\nb"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, None),
        ({"input": ["a", "b"]}, None),
        ({"input": [1, 2]}, None),
        ({"prompt": "a"}, "a"),
        ({"messages": 7}, None),
        ({}, None),
    ],
)
def test_what_the_user_says_last(body: Mapping[str, Any], text: str | None) -> None:
    assert asked_in(body) == text


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1, "text": "a"},
        {"model": "m", "text": TEXT},
        {"input": TEXT},
        {"model": "m", "input": 7},
        {"method": "POST", "url": "/shop/cart", "body": {"a": 1}},  # of a log of any web server
        {"method": "POST", "url": "/v1/x", "body": "text"},
        {"method": "POST", "url": "/shop/cart", "body": {"model": "shoe"}},
        {"custom_id": 7, "method": "GET", "url": "/shop", "body": "text"},
        {"custom_id": 7, "url": "https://example.org/news/1", "body": "an article"},
        {},
    ],
)
def test_other_tables_pass_as_they_are(line: Mapping[str, Any]) -> None:
    strange = [line, {"model": "m", "input": TEXT}, full(), {}]
    assert rows(*strange) == [Row(number=n, fields=one) for n, one in enumerate(strange, 1)]


def test_a_table_of_texts_gains_nothing() -> None:
    line = {"model": "m", "input": "a text without labels"}
    assert rows(line) == [Row(number=1, fields=line)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (full(None), "has no custom_id, which a Batch line needs"),
        (full(""), "has no custom_id, which a Batch line needs"),
        ({**full(), "body": None}, "has no body, which a Batch line needs"),
        (full(method="GET"), "its method is 'GET'; the Batch API knows POST"),
        (full(body="text"), "its body is no object"),
        (
            full(url=RESPONSES),
            f"its url is {RESPONSES}, after lines for {CHAT}; make two files",
        ),
        ({"model": "m", "input": TEXT}, "is a short line after full Batch lines"),
        ({"text": "a"}, "has no custom_id, which a Batch line needs"),
    ],
)
def test_a_full_line_that_is_none(line: Mapping[str, Any], problem: str) -> None:
    assert problems(rows(full(), line, full("b"))) == {2: problem}


@pytest.mark.parametrize("name", ["custom_id", "method", "url", "body"])
def test_a_first_line_with_something_missing_is_a_line(name: str) -> None:
    line = full()
    del line[name]
    assert problems(rows(line)) == {1: f"has no {name}, which a Batch line needs"}


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ({}, full(), "is a full Batch line after short ones"),
        ({}, {"model": "m", "input": TEXT, "custom_id": "a"}, "has a custom_id"),
        ({"custom_id": "a"}, {"model": "m", "input": TEXT}, "has no custom_id"),
    ],
)
def test_short_lines_are_of_one_form(
    first: Mapping[str, Any], second: Mapping[str, Any], problem: str
) -> None:
    found = problems(rows({"model": "m", "input": TEXT, **first}, second))
    assert list(found) == [2]
    assert found[2].startswith(problem)


@pytest.mark.parametrize("name", ["", None])
def test_short_lines_with_an_empty_custom_id_have_none(name: str | None) -> None:
    line = {"model": "m", "input": "a", "custom_id": name}
    assert rows(line, line) == [Row(number=n, fields=line) for n in (1, 2)]


@pytest.mark.parametrize(
    ("name", "columns", "way"),
    [
        ("질문", ("model", "input"), "Begin a line of each text with '질문:', or add the column."),
        ("patient", ("custom_id", "method", "url", "body"), "Begin a line of each text with '환자"),
        ("질문", ("text",), ""),
        ("text", ("model", "input"), ""),
    ],
)
def test_the_way_to_a_column_that_no_line_tells(
    name: str, columns: Iterable[str], way: str
) -> None:
    found = way_to_tell(name, tuple(columns))
    assert found is None if way == "" else found is not None and found.startswith(way)


def test_bad_rows_before_the_first_line_do_not_hide_it() -> None:
    bad = BadRow(number=1, problem="is cut off")
    assert rows(bad) == [bad]
    found = rows(bad, BadRow(number=2, problem="too"), full("x"), full("y", method="GET"))
    assert [type(one) for one in found] == [BadRow, BadRow, Row, BadRow]
    assert isinstance(found[2], Row)
    assert found[2].id == "x"


def test_no_rows_stay_none() -> None:
    assert rows() == []


def test_twenty_five_personas_are_asked_eleven_questions() -> None:
    found = [row.fields for row in rows(*personas.lines()) if isinstance(row, Row)]
    assert len(found) == 275
    assert len({(row["질문"], row["페르소나"]) for row in found}) == 275
    assert {len({row[name] for row in found}) for name in ("기질", "성격")} == {5}
    assert len({row["페르소나"] for row in found}) == 25
    assert len({row["질문"] for row in found[:25]}) == 1
    assert all(line.keys() == {"model", "input"} for line in personas.lines())


def test_the_users_own_lines_are_among_them() -> None:
    asked = "질문: 어디가 불편해서 방문하게 되었나요?\n페르소나: "
    shipped = [line["input"] for line in personas.lines()]
    assert shipped[0] == asked + "고립되고 겁이 많은, 미성숙한"
    assert asked + "폭발적인, 비논리적인" in shipped[:25]
