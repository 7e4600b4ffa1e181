"""JSON leaves a database and comes into every form as the JSON that it was."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from command_line import Shell
from hypothesis import given, settings, strategies as st
from pyarrow import parquet as pq

from postgres.cluster import Database
from postgres.write_back import go
from processor import jsoncells
from processor.data import open_source
from processor.data.wanted import Wanted
from processor.exports.output import Terms, open_output
from processor.exports.table import ResultTable
from processor.ledger.intake import IntakeRules
from processor.ledger.ledger import Ledger, open_ledger
from processor.postgres.values import text_of

_RULES = IntakeRules(id_field="id", required=(), chunk_size=100)
# PostgreSQL has no place for the character NUL.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
texts_of_json = st.sampled_from(
    ['"a"', "null", "1", "1.10", "{}", '{"a": 1}', "true", "", "[", "a"]
)
numbers = st.integers(-(2**70), 2**70) | st.decimals(
    allow_nan=False, allow_infinity=False, places=3
)
scalars = st.none() | st.booleans() | numbers | texts | texts_of_json
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


def written(value: Any) -> str:
    """A value as JSON, decimals with all of their digits."""
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return f"{{{','.join(f'{json.dumps(k)}:{written(v)}' for k, v in value.items())}}}"
        case list():
            return f"[{','.join(map(written, value))}]"
        case _:
            return json.dumps(value)


def exact(text: str | None) -> Any:
    return None if text is None else (json.loads(text, parse_float=Decimal, parse_int=Decimal),)


def taken_in(ledger: Ledger, spec: str, table: str | None = None) -> None:
    ledger.set_meta(id_field="id")
    ledger.take_in(open_source(spec, wanted=Wanted(table=table)), _RULES)


def put(ledger: Ledger, spec: str, *columns: str) -> None:
    terms = Terms(columns=("id", *columns), bom=False, rows="all")
    output = open_output(spec, terms, task="t")
    output.check(ledger.connection)
    output.deliver(ledger.path)
    output.close()


@settings(max_examples=12, deadline=None)
@given(st.lists(values, min_size=1, max_size=6))
def test_json_of_a_database_is_the_same_json_in_every_form(
    tmp_path_factory: pytest.TempPathFactory, database_of_module: Database, made: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    database_of_module.execute("DROP TABLE IF EXISTS before, after")
    database_of_module.execute("CREATE TABLE before (id int, b jsonb, j json, l jsonb[])")
    texts = [written(value) for value in made]
    with psycopg.connect(database_of_module.uri, autocommit=True) as connection:
        for number, text in enumerate(texts):
            connection.execute(
                "INSERT INTO before VALUES (%s, %s, %s, ARRAY[%s, NULL]::jsonb[])",
                (number, text, f" {text}\n", text),
            )
        connection.execute("INSERT INTO before VALUES (%s)", (len(texts),))
    expected = [*map(exact, texts), None]
    lists = [*(([*exact(text), None],) for text in texts), None]
    with open_ledger(folder / "run") as ledger:
        taken_in(ledger, database_of_module.uri, "before")
        for name in ("a.parquet", "a.jsonl", "a.csv"):
            put(ledger, str(folder / name), "b", "j", "l")
    table = pq.read_table(folder / "a.parquet")
    for name, wanted in (("b", expected), ("j", expected), ("l", lists)):
        assert [exact(text) for text in table[name].to_pylist()] == wanted
    assert of_csv(folder / "a.csv") == [(one, one) for one in expected]
    lines = (folder / "a.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    found = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]
    plain = [(None if one is None else one[0]) for one in expected]
    assert [(row["b"], row["j"]) for row in found] == list(zip(plain, plain, strict=True))
    assert [row["l"] for row in found] == [None if one is None else one[0] for one in lists]
    with open_ledger(folder / "again") as ledger:
        taken_in(ledger, str(folder / "a.parquet"))
        back(ledger, database_of_module)
    different = """
        SELECT id, before.b, after.b, after.j FROM before FULL JOIN after USING (id)
        WHERE before.b IS DISTINCT FROM after.b OR before.b IS DISTINCT FROM after.j
    """
    assert database_of_module.rows(different) == []


def back(ledger: Ledger, database: Database) -> None:
    """Put what the ledger holds into the table `after`."""
    database.execute("CREATE TABLE after (id int, b jsonb, j jsonb)")
    table = ResultTable(ledger.connection)
    with psycopg.connect(database.uri, autocommit=True) as connection:
        for _, rows in table.slices():
            for number, b, j, *_ in rows:
                cells = (number, text_of("json", b), text_of("json", j))
                connection.execute("INSERT INTO after VALUES (%s, %s, %s)", cells)


def of_csv(path: Path) -> list[tuple[Any, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(exact(row["b"] or None), exact(row["j"] or None)) for row in csv.DictReader(file)]


@given(st.one_of(values, texts_of_json))
def test_a_cell_keeps_what_a_text_says(value: Any) -> None:
    text = written(value)
    cell = jsoncells.read(text, parse_float=_refuse)
    assert exact(jsoncells.text_of("json", cell)) == exact(text)
    assert cell is not None


def _refuse(text: str) -> float:
    raise ValueError(text)


@pytest.mark.parametrize(
    ("kind", "cell", "text"),
    [
        ("json", '"a"', '"a"'),
        ("json", "a", '"a"'),
        ("json", "NaN", '"NaN"'),
        ("json", "null", "null"),
        ("json", "1.10", "1.10"),
        ("json", 1, "1"),
        ("json", ["a"], '["a"]'),
        ("json[]", ["1.10", None, '"a"'], '[1.10,null,"a"]'),
        ("json[]", [["1"], ["[2]"]], "[[1],[[2]]]"),
        ("json[]", "[2:3]={1,2}", '"[2:3]={1,2}"'),
        ("json", "[" * 100_000 + "]" * 100_000, "[" * 100_000 + "]" * 100_000),
    ],
)
def test_the_text_of_a_cell(kind: str, cell: Any, text: str) -> None:
    assert jsoncells.text_of(kind, cell) == text


ODD = """\
name = "odd"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "json"
columns = true
[output.schema]
type = "object"
required = ["many", "hue"]
[output.schema.properties]
many = { anyOf = [{ type = "string" }, { type = "integer" }] }
hue = { enum = ["red", "green"] }
"""


def test_a_key_of_an_answer_that_may_be_text_is_json_in_a_table(
    run: Shell, database: Database
) -> None:
    run.write("greet.toml", ODD)
    go(run, "--output", database.uri, "--output", "a.jsonl", "--output", "a.parquet")
    found = database.rows("SELECT id, many #>> '{}', jsonb_typeof(many), hue FROM odd_results")
    assert len(found) == 12
    assert {(kind, hue in ("red", "green")) for _, _, kind, hue in found} == {("string", True)}
    lines = (run.folder / "a.jsonl").read_text().splitlines()
    told = {row["id"]: (row["many"], row["hue"]) for row in map(json.loads, lines)}
    assert told == {key: (many, hue) for key, many, _, hue in found}
    table = pq.read_table(run.folder / "a.parquet")
    many = [json.loads(text) for text in table["many"].to_pylist()]
    assert dict(zip(table["id"].to_pylist(), many, strict=True)) == {
        key: many for key, many, _, _ in found
    }
