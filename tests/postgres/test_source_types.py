"""Every type leaves the database and returns to it equal, by way of the ledger."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from postgres.cluster import Database
from processor.data import open_source
from processor.data.wanted import Wanted
from processor.exports.table import ResultTable
from processor.items import Row
from processor.ledger.intake import IntakeRules
from processor.ledger.ledger import open_ledger
from processor.postgres.values import text_of

MAKE = [
    "CREATE TYPE mood AS ENUM ('sad', 'so, so', 'glücklich \"2\"')",
    "CREATE TYPE pair AS (n int, word text)",
    "CREATE DOMAIN grade AS int CHECK (VALUE BETWEEN 0 AND 13)",
    "CREATE DOMAIN tags AS text[]",
]
# Type to literals; each also goes as an array of all of them.
TYPES: dict[str, list[str]] = {
    "smallint": ["-32768"],
    "integer": ["2147483647"],
    "bigint": ["-9223372036854775808", "9007199254740993"],
    "numeric": ["NaN", "Infinity", "1e-30", "1234567890123456789012345678901234567890", "1.10"],
    "numeric(10,2)": ["0.10"],
    "real": ["0.1", "NaN", "-Infinity", "1e-45", "-0"],
    "double precision": ["0.1", "1e308", "NaN", "Infinity", "5e-324", "123456789.123456789"],
    "boolean": ["t", "f"],
    "text": ["", " ", "a'b\"c\\d{},", "한국어 🙂\n\t\r", "NULL", "\\N", "\u200b"],
    "varchar(5)": ["ab"],
    "character(5)": ["ab"],
    '"char"': ["x"],
    "name": ["x y"],
    "bytea": ["\\x", "\\x00ff"],
    "date": ["2024-02-29", "0044-03-15 BC", "infinity", "12345-01-01"],
    "time": ["24:00:00", "00:00:00.000001"],
    "timetz": ["12:00:00+09", "23:59:59.999999-15:59"],
    "timestamp": ["2024-01-01 00:00:00.000001", "-infinity", "0001-01-01 00:00:00 BC"],
    "timestamp(0)": ["2024-01-01 00:00:00"],
    "timestamptz": ["2024-07-01 12:00:00+09", "infinity", "0044-03-15 12:00:00+00 BC"],
    "interval": ["1 year -2 mons +3 days -04:05:06.789", "0", "-00:00:01", "P1Y2M3DT4H5M6S"],
    "json": ['{"b" : 1, "a":1.10, "a":2}', "null", '"x"', "[1, 2]", "1e400"],
    "jsonb": ['{"b": 1, "a": 1.10}', "null", '"x"', "[]", "1e400", "123456789012345678901", "0.1"],
    "jsonpath": ["$.a[*]"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "inet": ["10.0.0.1/8", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "money": ["-1234.56"],
    "bit(4)": ["1010"],
    "bit varying": ["", "10101"],
    "tsvector": ["'a b':1A 'c':2,3"],
    "tsquery": ["'a' & !'b'"],
    "int4range": ["[1,5)", "empty", "(,)"],
    "numrange": ["[1.10,2.0]"],
    "tstzrange": ['["2024-01-01 00:00:00+00",)'],
    "int4multirange": ["{[1,3),[5,7)}", "{}"],
    "point": ["(1.5,-2)"],
    "box": ["(3,4),(1,2)"],
    "circle": ["<(1,2),3>"],
    "polygon": ["((0,0),(1,1),(1,0))"],
    "oid": ["4294967295"],
    "regclass": ["pg_class"],
    "pg_lsn": ["16/B374D848"],
    "int2vector": ["1 2 3"],
    "mood": ["sad", "so, so", 'glücklich "2"'],
    "pair": ['(1,"a ""b"", c")', "(,)"],
    "grade": ["13"],
    "tags": ['{a,"b,c",NULL}', "{}"],
    "integer[]": ["{}", "{{1,NULL},{3,4}}", "[2:3]={1,2}", "[-1:0][5:5]={{1},{2}}"],
    "text[]": ['{{a,"NULL"},{NULL,""}}', '{"{","}","\\"","\\\\"}'],
}


# Of these there are no arrays, or they are arrays themselves.
ALONE = {"int2vector", "tags", *(name for name in TYPES if name.endswith("[]"))}


@pytest.mark.parametrize("in_arrays", [False, True])
def test_every_type_leaves_and_returns_equal(
    database: Database, tmp_path: Path, *, in_arrays: bool
) -> None:
    names = fill(database, in_arrays=in_arrays)
    take_through(database, tmp_path)
    for place, name in enumerate(names):
        query = f"SELECT id, c{place}::text FROM {{}} WHERE c{place}::text IS NOT NULL ORDER BY id"
        found = database.rows(query.format("after"))
        assert (name, found) == (name, database.rows(query.format("before")))
        assert len(found) == len(TYPES[name])


def fill(database: Database, *, in_arrays: bool) -> list[str]:
    """Make the table `before`, a column a type and a row a literal; gives the types."""
    names = [name for name in TYPES if not (in_arrays and name in ALONE)]
    suffix = "[]" if in_arrays else ""
    declared = ", ".join(f"c{place} {name}{suffix}" for place, name in enumerate(names))
    database.execute(*MAKE, f"CREATE TABLE before (id serial PRIMARY KEY, {declared})")
    with psycopg.connect(database.uri, autocommit=True) as connection:
        for place, name in enumerate(names):
            for literal in TYPES[name]:
                value = f"ARRAY[NULL, %(it)s]::{name}[]" if in_arrays else f"%(it)s::{name}"
                insert = f"INSERT INTO before (c{place}) VALUES ({value})"
                connection.execute(insert.encode(), {"it": literal})
    return names


def take_through(database: Database, folder: Path) -> None:
    """Copy `before` into `after`, by way of a ledger and the table of its results."""
    source = open_source(database.uri, wanted=Wanted(table="before"))
    rules = IntakeRules(id_field="id", required=(), chunk_size=100)
    with open_ledger(folder / "run") as ledger:
        ledger.set_meta(id_field="id")
        ledger.take_in(source, rules)
        results = ResultTable(ledger.connection)
        given = results.columns[: len(source.columns())]
        database.execute(f"CREATE TABLE after ({', '.join(f'{c.name} {c.native}' for c in given)})")
        rows = [row for _, part in results.slices() for row in part]
    with (
        psycopg.connect(database.uri, autocommit=True) as connection,
        connection.cursor() as cursor,
        cursor.copy("COPY after FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([text_of(c.kind, value) for c, value in zip(given, row, strict=False)])


def test_columns_say_what_they_are(database: Database) -> None:
    database.execute(*MAKE, 'CREATE SCHEMA "x y"', 'CREATE TYPE "x y"."T" AS ENUM (\'a\')')
    query = """
        SELECT 1::bigint AS a, 1::numeric(8,3) AS b, now() AS c, '{}'::jsonb AS d, 's'::mood AS e,
               '{}'::uuid[] AS f, 1::grade AS g, '{}'::grade[] AS h, 'a'::"x y"."T" AS i,
               '{}'::box[] AS j, ROW(1, 2) AS k, 'a'::varchar(7) AS l, NULL AS m
    """.replace("'s'::mood", "'sad'::mood")
    columns = open_source(database.uri, wanted=Wanted(query=query)).columns()
    assert [(column.kind, column.native) for column in columns] == [
        ("integer", "bigint"),
        ("decimal", "numeric(8,3)"),
        ("timestamptz", "timestamp with time zone"),
        ("json", "jsonb"),
        ("text", "mood"),
        ("uuid[]", "uuid[]"),
        ("integer", "integer"),
        ("integer[]", "grade[]"),
        ("text", '"x y"."T"'),
        ("text", "box[]"),
        ("text", "record"),
        ("text", "character varying(7)"),
        ("text", "text"),
    ]


def test_json_and_lists_are_values_that_prompts_can_take_apart(database: Database) -> None:
    query = """SELECT 1 AS id, '{"a": [1, true, null]}'::jsonb AS j, '{x,"y z"}'::text[] AS t"""
    (row,) = open_source(database.uri, wanted=Wanted(query=query)).rows()
    assert isinstance(row, Row)
    assert row.fields == {"id": 1, "j": {"a": [1, True, None]}, "t": ["x", "y z"]}


@pytest.mark.parametrize("setting", ["DateStyle=SQL,DMY", "IntervalStyle=sql_standard"])
def test_what_a_database_is_set_to_does_not_change_the_text(
    database: Database, setting: str
) -> None:
    name, _, value = setting.partition("=")
    with psycopg.connect(database.uri, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} TO {}").format(
                sql.Identifier(connection.info.dbname), sql.Identifier(name), sql.SQL(value)
            )
        )
    query = "SELECT '2024-03-01'::date AS d, '-1 day 02:00'::interval AS i"
    (row,) = open_source(database.uri, wanted=Wanted(query=query)).rows()
    assert isinstance(row, Row)
    assert row.fields == {"d": "2024-03-01", "i": "-1 days +02:00:00"}
