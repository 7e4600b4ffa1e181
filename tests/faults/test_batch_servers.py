"""Batches of servers that differ from OpenAI's, and of one with a bad day: FAULTS.md 56 to 73."""

from collections import Counter
from pathlib import Path

import pytest
from batch_bench import Bench, walk

ROWS = 12
HOUR_S = 3600.0


def whole(tmp_path: Path, *faults: str, batches: int = 1, **options: object) -> None:
    """A run against a sandbox with faults: every row succeeds, and is paid for once."""

    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        results = bench.results()
        assert [entry["status"] for entry in results.values()] == ["success"] * ROWS
        assert all(f"word{number}." in entry["result"] for number, entry in results.items())
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)
        assert stats["by_route"]["POST /v1/batches"] == batches
        assert not report.differences
        assert {fault.partition(":")[0] for fault in faults} <= stats["by_fault"].keys()

    walk(tmp_path, visit, *faults, **options)


@pytest.mark.fault(56)
def test_every_status_of_a_good_life_is_told_once(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        told = [facts["status"] for facts in bench.told("batch_status")]
        assert told == ["validating", "in_progress", "finalizing", "completed"]

    walk(tmp_path, visit, validating_s=20, in_progress_s=60, finalizing_s=30)


@pytest.mark.parametrize(
    "fault",
    [
        "told:field=errors,value=absent",
        'told:field=output_file_id,value="",while=in_progress',
        'told:field=error_file_id,value=""',
        "told:field=error_file_id,value=absent",
        "told:field=request_counts,value=absent",
        "told:field=request_counts,value={}",
        "told:field=created_at,value=null",
        "told:field=created_at,value=1795000000.25",
        'told:field=created_at,value="1795000000"',
        "told:field=metadata,value=absent",
        "told:field=input_file_id,value=absent",
        "told:field=object,value=absent",
        'told:field=completion_window,value="1d"',
        "told:field=endpoint,value=absent",
        'told:field=status,value="scheduling",while=validating',
        'told:field=status,value="in_progress",while=finalizing',
        "told:field=status,value=null,while=in_progress",
        'told:field=status,value="COMPLETED",while=completed',
        "plain_ids",
        "bodies_as_text",
        "empty_file:file=error",
        "lines_twice:lines=4",
        "lines_strange:lines=3",
        "html:on=batch,count=2",
        "null:on=batch,count=2",
        "truncated_json:on=batch,count=2",
        "rate_limit:on=batch,count=2,retry-after=30",
    ],
)
def test_what_other_servers_tell_otherwise_changes_nothing(tmp_path: Path, fault: str) -> None:
    whole(tmp_path, fault)


@pytest.mark.fault(57)
def test_an_unknown_status_is_warned_of_and_looked_at_until_it_ends(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        (notice,) = [
            notice
            for notice in bench.notes.notices
            if notice.event == "batch_status" and notice.facts["status"] == "paused"
        ]
        assert notice.serious

    walk(tmp_path, visit, 'told:field=status,value="paused",while=in_progress', in_progress_s=30)


@pytest.mark.parametrize("form", ["no_response", "type", "both"])
def test_errors_are_read_in_every_form(tmp_path: Path, form: str) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert report.exit_code == 2
        assert report.snapshot.errors == {"context_length": 1}
        assert report.snapshot.succeeded == ROWS - 1

    walk(tmp_path, visit, "context_length:on=line,match=word3.", f"bare_errors:how={form}")


@pytest.mark.parametrize(
    "faults",
    [
        ("batch_expires:share=0.5,count=1",),
        ("batch_expires:share=0.5,count=1", "no_file:file=error,count=1"),
        ("batch_expires:share=0,count=1", "no_file:file=both,count=1"),
        ("batch_cancels:share=0.5,count=1", "empty_file:file=error,count=1"),
    ],
    ids=" ".join,
)
@pytest.mark.fault(65, 66)
def test_what_an_ended_batch_did_is_kept_and_the_rest_goes_again(
    tmp_path: Path, faults: tuple[str, ...]
) -> None:
    whole(tmp_path, *faults, batches=2)


@pytest.mark.fault(67, 69)
@pytest.mark.parametrize(
    "fault",
    [
        "server_error:on=batch,until=40",
        "batch_stuck:status=cancelling,seconds=720",
        f"batch_stuck:status=finalizing,seconds={4 * HOUR_S}",
    ],
)
def test_hours_of_trouble_are_waited_for(tmp_path: Path, fault: str) -> None:
    whole(tmp_path, fault, speed=6_000.0, in_progress_s=60)


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("status", "batches", "errors"),
    [(0, 2, {}), (429, 2, {}), (500, 2, {}), (400, 1, {"bad_request": 3})],
)
def test_a_line_is_judged_by_its_own_status(
    tmp_path: Path, status: int, batches: int, errors: dict[str, int]
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert report.snapshot.errors == errors
        assert report.snapshot.succeeded == ROWS - sum(errors.values())
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == batches

    walk(tmp_path, visit, f"lines_without_success:lines=3,status={status},count=1")


def test_a_refusal_in_other_words_is_told_in_a_line(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
        assert report.stop is not None
        assert "endpoint: unknown" in report.stop.message
        assert "\n" not in report.stop.message
        assert Counter((await bench.stats())["by_route"])["POST /v1/batches"] == 1

    body = '{"detail":[{"loc":["body","endpoint"],"msg":"endpoint: unknown"}]}'
    walk(tmp_path, visit, f"status:on=create,status=422,body={body}")


def test_a_list_that_ignores_where_it_is_to_begin_ends(tmp_path: Path) -> None:
    whole(tmp_path, "lost_answer:on=create,count=1", strict_after=False)


@pytest.mark.fault(76)
def test_a_provider_that_takes_no_more_batches_this_hour_is_waited_for_and_told_of(
    tmp_path: Path,
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(give_up_s=1_500)
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)
        waits_s = [failed["wait_s"] for failed in bench.told("call_failed")]
        assert waits_s == [HOUR_S / 2] * 3

    walk(tmp_path, visit, "rate_limit:on=create,count=3,retry-after=1800", speed=6_000.0)


def test_a_wait_of_days_is_told_and_not_waited_for(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 1

    walk(tmp_path, visit, "rate_limit:on=create,retry-after=864000")
