import codecs
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from processor.data.text import ROW_LIMIT_BYTES, known_encoding, recognise, utf8_lines
from processor.errors import InputError, UsageError

# Single syllables whose two bytes in CP949 are also one letter of UTF-8 (처 is ó) leave a text
# of nothing else undecidable.
SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4) if recognise(chr(code).encode("cp949"))]
DECIDABLE = [s for s in SYLLABLES if recognise(s.encode("cp949")) == "cp949"]


def read(*blocks: bytes, encoding: str | None = None) -> bytes:
    return b"".join(utf8_lines(blocks, encoding=encoding, source="t.csv"))


def refusal(*blocks: bytes, encoding: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read(*blocks, encoding=encoding)
    return caught.value


def in_blocks(text: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The text cut at some of its places, without empty pieces."""
    places = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return (text[a:b] for a, b in pairwise(places) if a < b)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    st.lists(st.integers(0), max_size=5),
)
def test_unicode_in_any_form_becomes_utf8(text: str, form: str, cuts: list[int]) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(form, b"")
    written = mark + f"id,text\n{text}".encode(form)
    assert read(*in_blocks(written, cuts)) == f"id,text\n{text}".encode()


@given(
    st.text(st.sampled_from([*DECIDABLE, *' ,"\r\nabc'])),
    st.sampled_from(DECIDABLE),
    st.integers(0, 3000),
    st.lists(st.integers(0), max_size=5),
)
def test_cp949_is_recognised_wherever_it_begins(
    text: str, syllable: str, lines: int, cuts: list[int]
) -> None:
    table = "id,text\n" + "1,plain\n" * lines + syllable + text
    assert read(*in_blocks(table.encode("cp949"), cuts)) == table.encode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (b"plain", "utf-8"),
        ("가나다".encode(), "utf-8"),
        ("가나다".encode("cp949"), "cp949"),
        ("똠방각하 펲시콜라".encode("cp949"), "cp949"),
        ("가나다라마바사아자".encode() + b"\xff", "utf-8"),
        ("가나다라마바사아자차".encode()[1:], "utf-8"),
        ("한 글자만 깨짐".encode().replace("만".encode(), b"\xeb\xa7"), "utf-8"),
        ("café, à la carte".encode("cp1252"), None),
        ("Größe und Länge".encode("latin-1"), None),
        (b"\xff\xff", None),
    ],
)
def test_utf8_cp949_and_others_are_told_apart(text: bytes, encoding: str | None) -> None:
    assert recognise(text) == encoding


def test_nearly_every_korean_syllable_alone_tells_its_encoding() -> None:
    assert len(SYLLABLES) == 11172
    assert len(DECIDABLE) > 11172 * 0.96


def test_an_encoding_given_is_taken() -> None:
    assert read("é\n".encode("cp1252"), encoding="cp1252") == "é\n".encode()
    assert read("가\n".encode("utf-16-le"), encoding="utf-16-le") == "가\n".encode()
    assert read(b"\xff\xfe" + "가".encode("utf-16-le"), encoding="utf-16-le") == "가".encode()


@pytest.mark.parametrize(
    ("name", "codec"),
    [("UTF8", "utf-8"), ("utf-8-sig", "utf-8"), ("euc-kr", "cp949"), ("ms949", "cp949")],
)
def test_names_of_encodings(name: str, codec: str) -> None:
    assert known_encoding(name) == codec


@pytest.mark.parametrize("name", ["korean-excel", "base64", "", "utf\0"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="unknown encoding"):
        known_encoding(name)


@pytest.mark.parametrize(
    ("blocks", "encoding", "words"),
    [
        ([b"a\n" * 10, b"b\ncaf\xe9,\n"], None, "neither UTF-8 nor CP949 from line 12 on"),
        (["가\n나\n".encode("cp949") + b"x" * 99, b"\n\n\xff\n"], None, "line 5 is not cp949"),
        (["가\n나\n".encode("cp949") + b"\xff\n"], "cp949", "line 3 is not cp949"),
        (["가\n갊\n".encode("utf-16"), b"\x00\xd8\n\x00"], None, "line 3 is not utf-16"),
        (["가\n".encode("utf-16"), b"\x00"], None, "line 2 is not utf-16"),
        (["id\n".encode("utf-16-le")], None, "line 1 is not text: it begins with a NUL byte"),
        ([b"\x1f", b"\x8b\x08"], None, "packed with gzip"),
        ([b"PK\x03\x04..."], "cp949", "an Excel workbook"),
        ([b"PAR1"], None, "a Parquet file"),
        ([b"x" * (1 << 20)] * ((ROW_LIMIT_BYTES >> 20) + 1), None, "a line of more than 32 MB"),
    ],
)
def test_what_is_no_text_says_so(blocks: list[bytes], encoding: str | None, words: str) -> None:
    error = refusal(*blocks, encoding=encoding)
    assert words in error.message
    assert error.way_out


@given(st.lists(st.binary(min_size=1, max_size=9).map(lambda b: b.replace(b"\0", b"\n"))))
def test_every_part_but_the_last_ends_its_line(blocks: list[bytes]) -> None:
    parts = list(utf8_lines([b"id", *blocks], encoding="utf-8", source="t.csv"))
    assert all(part.endswith(b"\n") for part in parts[:-1])
    assert b"".join(parts) == b"id" + b"".join(blocks)
