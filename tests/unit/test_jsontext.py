import math
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from processor import jsontext

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_goes_in_comes_out(value: Any) -> None:
    back = jsontext.loads(jsontext.dumps(value))
    assert back == value
    assert repr(back) == repr(value)  # 1, 1.0 and true are equal, but not the same


@given(st.integers(2**53, 2**80) | st.integers(-(2**80), -(2**53)))
def test_integers_keep_every_digit(number: int) -> None:
    assert jsontext.loads(jsontext.dumps({"a": [number]})) == {"a": [number]}


@pytest.mark.parametrize("beside", [1, 2**70])
def test_a_missing_number_is_null(beside: int) -> None:
    row = {"a": math.nan, "b": [math.nan, (math.nan,)], "c": beside}
    assert jsontext.loads(jsontext.dumps(row)) == {"a": None, "b": [None, [None]], "c": beside}


@pytest.mark.parametrize("beside", [None, 1, 2**70])
@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, [math.inf], {"x": (1, math.inf)}, "\ud800", object(), {1, 2}]
)
def test_what_is_not_json_is_refused(value: object, beside: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        jsontext.dumps({"value": value, "beside": beside})


@pytest.mark.parametrize("beside", [1, 2**70])
def test_depth_without_end_is_refused(beside: int) -> None:
    value: Any = None
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match=r"\w"):
        jsontext.dumps([beside, value])


@pytest.mark.parametrize("beside", [1, 2**70])
def test_dates_and_the_like_are_text(beside: int) -> None:
    row = {"day": date(2026, 11, 21), "key": UUID(int=7), "n": beside}
    back = jsontext.loads(jsontext.dumps(row))
    assert back == {"day": "2026-11-21", "key": str(UUID(int=7)), "n": beside}


def test_text_is_not_escaped_beyond_need() -> None:
    assert jsontext.dumps({"질문": "뭐?"}) == '{"질문":"뭐?"}'
    assert jsontext.dumps({"질문": 2**64}).strip() == '{"질문":18446744073709551616}'
