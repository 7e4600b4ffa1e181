import csv
import io
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, strategies as st

from processor.data.csv import read_csv
from processor.data.source import BadRow
from processor.data.text import ROW_LIMIT_BYTES
from processor.errors import InputError
from processor.items import Row


def read(text: str | bytes, delimiter: str | None = None) -> list[Row | BadRow]:
    part = text.encode() if isinstance(text, str) else text
    return list(read_csv([part], source="t.csv", delimiter=delimiter))


def refusal(text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value


def test_rows_are_numbered_from_the_first_below_the_header() -> None:
    assert read("id,text\n7,가\n\n8,나") == [
        Row(number=1, fields={"id": "7", "text": "가"}),
        Row(number=2, fields={"id": "8", "text": "나"}),
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('1,"a, ""b"""\r\n', 'a, "b"'),
        ('1,"two\nlines"\n', "two\nlines"),
        ('1,"two\r\nlines"', "two\r\nlines"),
        ("1,old Macintosh\r", "old Macintosh"),
        ("1,\n", ""),
        ("1, a \u2028\u0085b\n", " a \u2028\u0085b"),
        ('1,5" pipe\n', '5" pipe'),
        (f"1,{'x' * 200_000}\n", "x" * 200_000),
    ],
)
def test_a_field_is_what_was_written(line: str, value: str) -> None:
    assert read(f"id,text\n{line}") == [Row(number=1, fields={"id": "1", "text": value})]


def test_tabs_can_stand_between_fields() -> None:
    assert read("id\ttext\n1\ta,b\n", "\t") == [Row(number=1, fields={"id": "1", "text": "a,b"})]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("id;text\n1;2,5\n", {"id": "1", "text": "2,5"}),
        ("id\ttext\n1\ta;b\n", {"id": "1", "text": "a;b"}),
        ("\n\r\nid;text\r\n1;a", {"id": "1", "text": "a"}),
        ("id;text\r1;a,b\r", {"id": "1", "text": "a,b"}),
        ("id,a;b;c\n1,2\n", {"id": "1", "a;b;c": "2"}),
        ('"a;b",c\n1,2\n', {"a;b": "1", "c": "2"}),
        ('"a;b"\n"1;2"\n', {"a;b": "1;2"}),
        ('id;"a,b"\n1;2\n', {"id": "1", "a,b": "2"}),
        ('"say ""a,b""\nor;c";d\n1;2\n', {'say "a,b"\nor;c': "1", "d": "2"}),
        ('5" pipe;"a,b"\n1;2\n', {'5" pipe': "1", "a,b": "2"}),
        ('"id"\n"1;2"\n', {"id": "1;2"}),
        ("text\n1;2\n", {"text": "1;2"}),
    ],
)
def test_the_header_tells_what_stands_between_fields(text: str, fields: dict[str, str]) -> None:
    assert read(text) == [Row(number=1, fields=fields)]


def test_the_header_may_come_late_and_in_pieces() -> None:
    rows = read_csv([b"\n", b"\r\n", b"id;text\n", b"1;a\n"], source="t.csv")
    assert list(rows) == [Row(number=1, fields={"id": "1", "text": "a"})]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_an_unusual_delimiter_is_named(delimiter: str, name: str) -> None:
    assert read(f"id{delimiter}text\n1,a\n") == [
        BadRow(number=1, problem=f"has 1 fields between {name}, the header 2 (line 2)")
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,2,3\n", "has 3 fields, the header 2 (line 5)"),
        ("1\n", "has 1 fields, the header 2 (line 5)"),
        ('1,"a"b\n', "is not CSV: ',' expected after '\"' (line 5)"),
        ('1,"a\nb",3\n', "has 3 fields, the header 2 (line 5)"),
        ('1,"a\nb"c\n', "is not CSV: ',' expected after '\"' (line 5)"),
    ],
)
def test_a_bad_row_names_its_line_and_the_next_is_read(line: str, problem: str) -> None:
    rows = read(f'id,text\n1,"two\nlines"\n\n{line}2,b\n')
    assert rows[1:] == [
        BadRow(number=2, problem=problem),
        Row(number=3, fields={"id": "2", "text": "b"}),
    ]


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("", None, "has no rows"),
        ("\n\r\n", None, "has no rows"),
        ("id,text\n\n", None, "has no rows, only a header"),
        ("id,,text\n1,2,3\n", None, "column 2 has no name"),
        ("id,text,id\n1,2,3\n", None, "more than one column named id"),
        ('"id"x,text\n1,2\n', None, "the header is not CSV"),
        ('id,"text\n1,2\n', None, "a quote is opened and never closed (line 1)"),
        ('id,text\n1,a\n2,"b\n3,c\n4,d\n', 2, "a quote is opened and never closed (line 3)"),
        (b"id,text\n1,\xea\xb0\x80\n2,\xb0\xa1\n", 2, "not UTF-8: 0xB0 (line 3)"),
        (b'id,text\n1,a\n2,"b\n\xff"\n', 2, "not UTF-8: 0xFF (line 3)"),
        (b"id,text\n1,a\n2,b\0\n\xff\n", 2, "has a NUL byte (line 3)"),
        (b"id,te\xffxt\n1,a\n", None, "not UTF-8: 0xFF (line 1)"),
    ],
)
def test_what_spoils_the_file_names_row_and_line(
    text: str | bytes, row: int | None, words: str
) -> None:
    error = refusal(text)
    assert (error.source, error.row) == ("t.csv", row)
    assert words in error.message


def test_an_unclosed_quote_does_not_swallow_the_rest_of_a_large_file() -> None:
    read_parts = 0

    def parts() -> Iterator[bytes]:
        nonlocal read_parts
        yield b'id,text\n1,"a\n'
        while True:
            read_parts += 1
            yield b"2,b\n" * (1 << 18)

    with pytest.raises(InputError, match=r"row 1: a quote is opened and never closed \(line 2\)"):
        list(read_csv(parts(), source="t.csv"))
    assert read_parts <= ROW_LIMIT_BYTES >> 20


def test_rows_before_a_spoilt_line_are_read_first() -> None:
    rows = read_csv([b"id\n1\n2\n\xff\n"], source="t.csv")
    assert [next(rows), next(rows)] == [
        Row(number=1, fields={"id": "1"}),
        Row(number=2, fields={"id": "2"}),
    ]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5
        )
    ),
    # Python's writer leaves a bare carriage return unquoted unless it is part of the line end.
    st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_MINIMAL, "\r\n")]),
)
def test_what_the_standard_writer_wrote_comes_back(
    table: list[list[str]], dialect: tuple[Literal[0, 1], str]
) -> None:
    names = [f"열{place}" for place in range(len(table[0]))]
    quoting, line_end = dialect
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=line_end).writerows([names, *table])
    rows = read(out.getvalue())
    assert [(row.number, row.fields) for row in rows if isinstance(row, Row)] == [
        (number, dict(zip(names, record, strict=True))) for number, record in enumerate(table, 1)
    ]
