"""Addresses of notifications are secrets as a whole."""

from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from processor.addressee import is_addressee, shown, without

PART = st.text("abcdefghijkXYZ0123456789-_%@!é김", min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnl/#general", "slack://…"),
        ("JSONS://user:password@one.example/path?x=1", "jsons://…"),
        ("https://hooks.slack.com/services/T1/B2/abc", "https://…"),
        ("no-address-but-a-token", "…"),
        ("a-token-with-a-slash://rest", "…"),
    ],
)
def test_only_the_scheme_is_shown(address: str, told: str) -> None:
    assert shown(address) == told


@pytest.mark.parametrize(
    ("text", "can_be"),
    [
        ("json://a", True),
        ("mailto://u:p@h.example?to=a@b.example", True),
        ("json:/a", False),
        ("://a", False),
        ("", False),
        ("json://a b", False),
        ("json://a\n", False),
    ],
)
def test_what_can_be_an_address(text: str, can_be: bool) -> None:
    assert is_addressee(text) is can_be


@given(st.lists(PART, min_size=1, max_size=4), st.text(max_size=20))
def test_nothing_of_an_address_is_left_in_a_text(parts: list[str], around: str) -> None:
    address = "json://" + "/".join(parts)
    told = [*parts, *(quote(part, safe="") for part in parts), address, address.upper()]
    for each in told:
        left = without(f"[{each}] {around}", address)
        assert not [part for part in parts if part in left.replace(around, "")]


def test_what_is_no_part_of_it_stays() -> None:
    address = "mailto://ann:Tk8Qz7@one.example:25?to=bob@two.example"
    told = "Mail to bob@two.example by one.example failed: error 535 of ann"
    assert without(told, address) == "Mail to bob@… by … failed: error 535 of ann"
    assert without("error=500", "json://") == "error=500"
