"""What is taken out of texts before others see them."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from processor.doctor.redaction import Redactor, secrets_in, texts_in, without_content

WORDS = st.text(st.characters(codec="utf-8"), max_size=60)
# What it is replaced by is made of stars: of those no secret is made here.
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=40)


@given(SECRETS, WORDS, WORDS)
def test_a_secret_is_found_wherever_it_stands_and_however_it_is_escaped(
    secret: str, before: str, after: str
) -> None:
    redactor = Redactor([secret])
    for spelt in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert spelt not in redactor.text(f"{before}{spelt}{after}")
    assert redactor.value([{"a": secret}, secret, 1, None, True]) != [
        *({"a": secret}, secret, 1, None, True),
    ]


def test_a_secret_in_an_address_is_found() -> None:
    secret = "p@ss/wörd#1"
    told = Redactor([secret]).text(f"https://api.example/?key={quote(secret, safe='')}")
    assert told == "https://api.example/?key=***"


def test_longer_secrets_go_before_their_parts() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcd") == "*** ***"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert Redactor(["", "a", "abc"]).text("abc") == "abc"


@pytest.mark.parametrize(
    "text", ["sk-proj-abcdefghijkl", "postgresql://ann:pw1234@db/x", "Bearer abcdefgh"]
)
def test_what_looks_like_a_key_goes_although_nobody_knows_it(text: str) -> None:
    assert "***" in Redactor([]).text(text)


def test_secrets_of_an_environment() -> None:
    found = secrets_in(
        {
            "OPENAI_API_KEY": "key1",
            "my_token": "token1",
            "PGPASSWORD": "pw0",
            "DATABASE_URL": "postgresql://ann:p%40ss@db/x",
            "HTTPS_PROXY": "http://me:proxypw@proxy:3128",
            "HOME": "/root",
            "BROKEN": "http://[::1",
            "PLAIN": "http://host/path",
        }
    )
    assert found == {"key1", "token1", "pw0", "p%40ss", "p@ss", "proxypw"}


@given(WORDS, WORDS, WORDS, st.integers(0, 40))
def test_no_quotation_of_twelve_characters_is_left(
    before: str, content: str, after: str, start: int
) -> None:
    quoted = content[start : start + 12]
    told = without_content(before + quoted + after, [content])
    if len(quoted) == 12:
        assert quoted not in told


@pytest.mark.parametrize(
    ("message", "contents", "told"),
    [
        ("Unknown word 'Kim'", ["Kim"], "Unknown word 'Kim'"),
        ("Unknown word 'Kims'", ["Kims"], "Unknown word '…'"),
        ("value is a long private text, refused", ["a long private text"], "value is …, refused"),
        ("value is a long private te…", ["a long private text"], "value is ……"),
        ("two lines here as one", ["two lines\nhere as one"], "…"),
        ("limit reached", ["nothing of that"], "limit reached"),
        ("", ["x" * 20], ""),
    ],
)
def test_a_message_without_content(message: str, contents: list[str], told: str) -> None:
    assert without_content(message, contents) == told


def test_texts_of_a_row() -> None:
    row = {"a": "x", "b": [1, {"c": 2.5}], "d": None, "e": True}
    assert list(texts_in(row)) == ["x", "1", "2.5"]
