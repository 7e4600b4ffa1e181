"""FAULTS.md 77 to 83, 85 and their kin: files of batches that go and come badly."""

from pathlib import Path
from typing import Any

import pytest
from batch_bench import Bench, walk

ROWS = 12


def assert_whole(bench: Bench, stats: Any, *, paid: int = ROWS, batches: int = 1) -> None:
    """Every row has its own answer, in the files as at the sandbox."""
    results = bench.results()
    assert list(results) == list(range(1, ROWS + 1))
    assert {entry["status"] for entry in results.values()} == {"success"}
    for number, entry in results.items():
        assert f"word{number}." in entry["result"]
    assert stats["paid"] == paid
    assert stats["by_route"].get("POST /v1/batches", 0) == batches


@pytest.mark.fault(77)
@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("lost_answer:on=upload,count=1", 1),
        ("late_error:on=upload,count=1", 1),
        ("reset_in_body:on=upload,count=1", 1),
        ("reset:on=upload,count=1", 2),
        ("server_error:on=upload,count=2", 3),
    ],
)
def test_a_file_that_may_have_arrived_is_looked_for_by_name_and_size(
    tmp_path: Path, fault: str, sent: int
) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert report.exit_code == 0
        stats = await bench.stats()
        assert stats["by_route"]["POST /v1/files"] == sent
        events = (await bench.admin("events"))["events"]
        inputs = [event for event in events if event["what"] == "file uploaded"]
        assert len(inputs) == 1
        assert_whole(bench, stats)

    walk(tmp_path, visit, fault)


@pytest.mark.fault(77)
@pytest.mark.parametrize("fault", ["status:on=files,status=404", "status:on=files,status=501"])
def test_without_a_list_of_files_it_is_sent_again_and_the_batch_is_one(
    tmp_path: Path, fault: str
) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        stats = await bench.stats()
        assert stats["by_route"]["POST /v1/files"] == 2
        assert_whole(bench, stats)

    walk(tmp_path, visit, "lost_answer:on=upload,count=1", fault)


@pytest.mark.fault(78)
@pytest.mark.parametrize(
    "fault",
    [
        "status:on=create,status=404,count=3,message=No such File object: file-1",
        "status:on=create,status=400,count=3,message=No such File object: file-1",
        "status:on=create,status=404,count=8,message=No such File object: file-1",
    ],
)
def test_a_fresh_file_that_is_not_known_yet_is_asked_for_again(tmp_path: Path, fault: str) -> None:
    async def visit(bench: Bench) -> None:
        tries = int(fault.partition("count=")[2].partition(",")[0])
        assert (await bench.run()).exit_code == 0
        assert_whole(bench, await bench.stats(), batches=tries + 1)

    walk(tmp_path, visit, fault)


@pytest.mark.fault(78)
def test_a_file_that_is_never_known_stops_the_run_within_bounds(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(give_up_s=300)
        assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
        assert report.stop is not None
        assert "No such File" in report.stop.message
        stats = await bench.stats()
        assert stats["by_route"]["POST /v1/files"] <= 5
        await bench.admin("faults", {"clear": True})
        assert (await bench.run()).exit_code == 0
        assert (await bench.stats())["paid"] == ROWS

    walk(tmp_path, visit, "status:on=create,status=404,message=No such File object: file-1")


@pytest.mark.fault(79)
@pytest.mark.parametrize(
    "fault",
    [
        "reset_in_body:on=content,share=0.9,count=1",
        "cut_short:on=content,share=0.9,count=1",
        "lost_answer:on=content,count=2",
        "status:on=content,status=404,count=3",
        "html:on=content,count=1",
    ],
)
def test_a_download_that_breaks_is_made_again_and_no_half_row_counts(
    tmp_path: Path, fault: str
) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        assert_whole(bench, await bench.stats())

    walk(tmp_path, visit, fault)


@pytest.mark.fault(82)
@pytest.mark.parametrize(
    "faults",
    [
        ("crlf",),
        ("blank_lines",),
        ("byte_order_mark",),
        ("line_separators",),
        ("empty_file:file=error",),
        ("crlf", "blank_lines", "byte_order_mark", "line_separators", "empty_file:file=error"),
    ],
    ids=" ".join,
)
def test_files_of_all_kinds_are_read(tmp_path: Path, faults: tuple[str, ...]) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        assert_whole(bench, await bench.stats())
        (settled,) = bench.told("shard_settled")
        assert (settled["answered"], settled["missing"], settled["unreadable"]) == (ROWS, 0, 0)

    walk(tmp_path, visit, *faults)


@pytest.mark.fault(83)
def test_results_that_are_deleted_are_said_to_be(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run()
        assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
        assert report.stop is not None
        assert report.stop.code == "results_gone"
        assert "are not there any more" in report.stop.message
        assert "30 days" in report.stop.message
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 1
        assert (await bench.run()).exit_code == 3
        assert (await bench.stats())["by_route"]["POST /v1/batches"] == 1

    walk(tmp_path, visit, "file_gone")


_UNANSWERED = (
    "lost_answer:on=create,count=1",
    "late_error:on=create,count=1",
    "reset_in_body:on=create,count=1",
    "silence:on=create,count=1",
    "cut_short:on=create,count=1",
)
_MAKING_IT_HARD = (
    ("told:field=input_file_id,value=null",),
    ("told:field=input_file_id,value=absent",),
    ("told:field=metadata,value=null",),
    ("lag:on=batches,seconds=60",),
    ("lag:on=batch,seconds=60", "lag:on=batches,seconds=60", "lag:on=files,seconds=60"),
    ("bad_gateway:on=batches,count=3",),
)


@pytest.mark.fault(85)
@pytest.mark.parametrize(
    "faults",
    [
        *((fault,) for fault in _UNANSWERED),
        *((_UNANSWERED[place % 2], *hard) for place, hard in enumerate(_MAKING_IT_HARD)),
    ],
    ids=" ".join,
)
def test_a_batch_whose_answer_is_lost_is_adopted(tmp_path: Path, faults: tuple[str, ...]) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(timeout_s=0.4, grace_s=600)
        assert report.exit_code == 0, report.stop
        stats = await bench.stats()
        assert_whole(bench, stats)
        assert stats["items"]["paid_twice"] == 0

    walk(tmp_path, visit, *faults)


@pytest.mark.fault(85)
@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (("told:field=input_file_id,value=null", "told:field=metadata,value=null"), "made of"),
        (("status:on=batches,status=404,message=No such route",), "cannot tell: No such route"),
    ],
)
def test_when_nobody_can_tell_it_stops_and_asks(
    tmp_path: Path, faults: tuple[str, ...], says: str
) -> None:
    async def visit(bench: Bench) -> None:
        for _ in range(2):
            report = await bench.run()
            assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
            assert report.stop is not None
            assert report.stop.code == "in_doubt"
            assert says in report.stop.message
            assert (await bench.stats())["by_route"]["POST /v1/batches"] == 1

    walk(tmp_path, visit, "lost_answer:on=create,count=1", *faults)
