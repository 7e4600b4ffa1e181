"""SIGKILL behind every step of the batch lane: the small form of `scripts/batch_kill_matrix.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from _batch_kills import CIRCUMSTANCES, Circumstance, Stage, relay, single, stage, submissions

from processor.batch.steps import Step

pytestmark = pytest.mark.fault(84, 85)


@pytest.fixture(scope="module")
def the_stage() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.mark.parametrize("step", Step)
def test_a_kill_behind_a_step_loses_and_doubles_nothing(
    the_stage: Stage, tmp_path: Path, step: Step
) -> None:
    assert not the_stage.suffer(single(step), tmp_path / "run").found


@pytest.mark.parametrize("circumstance", CIRCUMSTANCES, ids=lambda found: found.name)
def test_kills_behind_every_step_in_turn_lose_and_double_nothing(
    the_stage: Stage, tmp_path: Path, circumstance: Circumstance
) -> None:
    case = relay(circumstance)
    assert {step for step, _ in case.kills} == set(Step)
    tale = the_stage.suffer(case, tmp_path / "run")
    assert not tale.found
    assert tale.kills == len(Step)


@pytest.mark.parametrize("circumstance", CIRCUMSTANCES[:3], ids=lambda found: found.name)
def test_kills_of_starts_that_only_make_batches_lose_and_double_nothing(
    the_stage: Stage, tmp_path: Path, circumstance: Circumstance
) -> None:
    assert not the_stage.suffer(submissions(circumstance), tmp_path / "run").found


@pytest.mark.parametrize("step", [Step.FILE_WRITTEN, Step.SHARD_KEPT, Step.END_KEPT])
def test_batches_that_were_left_are_taken_over_once(
    the_stage: Stage, tmp_path: Path, step: Step
) -> None:
    assert not the_stage.hand_over(step, tmp_path).found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES, ids=lambda found: found.name)
@pytest.mark.parametrize("step", Step)
def test_whatever_else_goes_wrong(
    the_stage: Stage, tmp_path: Path, step: Step, circumstance: Circumstance
) -> None:
    for which in (1, 2):
        tale = the_stage.suffer(single(step, circumstance, which=which), tmp_path / str(which))
        assert not tale.found
