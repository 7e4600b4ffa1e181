"""What goes into no batch any more, and what is waited for too long."""

import pytest
from hypothesis import given, strategies as st

from processor.batch.apart import Apart
from processor.batch.sight import is_stuck
from processor.ledger.shards import Batch

_SEQS = st.lists(st.integers(1, 200), unique=True)


@given(_SEQS, _SEQS)
def test_what_was_set_apart_is_known(some: list[int], others: list[int]) -> None:
    apart = Apart()
    apart.add(some)
    apart.add(seq for seq in others if seq not in apart)
    assert [seq for seq in range(1, 201) if seq in apart] == sorted({*some, *others})
    assert len(apart) == len({*some, *others})


@pytest.mark.parametrize(
    ("status", "after_s", "stuck"),
    [
        ("validating", 599.0, False),
        ("validating", 600.0, True),
        ("in_progress", 90_000.0, False),
        ("failed", 600.0, False),
        ("cancelling", 600.0, False),
    ],
)
def test_a_batch_is_stuck_that_does_not_begin(status: str, after_s: float, stuck: bool) -> None:
    # Its maker's clock is of no account.
    batch = Batch(id="b", shard=1, status=status, created_at=9e9, seen_at=1_000.0 + after_s)
    assert is_stuck(batch, 1_000.0, 600.0) is stuck
