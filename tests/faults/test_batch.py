"""Batches that go wrong at the provider: every row is accounted for, and paid once if possible."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
from command_line import SAY, Result, Shell

ROWS = 12


@pytest.fixture
def quick(shell: Shell) -> Iterator[Shell]:
    """A sandbox whose batches end between two looks."""
    shell.reset(validating_s=0.1, in_progress_s=0.1, finalizing_s=0.1)
    yield shell
    shell.reset(validating_s=0.3, in_progress_s=0.5, finalizing_s=0.2)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run came to, and what the provider saw of it."""

    result: Result
    succeeded: int
    errors: dict[str, int]
    pending: int
    batches: int
    paid: int
    paid_twice: int


def batched(shell: Shell, *faults: str) -> Seen:
    """Run rows by batch against a sandbox with faults."""
    for fault in faults:
        shell.fault(fault)
    lines = (orjson.dumps({"word": f"{shell.folder.name} {n}"}) for n in range(ROWS))
    source = shell.write("rows.jsonl", b"\n".join(lines))
    task = shell.write("say.toml", SAY)
    result = shell.run("--task", task, "--input", source, "--route", "batch", "--grace", "1")
    figures, stats = shell.figures(), shell.stats()
    assert figures["reconciled"]
    return Seen(
        result=result,
        succeeded=figures["succeeded"],
        errors=figures["errors"],
        pending=figures["pending"],
        batches=stats["by_route"]["POST /v1/batches"],
        paid=stats["paid"],
        paid_twice=stats["items"]["paid_twice"],
    )


@pytest.mark.parametrize(
    ("fault", "batches", "paid_twice"),
    [
        pytest.param("no_file:file=both,count=1", 2, ROWS, marks=pytest.mark.fault(64)),
        pytest.param("batch_expires:share=0.1,count=1", 2, 0, marks=pytest.mark.fault(65)),
        pytest.param("batch_cancels:share=0.5,count=1", 2, 0, marks=pytest.mark.fault(66)),
        pytest.param(
            'told:field=status,value="paused",while=in_progress',
            1,
            0,
            marks=pytest.mark.fault(57),
        ),
        pytest.param("told:field=request_counts,value=null", 1, 0, marks=pytest.mark.fault(73)),
        pytest.param("server_error:on=batch,count=1", 1, 0, marks=pytest.mark.fault(69)),
        pytest.param("batch_stuck:status=cancelling,seconds=2", 1, 0, marks=pytest.mark.fault(67)),
        ("cut_mid_line:count=1", 2, 1),
        ("lines_contradicted:lines=3", 1, 0),
    ],
)
def test_every_row_succeeds_in_the_end(
    quick: Shell, fault: str, batches: int, paid_twice: int
) -> None:
    seen = batched(quick, fault)
    assert seen.result.code == 0
    assert (seen.succeeded, seen.batches) == (ROWS, batches)
    assert (seen.paid, seen.paid_twice) == (ROWS + paid_twice, paid_twice)


@pytest.mark.fault(73)
def test_counts_are_never_taken_for_the_truth(quick: Shell) -> None:
    counts = {"total": ROWS, "completed": ROWS, "failed": 0}
    told = f"told:field=request_counts,value={orjson.dumps(counts).decode()}"
    seen = batched(quick, told, "lines_missing:lines=3,count=1")
    assert (seen.result.code, seen.succeeded) == (0, ROWS)
    assert (seen.batches, seen.paid_twice) == (2, 3)


@pytest.mark.fault(63)
def test_when_all_rows_failed_the_error_file_tells_why(quick: Shell) -> None:
    seen = batched(quick, "context_length:on=line")
    assert (seen.result.code, seen.errors) == (2, {"context_length": ROWS})
    assert (seen.batches, seen.paid) == (1, 0)


@pytest.mark.fault(64)
def test_a_provider_that_never_gives_a_file_is_not_paid_for_ever(quick: Shell) -> None:
    seen = batched(quick, "no_file:file=both")
    assert (seen.result.code, seen.errors) == (2, {"missing": ROWS})
    assert seen.batches == 3


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(
            "batch_fails:code=duplicate_custom_id,message=An id twice.,line=3",
            ("duplicate_custom_id", "An id twice.", "line 3"),
            marks=pytest.mark.fault(59),
        ),
        pytest.param(
            "status:on=batch,status=404", ("does not know batch",), marks=pytest.mark.fault(70)
        ),
    ],
)
def test_what_cannot_go_on_stops_and_is_not_sent_again(
    quick: Shell, fault: str, says: tuple[str, ...]
) -> None:
    seen = batched(quick, fault)
    assert (seen.result.code, seen.pending, seen.batches) == (3, ROWS, 1)
    for words in says:
        assert words in seen.result.err
