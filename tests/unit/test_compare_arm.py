"""Which trials a comparison is made of."""

import pytest

from processor.compare.arm import ARMS, SANDBOX_ARMS, SIDE_ARMS, Arm, arms_of, trials
from processor.errors import UsageError


def test_every_usual_arm_can_be_named() -> None:
    for arm in (*SANDBOX_ARMS, *SIDE_ARMS):
        assert arms_of([arm.name]) == (arm,)
    assert arms_of(["batch-50", "one-by-one", "batch-50"]) == (Arm("batch", 50), Arm("one-by-one"))


@pytest.mark.parametrize(
    "name",
    [
        "direct",
        "direct-0",
        "direct-",
        "direct-20000",
        "batch-50001",
        "batch-1e3",
        "slow",
        "in-turn",
    ],
)
def test_what_is_no_arm_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="there is no such arm") as refused:
        arms_of([name])
    assert name in str(refused.value)


def test_a_round_is_whole_before_the_next_begins() -> None:
    arms = [Arm("one-by-one"), Arm("batch", 10)]
    found = trials(arms, ["a", "b"], [2, 10], rounds=2, sandbox=True)
    told = [(each.round, each.model, each.arm.name, each.items) for each in found]
    assert told == [
        (number, model, name, items)
        for number in (1, 2)
        for model in ("a", "b")
        for name in ("one-by-one", "batch-10")
        for items in (2, 10)
    ]
    assert len({each.folder for each in found}) == len(found)


def test_arms_that_show_waiting_take_part_once() -> None:
    found = trials([], ["a"], [2, 10], rounds=1, sandbox=True)
    assert [each.items for each in found if each.arm.kind == "chunk"] == [10] * 4
    assert [each.items for each in found if each.arm.kind == "in-turn"] == [10]


def test_nobody_waits_for_job_after_job_unasked_and_further_models_take_few_arms() -> None:
    found = trials([], ["a", "b"], [2, 10], rounds=1, sandbox=False)
    of_first = dict.fromkeys(each.arm for each in found if each.model == "a")
    of_second = dict.fromkeys(each.arm for each in found if each.model == "b")
    assert (tuple(of_first), tuple(of_second)) == (ARMS, SIDE_ARMS)


def test_models_of_any_name_have_folders_of_their_own() -> None:
    arms = [Arm("one-by-one")]
    models = ["org/model:2", "org model:2", "org-model-2", f"{'m' * 300}a", f"{'m' * 300}b"]
    folders = [each.folder for each in trials(arms, models, [2], rounds=1, sandbox=True)]
    assert folders[2] == "one-by-one-2-org-model-2"
    assert len(set(folders)) == len(models)
    assert all(len(name) < 120 and "/" not in name for name in folders)
