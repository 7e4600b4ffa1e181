import json
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from processor.data.jsonl import read_jsonl
from processor.data.source import BadRow
from processor.errors import InputError
from processor.items import Row


def read(*parts: bytes) -> list[Row | BadRow]:
    return list(read_jsonl(parts, source="t.jsonl"))


def test_rows_are_numbered_by_their_lines() -> None:
    assert read(b'{"id": 1}\r\n\n  \t\n{"id": 2}\n', b'{"id": 3}') == [
        Row(number=1, fields={"id": 1}),
        Row(number=4, fields={"id": 2}),
        Row(number=5, fields={"id": 3}),
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"v": "a\u2028b\u0085c\x7f"}', "a\u2028b\u0085c\x7f"),
        ('{"v": {"w": [1, "https://a:b", null]}}', {"w": [1, "https://a:b", None]}),
        ('{"v": "\\"w\\": 1"}', '"w": 1'),
        ('{"v": true}', True),
        ('{"v": 1.5}', 1.5),
        ('{"v": 18446744073709551616}', 18446744073709551616),
        ('{"v": -9223372036854775809}', -9223372036854775809),
        ('{"v": [123456789012345678901234567890]}', [123456789012345678901234567890]),
        (f'{{"v": {"9" * 400}}}', int("9" * 400)),
        (f'{{"v": [{"9" * 400}, "\\u00e9{"1" * 30}"]}}', [int("9" * 400), "é" + "1" * 30]),
        ('{"v": 0.12345678901234567890123}', 0.12345678901234568),
    ],
)
def test_a_value_is_what_was_written(line: str, value: Any) -> None:
    [row] = read(line.encode())
    assert isinstance(row, Row)
    assert row.fields == {"v": value}
    assert type(row.fields["v"]) is type(value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"[1, 2]", "is an array, not an object"),
        (b'"id"', "is a string, not an object"),
        (b"12", "is a number, not an object"),
        (b"1.5", "is a number, not an object"),
        (b"true", "is true or false, not an object"),
        (b"null", "is null, not an object"),
        (b'{"v": NaN}', "has NaN, which is not JSON; null stands for a missing number"),
        (b'{"v": -Infinity}', "has Infinity, which is not JSON; null stands for a missing number"),
        (
            b'{"v": 1e400}',
            "cannot be read as JSON: number is infinity when parsed as double (character 7)",
        ),
        (b'{"v": 1', "is cut off: it ends within its JSON"),
        (b'{"v": "ab', "is cut off: it ends within its JSON"),
        (b'{"v": "\\ud800"}', "cannot be read as JSON: no low surrogate in string (character 8)"),
        (b'{"v": "\xed\xa0\x80"}', "has a byte that is not UTF-8: 0xED (--encoding names another)"),
        (b'{"v": "\xb0\xa1"}', "has a byte that is not UTF-8: 0xB0 (--encoding names another)"),
        (b'{"v": 1, "w": 2, "v" : 1}', "has the field v more than once"),
        (b'{"v": {"w": 1, "w": 1}}', "has the field w more than once"),
        (
            b'{"v": 1} {"v": 2}',
            "cannot be read as JSON: unexpected content after document (character 10)",
        ),
        (
            b"id,text",
            "cannot be read as JSON: unexpected character, expected a JSON value (character 1)",
        ),
        (
            b'{"v": "a\0"}',
            "cannot be read as JSON: unexpected control character in string (character 9)",
        ),
        (b'{"v": ' + b"9" * 5000 + b"}", "has an integer of more than 4,300 digits"),
        (b'{"v": ' + b"9" * 400 + b".5}", "has a number too large for JSON readers"),
        (
            b'{"v": ' + b"[" * 5000 + b"]" * 5000 + b"}",
            "cannot be read as JSON: depth limit exceeded (character 1031)",
        ),
        (b'{"v": ' + b"[" * 1010 + b"]" * 1010 + b"}", "is nested too deeply"),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_the_next_is_read(line: bytes, problem: str) -> None:
    assert read(b'{"id": 1}\n' + line + b'\n{"id": 3}\n') == [
        Row(number=1, fields={"id": 1}),
        BadRow(number=2, problem=problem),
        Row(number=3, fields={"id": 3}),
    ]


@pytest.mark.parametrize("text", [b"", b"\n", b" \r\n\n"])
def test_a_file_without_a_row_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match=r"t\.jsonl: has no rows"):
        read(text)


texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
objects = st.dictionaries(texts, values, max_size=5)


@given(st.lists(objects, min_size=1, max_size=5), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_the_standard_writer_wrote_comes_back(
    table: list[dict[str, Any]], ascii_only: bool, line_end: str
) -> None:
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + line_end for row in table)
    rows = read(text.encode())
    assert [(row.number, row.fields) for row in rows if isinstance(row, Row)] == list(
        enumerate(table, 1)
    )


@given(st.dictionaries(texts, st.none() | st.booleans() | texts | st.integers(-(2**63), 2**63 - 1)))
def test_what_orjson_wrote_comes_back(row: dict[str, Any]) -> None:
    assert read(orjson.dumps(row)) == [Row(number=1, fields=row)]


@given(texts, st.text(" \t", max_size=2), texts)
def test_equal_keys_are_found_however_they_are_written(key: str, space: str, other: str) -> None:
    name, twin = json.dumps(key), json.dumps(key, ensure_ascii=False)
    [row] = read(f"{{{name}{space}:1, {json.dumps(other)}: [], {twin}{space}: 1}}".encode())
    assert isinstance(row, BadRow)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    rows = read(b"{}\n" + line + b"\n{}\n")
    assert rows[0] == Row(number=1, fields={})
    assert isinstance(rows[-1], Row)
    assert rows[-1].number == 3 + line.count(b"\n")
