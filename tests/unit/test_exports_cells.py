import pytest
from hypothesis import given, strategies as st

from processor.exports.cells import harmless

_FIRST = "=+-@\t\r\n＝＋－＠"


@pytest.mark.fault(97)
@pytest.mark.parametrize("first", _FIRST)
def test_text_that_begins_like_a_formula_is_led_by_an_apostrophe(first: str) -> None:
    assert harmless(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"
    assert harmless(first) == f"'{first}"


@pytest.mark.parametrize(
    "value", ["-5", "+5", "-0.5", "+1e-9", -5, -0.5, None, "", "a=b", "5-3", "'=1", "가", True]
)
def test_numbers_and_all_other_values_stay_as_they_are(value: object) -> None:
    assert harmless(value) is value


@pytest.mark.parametrize("value", ["-", "--5", "-5-3", "-x", "-1e", "+1.", "-5 ", "-٥", "-1\n"])
def test_what_only_looks_like_a_number_is_none(value: str) -> None:
    assert harmless(value) == f"'{value}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_begins_like_a_formula_but_numbers(value: str) -> None:
    cell = harmless(value)
    assert cell in (value, f"'{value}")
    if cell[:1] in [*_FIRST]:
        float(cell)
