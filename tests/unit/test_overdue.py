"""What a deadline has left undone, told with what it takes to do it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from processor.plan.deadline import deadline_at
from processor.plan.overdue import Overdue

LATE = Overdue(typed="2h", items=1_240, per_s=1.0, direct_usd=0.001, batch_usd=0.0005)
SAID = "1,240 items are left, about 21m directly for $1.24, $0.62 by batch: --deadline 30m goes on."
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("late", "sentence"),
    [
        (LATE, SAID),
        (
            Overdue(typed="30m", items=1_240, per_s=1.0),
            "1,240 items are left, about 21m directly: --deadline 35m goes on.",
        ),
        (
            Overdue(typed="18:00", items=1, per_s=2.0, is_measured=False, direct_usd=0.001),
            "1 item is left, about 1m directly (assumed) for $0.001000: --deadline 5m goes on.",
        ),
        (
            Overdue(typed="1h", items=50_000, per_s=10.0, direct_usd=0.01),
            "50,000 items are left, about 1h24m directly for $500.00: --deadline 1h45m goes on.",
        ),
    ],
    ids=["costs", "same-words", "assumed", "hours"],
)
def test_what_is_left_is_said_in_a_sentence(late: Overdue, sentence: str) -> None:
    assert str(late) == sentence


@given(
    items=st.integers(1, 1_000_000),
    per_s=st.floats(0.5, 500),
    typed=st.sampled_from(["2h", "30m", "1h 05m", "18:00", "10M"]),
)
def test_enough_is_another_deadline_that_is_enough(items: int, per_s: float, typed: str) -> None:
    late = Overdue(typed=typed, items=items, per_s=per_s)
    assert late.enough != typed.replace(" ", "").lower()
    left_s = (deadline_at(late.enough, NOW) - NOW).total_seconds()
    assert items / per_s + 60 <= left_s <= 1.2 * items / per_s + 900


def test_no_deadline_is_too_far_to_be_typed() -> None:
    late = Overdue(typed="3h", items=1_000_000, per_s=0.01)
    assert late.enough == "720h"
    assert deadline_at(late.enough, NOW) > NOW
