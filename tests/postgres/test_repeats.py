"""Rows of a database that are asked several times, and what becomes of their answers there."""

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
