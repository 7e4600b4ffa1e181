"""Values as PostgreSQL's text, to JSON and back; pure, without a server."""

import base64
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor import jsontext
from processor.columns import Column
from processor.postgres.values import reader_of, text_of

SAME = [
    ("text", "text", "a'b\"c\\", "a'b\"c\\"),
    ("decimal", "numeric", "NaN", "NaN"),
    ("decimal", "numeric", "0.10", "0.10"),
    ("boolean", "boolean", "t", True),
    ("integer", "bigint", "-9223372036854775808", -(2**63)),
    ("real", "double precision", "0.1", 0.1),
    ("real", "double precision", "NaN", "NaN"),
    ("real", "double precision", "-Infinity", "-Infinity"),
    ("bytes", "bytea", "\\xdeadbeef", "3q2+7w=="),
    ("timestamp", "timestamp without time zone", "infinity", "infinity"),
    ("json", "json", '{"b" : 1, "a":2}', '{"b" : 1, "a":2}'),
    ("json", "jsonb", "null", "null"),
    ("json", "jsonb", '"x"', '"x"'),
    ("json", "jsonb", '{"a": 1.10}', '{"a": 1.10}'),
    ("json", "jsonb", "0.12345678901234567890", "0.12345678901234567890"),
    ("json", "jsonb", "[" * 2_000 + "]" * 2_000, "[" * 2_000 + "]" * 2_000),
    ("json[]", "jsonb[]", '{"[1]",NULL}', ["[1]", None]),
    ("integer[]", "integer[]", "[2:3]={1,2}", "[2:3]={1,2}"),
    ("boolean[]", "boolean[]", "{t,f,NULL}", [True, False, None]),
    ("real[]", "real[]", "{1.5,NaN}", [1.5, "NaN"]),
    ("bytes[]", "bytea[]", '{"\\\\xde"}', ["3g=="]),
    (
        "text[]",
        "text[]",
        '{a,"NULL","",NULL,"{,}","\\"\\\\"}',
        ["a", "NULL", "", None, "{,}", '"\\'],
    ),
    ("integer[]", "integer[]", "{{1,2},{3,NULL}}", [[1, 2], [3, None]]),
    ("integer[]", "integer[]", "{}", []),
]


@pytest.mark.parametrize(("kind", "native", "text", "value"), SAME)
def test_a_text_is_a_value_that_the_ledger_holds(
    kind: str, native: str, text: str, value: Any
) -> None:
    read = reader_of(Column("c", kind, native))
    found = read(text) if read else text
    assert found == value
    assert type(found) is type(value)
    assert jsontext.loads(jsontext.dumps(found)) == value


@pytest.mark.parametrize(("kind", "native", "value"), [(k, n, v) for k, n, _, v in SAME])
def test_a_value_becomes_a_text_that_reads_as_the_same_value(
    kind: str, native: str, value: Any
) -> None:
    written = text_of(kind, value)
    assert written is not None
    read = reader_of(Column("c", kind, native))
    as_the_server_says = re.sub(r"\b(t|f)(rue|alse)\b", r"\1", written)
    assert (read(as_the_server_says) if read else written) == value


def test_nothing_is_null() -> None:
    assert text_of("text", None) is None
    assert text_of(None, None) is None


def test_a_list_in_a_column_of_json_is_no_array() -> None:
    assert text_of("json", [1, "a"]) == '[1,"a"]'
    assert text_of("integer[]", [1, 2]) == '{"1","2"}'


def test_numbers_beyond_64_bits_stay_whole() -> None:
    read = reader_of(Column("c", "json", "jsonb"))
    assert read is not None
    value = read('{"n": 123456789012345678901234567890}')
    assert value == {"n": 123456789012345678901234567890}
    assert text_of("json", value) == '{"n":123456789012345678901234567890}'


def test_what_is_no_base64_is_left_for_the_table_to_judge() -> None:
    assert text_of("bytes", "ä!") == "ä!"


@given(st.recursive(st.text() | st.none(), lambda inner: st.lists(inner, min_size=1), max_leaves=9))
def test_arrays_of_any_text_come_back(value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    read = reader_of(Column("c", "text[]", "text[]"))
    written = text_of("text[]", values)
    assert read is not None
    assert written is not None
    assert read(written) == values


@given(st.binary())
def test_bytes_come_back(value: bytes) -> None:
    read = reader_of(Column("c", "bytes", "bytea"))
    assert read is not None
    assert text_of("bytes", read("\\x" + value.hex())) == "\\x" + value.hex()
    assert base64.b64decode(read("\\x" + value.hex())) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_in_json_come_back(value: float) -> None:
    read = reader_of(Column("c", "json", "jsonb"))
    assert read is not None
    text = format(Decimal(repr(value)), "f")
    assert Decimal(text_of("json", read(text)) or "") == Decimal(text)
