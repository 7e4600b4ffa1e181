"""Rows that are asked several times, and rows that are not meant."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from ledger_parts import Table, numbered, rules

from processor.errors import InputError, UsageError
from processor.ledger import repeats
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.only import Only


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def kept(ledger: Ledger) -> dict[str | int, Mapping[str, Any]]:
    return {pending.item.id: pending.item.fields for pending in ledger.pending()}


def test_a_row_becomes_items_that_tell_their_row(ledger: Ledger) -> None:
    intake = ledger.take_in(numbered(2), rules(repeat=2))
    assert (intake.rows_read, intake.added) == (2, 4)
    assert kept(ledger) == {
        "1#1": {"id": "1#1", "text": "text 1", "repeat_of": 1, "repeat": 1},
        "1#2": {"id": "1#2", "text": "text 1", "repeat_of": 1, "repeat": 2},
        "2#1": {"id": "2#1", "text": "text 2", "repeat_of": 2, "repeat": 1},
        "2#2": {"id": "2#2", "text": "text 2", "repeat_of": 2, "repeat": 2},
    }


def test_rows_without_an_id_have_that_of_their_content(ledger: Ledger) -> None:
    table = Table([{"text": "a"}, {"text": "b"}])
    ledger.take_in(table, rules("row", repeat=2))
    found = kept(ledger)
    assert [key for key, fields in found.items()] == [
        f"{fields['repeat_of']}#{fields['repeat']}" for fields in found.values()
    ]
    assert all(set(fields) == {"text", "repeat_of", "repeat"} for fields in found.values())


def test_rows_that_are_alike_are_told_apart(ledger: Ledger) -> None:
    long = 12345678901234567890123
    table = Table([{"text": "a", "n": long}, {"text": "b"}, {"text": "a", "n": long}])
    ledger.take_in(table, rules("row", repeat=2, limit=5))
    found = kept(ledger)
    assert list(found) == [f"{one['repeat_of']}#{one['repeat']}" for one in found.values()]
    assert [one["repeat"] for one in found.values()] == [1, 2, 1, 2, 1]
    assert [one.get("n") for one in found.values()] == [long, long, None, None, long]
    assert ledger.take_in(table, rules("row", repeat=3)).added == 4
    assert len({(one["repeat_of"], one["repeat"]) for one in kept(ledger).values()}) == 9
    again = ledger.take_in(table, rules("row", repeat=3, update=True))
    assert (again.added, again.changes.changed, again.changes.gone) == (0, 0, 0)


def test_once_is_as_ever(ledger: Ledger) -> None:
    ledger.take_in(numbered(2), rules(repeat=1))
    assert kept(ledger) == {n: {"id": n, "text": f"text {n}"} for n in (1, 2)}


def test_more_repeats_add_items(ledger: Ledger) -> None:
    ledger.take_in(numbered(3), rules(repeat=2))
    assert ledger.knows(numbered(3), rules(repeat=2))
    assert not ledger.knows(numbered(3), rules(repeat=3))
    intake = ledger.take_in(numbered(3), rules(repeat=3))
    assert intake.added == 3
    assert (intake.changes.changed, intake.changes.gone) == (0, 0)
    assert list(kept(ledger))[6:] == ["1#3", "2#3", "3#3"]


@pytest.mark.parametrize(
    ("before", "asked", "given"),
    [(1, None, 1), (1, 1, 1), (3, None, 3), (3, 3, 3), (3, 5, 5)],
)
def test_how_often_a_run_goes_on(
    ledger: Ledger, before: int, asked: int | None, given: int
) -> None:
    assert repeats.of_run(ledger.connection, None) == 1
    assert repeats.of_run(ledger.connection, before) == before
    ledger.take_in(numbered(1), rules(repeat=before))
    assert repeats.of_run(ledger.connection, asked) == given


@pytest.mark.parametrize(
    ("before", "asked", "said"),
    [
        (1, 2, "--repeat 2: this run was begun without --repeat"),
        (3, 2, "--repeat 2: this run was begun with --repeat 3"),
        (3, 1, "--repeat 1: this run was begun with --repeat 3"),
    ],
)
def test_a_run_does_not_become_another(ledger: Ledger, before: int, asked: int, said: str) -> None:
    ledger.take_in(numbered(1), rules(repeat=before))
    with pytest.raises(UsageError) as refused:
        repeats.of_run(ledger.connection, asked)
    assert str(refused.value).startswith(said)
    assert "--new starts afresh, --out FOLDER begins another run" in str(refused.value)


def test_an_id_twice_is_told_once(ledger: Ledger) -> None:
    table = Table([{"id": "a"}, {"id": "b"}, {"id": "a"}])
    with pytest.raises(InputError) as refused:
        ledger.take_in(table, rules(repeat=3))
    assert str(refused.value).startswith(
        "table.csv: row 3: the id 'a#1' stands in row 1 already; nothing was imported"
    )


def test_a_column_named_row_is_not_an_id(ledger: Ledger) -> None:
    ledger.take_in(Table([{"row": "first", "text": "a"}]), rules("row", repeat=2))
    for fields in kept(ledger).values():
        assert fields["row"] == "first"
        assert repeats.row_of(fields, "row") == fields


@pytest.mark.parametrize("name", ["repeat", "repeat_of"])
@pytest.mark.parametrize("skip", [False, True])
def test_a_column_of_that_name_is_refused(ledger: Ledger, name: str, skip: bool) -> None:
    with pytest.raises(InputError) as refused:
        ledger.take_in(Table([{"id": 1, name: 1}]), rules(repeat=2, skip_invalid=skip))
    assert str(refused.value) == (
        f"table.csv: there is a column '{name}', which --repeat makes. "
        "Rename it, or leave --repeat out."
    )
    assert ledger.take_in(Table([{"id": 1, name: 1}]), rules()).added == 1


def test_a_limit_counts_items(ledger: Ledger) -> None:
    ledger.take_in(numbered(5), rules(repeat=3, limit=4))
    assert list(kept(ledger)) == ["1#1", "1#2", "1#3", "2#1"]
    ledger.take_in(numbered(5), rules(repeat=3))
    assert len(kept(ledger)) == 15


@given(st.text(), st.integers(1, 9))
def test_items_of_a_row_differ_in_nothing_else(text: str, times: int) -> None:
    made = list(repeats.fields_of({"t": text}, id_field="row", key="k", times=times))
    assert [key for key, _ in made] == [f"k#{turn}" for turn in range(1, times + 1)]
    assert all(fields["t"] == text and fields["repeat_of"] == "k" for _, fields in made)


ROWS = [{"id": n, "kind": kind, "grade": n % 2} for n, kind in enumerate("aabbcc")]


@pytest.mark.parametrize(
    ("terms", "ids"),
    [
        ([("kind", "a")], [0, 1]),
        ([("kind", "a"), ("kind", "c")], [0, 1, 4, 5]),
        ([("kind", "a"), ("grade", "1")], [1]),
        ([("grade", "0")], [0, 2, 4]),
        ([("id", "3")], [3]),
    ],
)
def test_only_rows_that_are_meant(
    ledger: Ledger, terms: list[tuple[str, str]], ids: list[int]
) -> None:
    intake = ledger.take_in(Table(ROWS), rules(only=Only(terms)))
    assert (intake.rows_read, intake.added) == (6, len(ids))
    assert list(kept(ledger)) == ids


@pytest.mark.parametrize(
    ("value", "typed", "is_meant"),
    [
        ("a", "a", True),
        (" a ", "a", True),
        (7, "7", True),
        (7.5, "7.5", True),
        (7.0, "7", True),
        (7.0, "7.0", True),
        (7, "7.0", False),
        (unicodedata.normalize("NFD", "질문"), "질문", True),
        ("질문", unicodedata.normalize("NFD", "질문"), True),
        (True, "true", True),
        (None, "", True),
        ("", "", True),
        (["a"], '["a"]', True),
        ("A", "a", False),
        (None, "null", False),
    ],
)
def test_a_value_is_meant_as_it_is_typed(value: Any, typed: str, is_meant: bool) -> None:
    assert Only([("c", typed)]).takes({"c": value}) is is_meant


def test_rows_that_are_not_meant_come_later_and_are_not_gone(ledger: Ledger) -> None:
    only = rules(only=Only([("kind", "a")]))
    ledger.take_in(Table(ROWS), only)
    assert ledger.knows(Table(ROWS), only)
    assert not ledger.knows(Table(ROWS), rules())
    assert ledger.take_in(Table(ROWS), rules()).added == 4
    again = ledger.take_in(Table(ROWS), only)
    assert (again.added, again.changes.gone) == (0, 0)


def test_a_column_that_is_spelt_in_pieces_is_told(ledger: Ledger) -> None:
    pieces = unicodedata.normalize("NFD", "기질")
    for there, typed in ((pieces, "기질"), ("기질", pieces)):
        with pytest.raises(InputError, match="one of the two is spelt in pieces"):
            ledger.take_in(Table([{"id": 1, there: "a"}]), rules(only=Only([(typed, "a")])))


def test_a_value_is_not_taken_for_two(ledger: Ledger) -> None:
    ledger.take_in(Table(ROWS), rules(only=Only([("kind", "a"), ("kind", "b")])))
    assert not ledger.knows(Table(ROWS), rules(only=Only([("kind", "a or b")])))


def test_nothing_meant_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InputError) as none:
        ledger.take_in(Table(ROWS), rules(only=Only([("kind", "x"), ("kind", "y")])))
    assert str(none.value) == "table.csv: no row has kind=x or y"
    with pytest.raises(InputError) as other:
        ledger.take_in(Table(ROWS), rules(only=Only([("kinds", "a")])))
    assert "there is no column 'kinds'" in str(other.value)
    assert "did you mean 'kind'? Name one of them with --only." in str(other.value)
    assert not kept(ledger)


LINE = {"method": "POST", "url": "/v1/responses", "body": {"model": "m", "input": "a"}}


def test_lines_are_named_by_their_custom_id(ledger: Ledger) -> None:
    ledger.take_in(Table([{"custom_id": "a", **LINE}, {"custom_id": 7, **LINE}]), rules("row"))
    assert list(kept(ledger)) == ["a", 7]


def test_a_custom_id_stands_once(ledger: Ledger) -> None:
    lines = [{"custom_id": "a", **LINE}, {"custom_id": "b", **LINE}, {"custom_id": "a", **LINE}]
    with pytest.raises(InputError) as refused:
        ledger.take_in(Table(lines), rules("row"))
    assert "table.csv: row 3: the id 'a' stands in row 1 already" in str(refused.value)
    with pytest.raises(InputError, match="custom_id is True, and an id must be text"):
        ledger.take_in(Table([{"custom_id": True, **LINE}]), rules("row"))


def test_a_task_that_names_its_id_has_it(ledger: Ledger) -> None:
    ledger.take_in(Table([{"custom_id": "a", "id": 1, **LINE}]), rules("id"))
    assert list(kept(ledger)) == [1]
    assert json.loads(ledger.meta()["columns"])[:2] == ["custom_id", "id"]
