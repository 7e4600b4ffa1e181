"""Rows of a database that are asked several times or chosen, and where their answers go."""

import pytest
from command_line import Shell

from postgres.cluster import Database
from postgres.write_back import stored

_TABLE = """
CREATE TABLE words (id integer PRIMARY KEY, word text, result text);
INSERT INTO words VALUES (1, 'one.', NULL), (2, 'two.', NULL);
"""


def test_repeats_have_rows_of_their_own(run: Shell, database: Database) -> None:
    database.execute(_TABLE)
    table = ("--task", "greet.toml", "--input", database.uri, "--table", "words")
    done = run.run(*table, "--repeat", "2")
    assert done.code == 0, done.err
    assert "table greet_results: 4 new" in done.out
    found = [
        (row["id"], row["repeat_of"], row["repeat"]) for row in stored(database, "greet_results")
    ]
    assert found == [("1#1", "1", "1"), ("1#2", "1", "2"), ("2#1", "2", "1"), ("2#2", "2", "2")]
    more = run.run(*table, "--repeat", "3")
    assert "table greet_results: 2 new" in more.out
    assert run.stats()["paid"] == 6


def test_a_column_has_no_room_for_repeats(run: Shell, database: Database) -> None:
    database.execute(_TABLE)
    table = ("--task", "greet.toml", "--input", database.uri, "--table", "words")
    refused = run.run(*table, "--repeat", "2", "--write-columns", "result=result")
    assert refused.code == 1, refused.out
    assert "a row of words has no room for the answers of its repeats. Leave" in refused.err
    assert refused.err.count("\n") == 1, refused.err
    assert run.stats()["received"] == 0


_KINDS = """
CREATE TABLE words (id integer PRIMARY KEY, word text, grade integer, share numeric(4, 2),
    rate double precision, is_open boolean, day date, "넓은 열" text);
INSERT INTO words VALUES
    (1, 'one.', 7, 0.50, 2, true, '2026-11-21', '가 나'),
    (2, 'two.', 8, NULL, 2.5, false, '2026-11-22', NULL);
"""


@pytest.mark.parametrize(
    ("terms", "ids"),
    [
        (["grade=7"], ["1"]),
        (["share=0.50"], ["1"]),
        (["share="], ["2"]),
        (["rate=2", "rate=2.5"], ["1", "2"]),
        (["is_open=true"], ["1"]),
        (["day=2026-11-22"], ["2"]),
        (["넓은 열=가 나", "id=1"], ["1"]),
    ],
)
def test_rows_of_a_table_are_chosen_as_they_are_typed(
    run: Shell, database: Database, terms: list[str], ids: list[str]
) -> None:
    database.execute(_KINDS)
    only = [word for term in terms for word in ("--only", term)]
    table = ("--task", "greet.toml", "--input", database.uri, "--table", "words")
    done = run.run(*table, *only)
    assert done.code == 0, done.err
    assert [row["id"] for row in stored(database, "greet_results")] == ids
