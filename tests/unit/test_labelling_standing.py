"""How a job is as a whole, what a second submission does, and why a batch failed."""

import pytest

from processor.jobs.job import Job
from processor.labelling.checking import is_stuck, left_of
from processor.labelling.columns import FAILURES, apart
from processor.labelling.deciding import Start, decide
from processor.labelling.standing import Standing, standing_of
from processor.labelling.submitting import split_rows
from processor.labelling.trouble import trouble_of
from processor.ledger.shards import Batch, Shard, State


def job(
    number: int,
    state: State,
    status: str | None = None,
    *,
    done: int = 0,
    items: int = 10,
    problem: str | None = None,
) -> Job:
    shard = Shard(
        number=number,
        state=state,
        at=0.0,
        account=None,
        endpoint="/v1/chat/completions",
        model="m",
        upload=1,
        items=items,
        bytes=1,
        sha256="",
        tokens=1,
    )
    batch = Batch(
        id=f"batch_{number}",
        shard=number,
        status=status or "",
        created_at=0.0,
        seen_at=0.0,
        completed=done,
        problem=problem,
    )
    return Job(shard, [batch] if status else [])


def of(
    *jobs: Job, finished: int = 0, unsent: int = 0, stop: str | None = None, cancelled: bool = False
) -> Standing:
    return standing_of(
        jobs, total=20, finished=finished, unsent=unsent, stop_code=stop, cancelled=cancelled
    )


OPEN, WRITTEN, ENDED, DROPPED = State.OPEN, State.WRITTEN, State.ENDED, State.DROPPED


@pytest.mark.parametrize(
    ("standing", "status", "done", "waiting"),
    [
        (of(finished=20), "completed", 20, 0),
        (of(job(1, OPEN, "validating")), "validating", 0, 0),
        (of(job(1, OPEN, "in_progress", done=5)), "in_progress", 5, 0),
        (of(job(1, OPEN, "finalizing", done=10)), "finalizing", 10, 0),
        (of(job(1, OPEN, "paused", done=3)), "paused", 3, 0),
        # What has ended at the provider is not here yet.
        (of(job(1, OPEN, "completed", done=10)), "finalizing", 10, 0),
        (of(job(1, ENDED, "completed", done=10)), "finalizing", 10, 0),
        (of(job(1, OPEN, "expired", done=1)), "finalizing", 1, 0),
        # Several are one.
        (of(job(1, OPEN, "validating"), job(2, OPEN, "validating")), "validating", 0, 0),
        (of(job(1, OPEN, "in_progress", done=4), job(2, OPEN, "validating")), "in_progress", 4, 0),
        (of(job(1, OPEN, "finalizing", done=10), job(2, WRITTEN)), "in_progress", 10, 10),
        (of(job(2, OPEN, "validating"), finished=10, unsent=3), "validating", 10, 3),
        (of(job(2, OPEN, "in_progress", done=99), finished=15), "in_progress", 20, 0),
        # Nothing is at the provider.
        (of(unsent=20), "validating", 0, 20),
        (of(unsent=20, cancelled=True), "cancelled", 0, 20),
        (of(job(1, WRITTEN)), "validating", 0, 10),
    ],
)
def test_many_batches_are_one_job(standing: Standing, status: str, done: int, waiting: int) -> None:
    assert (standing.status, standing.done, standing.waiting) == (status, done, waiting)
    assert standing.is_complete == (status == "completed")


def test_a_refused_batch_is_told_until_its_rows_are_sent_again() -> None:
    refused = job(1, DROPPED, "failed", problem="invalid_json_line: Bad (line 3)")
    found = of(refused, unsent=10, stop="batch_failed")
    assert (found.status, found.failure) == ("failed", "invalid_json_line: Bad (line 3)")
    assert of(refused, job(2, OPEN, "in_progress"), stop=None).failure is None
    assert of(refused, unsent=10, stop="batch_lost").failure is None


@pytest.mark.parametrize(
    ("jobs", "lost", "left"),
    [
        ([job(1, OPEN, "in_progress"), job(2, OPEN, "in_progress")], ["batch_2"], [2]),
        ([job(1, ENDED, "completed"), job(2, OPEN, "in_progress")], [], [1]),
        ([job(1, State.CREATING), job(2, WRITTEN), job(3, DROPPED, "failed")], [], [1]),
    ],
    ids=["lost", "results gone", "in doubt"],
)
def test_shards_that_wait_for_a_decision(jobs: list[Job], lost: list[str], left: list[int]) -> None:
    assert left_of(jobs, lost) == left


@pytest.mark.parametrize(
    ("live", "left", "waiting", "stop_code", "wanted"),
    [
        (1, 1, 0, "results_gone", True),
        (1, 1, 0, None, True),  # the provider does not know it
        (2, 1, 0, "batch_lost", False),  # the other one is at work
        (1, 1, 5, "in_doubt", False),  # some are still to be sent
        (0, 0, 0, None, False),
        (1, 0, 5, "budget", False),
        (0, 0, 5, "budget", True),
    ],
)
def test_who_polls_is_told_when_nothing_more_comes(
    live: int, left: int, waiting: int, stop_code: str | None, wanted: bool
) -> None:
    found = is_stuck(live=live, left=left, waiting=waiting, stop_code=stop_code)
    assert found == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ("", Start.BEGIN),
        ("exists told", Start.GO_ON),  # nothing of it was ever paid
        ("exists told sent", Start.ASK),
        ("exists told sent unsent", Start.GO_ON),
        ("exists told sent changed", Start.GO_ON),
        ("exists sent", Start.GO_ON),  # killed before it had told
        ("exists told changed", Start.AFRESH),
        ("exists told other", Start.AFRESH),
        ("exists told sent other", Start.ASK),
        ("exists told sent other unsent", Start.ASK),
        ("exists sent other changed", Start.ASK),
    ],
)
def test_a_second_submission(facts: str, wanted: Start) -> None:
    known = facts.split()
    found = decide(
        exists="exists" in known,
        same_task="other" not in known,
        changed="changed" in known,
        unsent="unsent" in known,
        told="told" in known,
        sent="sent" in known,
    )
    assert found is wanted


@pytest.mark.parametrize(
    ("problem", "cause", "line"),
    [
        ("invalid_json_line: This line is not JSON. (line 3)", "입력 파일 형식 오류", 3),
        ("empty_file: The file is empty.", "입력 파일 형식 오류", None),
        ("duplicate_custom_id: Twice. (line 12)", "입력 파일 형식 오류", 12),
        ("insufficient_quota: You exceeded your current quota.", "크레딧 부족", None),
        ("billing_hard_limit_reached: Billing hard limit reached.", "크레딧 부족", None),
        ("token_limit_exceeded: Enqueued token limit reached.", "토큰 한도 초과", None),
        ("model_not_found: No such model. (line 1)", "잘못된 요청 형식", 1),
        ("mismatched_model: Two models.", "잘못된 요청 형식", None),
        ("the provider does not say why", "잘못된 요청 형식", None),
    ],
)
def test_a_failed_batch_has_one_of_the_known_causes(
    problem: str, cause: str, line: int | None
) -> None:
    found = trouble_of(problem)
    assert (found.cause, found.line, found.told) == (cause, line, problem)
    assert "--mode submit" in found.remedy


@pytest.mark.parametrize(
    ("rows", "wanted"), [(1, None), (9_999, None), (10_000, 1_000), (12_000, 1_000)]
)
def test_large_tables_are_split(rows: int, wanted: int | None) -> None:
    assert split_rows(rows) == wanted


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["text", "title"], ["text", "title"]),
        (["text", "label"], ["text", "input_label"]),
        (["label", "input_label", "text"], ["input_input_label", "input_label", "text"]),
        (["run", "text"], ["input_run", "text"]),
    ],
)
def test_columns_of_labels_have_their_names_for_themselves(
    names: list[str], wanted: list[str]
) -> None:
    assert apart(names) == wanted
    assert not set(apart(names)) & set(FAILURES)
