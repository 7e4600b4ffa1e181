"""Kill -9 at random moments: the small form of `scripts/kill_test.py`, for every day."""

import random
from pathlib import Path

import pytest
from kill_test import PHASES, Phase, suffer

CONCURRENCY = 10
KILLS = {"import": 1, "sending": 2, "re-ask": 1, "both lanes": 2, "deadline": 3, "export": 1}


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; put it in place of the call to see the same kills again."""
    return random.SystemRandom().randrange(2**32)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_no_item_is_lost_or_doubled_however_often_the_run_is_killed(
    tmp_path: Path, phase: Phase, seed: int
) -> None:
    print(f"seed {seed}")
    tale = suffer(
        phase,
        tmp_path,
        random.Random(seed),
        kills=KILLS[phase.name],
        items=200,
        concurrency=CONCURRENCY,
    )
    assert len(tale.lost) == KILLS[phase.name]
    assert not tale.found
