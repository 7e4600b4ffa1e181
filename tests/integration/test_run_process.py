"""Whole runs as processes: signals, two at once, a disk that refuses, secrets."""

import asyncio
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lane_bench import CHOOSE
from run_bench import KEY, TASK, Folder, folder_before

from processor.data import open_source
from processor.items import Accepted, Invalid, Item
from processor.run import Run
from processor.sandbox_process import sandbox
from processor.settings import Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "30"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=400) as folder:
        yield folder


def test_one_interrupt_drains_exports_and_can_be_resumed(folder: Folder) -> None:
    process = folder.start("--concurrency", "10")
    folder.wait_for_answers(50)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "once more" in told
    figures = folder.figures()
    assert 50 <= figures["succeeded"] == folder.admin("stats")["received"] < 400
    assert figures["pending"] == 400 - figures["succeeded"]
    assert (folder.path / "out" / "results.csv").exists()
    assert folder.run()[0] == 0
    folder.assert_whole(400)
    assert folder.admin("stats")["received"] == 400


def test_a_second_interrupt_leaves_at_once(folder: Folder) -> None:
    folder.admin("faults", {"set": ["hang:after=50,seconds=60"]})
    process = folder.start("--concurrency", "10")
    folder.wait_for_answers(50)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "once more" not in process.stderr.readline():
        assert process.poll() is None
    begun_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - begun_s < 5
    assert folder.figures()["succeeded"] == 50
    folder.admin("faults", {"clear": True})
    assert folder.run()[0] == 0
    folder.assert_whole(400)
    assert folder.admin("stats")["received"] <= 400 + 10


def test_a_termination_drains_too(folder: Folder) -> None:
    process = folder.start("--concurrency", "10")
    folder.wait_for_answers(50)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert folder.figures()["succeeded"] == folder.admin("stats")["received"]
    assert folder.run()[0] == 0
    folder.assert_whole(400)


def test_a_second_run_on_the_folder_is_refused_with_the_pid_of_the_first(folder: Folder) -> None:
    folder.admin("faults", {"set": ["hang:after=20,seconds=60"]})
    first = folder.start()
    folder.wait_for_answers(20)
    code, _, told = folder.run()
    assert code == 1
    assert f"pid {first.pid}" in told
    assert first.poll() is None
    first.kill()
    first.communicate()
    folder.admin("faults", {"clear": True})
    assert folder.run()[0] == 0
    folder.assert_whole(400)


def test_a_result_file_that_cannot_be_written_stops_the_run_with_5(folder: Folder) -> None:
    (folder.path / "out" / "conversion_results_batch_002.json").mkdir(parents=True)
    code, _, told = folder.run("--concurrency", "10", "--chunk-size", "50")
    assert code == 5
    assert "conversion_results_batch_002.json" in told
    assert "Traceback" not in told
    kept = folder.ledger("SELECT COUNT(*) FROM outcomes")[0][0]
    received = folder.admin("stats")["received"]
    assert 50 <= kept <= received < 400
    (folder.path / "out" / "conversion_results_batch_002.json").rmdir()
    assert folder.run("--chunk-size", "50")[0] == 0
    folder.assert_whole(400)
    assert folder.admin("stats")["received"] <= 400 + received - kept


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_under_the_log_stops_the_run_with_5(folder: Folder) -> None:
    (folder.path / "logs").mkdir()
    (folder.path / "logs" / "batch_conversion.log").symlink_to("/dev/full")
    code, _, told = folder.run()
    assert code == 5
    assert "No space left on device" in told
    assert "Traceback" not in told
    (folder.path / "logs" / "batch_conversion.log").unlink()
    assert folder.run()[0] == 0
    folder.assert_whole(400)


def test_the_key_is_in_no_file_and_on_no_screen(folder: Folder) -> None:
    """Also when the server sends it back, in an error that is known and in one that is not."""
    folder.admin(
        "faults",
        {
            "set": [
                f"status:status=400,type=odd,match=word5.,message=You sent {KEY}",
                f"status:status=418,match=word6.,body=<html>Authorization: Bearer {KEY}</html>",
                f"status:status=500,match=word7.,times=1,message=Key {KEY} broke us",
                f"status:status=401,after=300,code=invalid_api_key,message=Wrong key: {KEY}",
            ]
        },
    )
    code, said, told = folder.run("--keep-bodies", "all")
    assert code == 3
    assert "auth" in told
    assert KEY not in said + told
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.sqlite" for path in files)
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
    codes = folder.ledger("SELECT code FROM attempts UNION ALL SELECT code FROM outcomes")
    assert sorted({code for (code,) in codes if code}) == ["auth", "bad_request", "server_error"]


def test_no_prompt_and_no_answer_is_logged_unless_told(folder: Folder) -> None:
    folder.rows(30)
    folder.admin(
        "faults",
        {
            "set": [
                "refusal:match=word5.,message=I refuse on principle",
                "truncated_json:match=word6.,times=1",
            ]
        },
    )
    assert folder.run()[0] == 2
    logs = "".join(path.read_text() for path in folder.path.glob("logs/*.log"))
    answers = [row[0] for row in folder.ledger("SELECT result FROM outcomes WHERE succeeded")]
    assert len(answers) == 29
    assert not re.search(r"word\d", logs)
    assert "principle" not in logs
    assert not [answer for answer in answers if answer in logs]
    assert folder.run("--log-content", out="other")[0] == 2
    told = (folder.path / "logs" / "batch_conversion.log").read_text()
    assert "word17." in told
    assert answers[0] in told


def test_logs_are_what_people_grep(folder: Folder) -> None:
    folder.rows(130)
    folder.admin(
        "faults", {"set": ["bad_request:match=word7.", "server_error:match=word9.,times=1"]}
    )
    assert folder.run("--chunk-size", "50")[0] == 2
    lines = folder.run_log()
    assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)
    assert {len(line["timestamp"]) for line in lines} == {24}
    run_ids = {line["run_id"] for line in lines}
    assert run_ids == {folder.figures()["run_id"]}
    chunks = {line["batch"]: line["message"] for line in lines if line["event"] == "chunk"}
    assert chunks == {
        1: "배치 001 성공 49/50 (98.0%)",
        2: "배치 002 성공 50/50 (100.0%)",
        3: "배치 003 성공 30/30 (100.0%)",
    }
    path = max(folder.path.glob("logs/batch_conversion_*.log"))
    failed = [line for line in path.read_text().splitlines() if "ERROR" in line]
    assert len(failed) == 1
    assert json.loads(failed[0])["level"] == "error"
    assert json.loads(failed[0])["severity"] == "ERROR"
    assert json.loads(failed[0])["code"] == "bad_request"
    (retried,) = [line for line in lines if line["event"] == "retry"]
    assert (retried["code"], retried["status"], retried["attempt"]) == ("server_error", 500, 1)
    detail = (folder.path / "logs" / "batch_conversion.log").read_text().splitlines()
    told = [json.loads(line) for line in detail]
    items = [line for line in told if line["event"] == "item"]
    assert sorted(line["id"] for line in items) == list(range(1, 131))
    assert "성공" in "".join(line["message"] for line in told if line["event"] == "chunk")


def test_ids_of_any_length_can_be_logged(folder: Folder) -> None:
    long = 10**30
    rows = [{"id": long + n, "word": f"word{n}."} for n in range(5)]
    (folder.path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder.admin("faults", {"set": ["bad_request:match=word3.", "server_error:times=1"]})
    assert folder.run("--log-content")[0] == 2
    assert folder.figures()["succeeded"] == 4
    assert str(long + 3) in json.dumps(folder.run_log())


def test_without_a_terminal_plain_lines_are_told(folder: Folder) -> None:
    folder.rows(30)
    code, said, told = folder.run()
    assert code == 0
    assert re.search(r"\d\d:\d\d:\d\d 30 items to send to gpt-6-luna", told)
    assert "\x1b" not in said + told


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash limits the size of files")
def test_a_ledger_that_cannot_grow_stops_the_run_with_5(folder: Folder) -> None:
    limited = ("bash", "-c", 'ulimit -f 300; exec "$@"', "bash")
    process = folder.start("--concurrency", "10", under=limited)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "ledger.sqlite" in told
    assert "Traceback" not in told
    received = folder.admin("stats")["received"]
    kept = folder.ledger("SELECT COUNT(*) FROM outcomes")[0][0]
    logged = (folder.path / "logs" / "batch_conversion.log").read_text()
    assert logged.count('"event":"item"') <= kept < received < 400
    assert folder.run("--concurrency", "10")[0] == 0
    folder.assert_whole(400)
    assert folder.admin("stats")["received"] == 400 + received - kept


def test_a_reask_cut_off_by_a_kill_goes_on_with_the_answer_that_was_paid(folder: Folder) -> None:
    (folder.path / "greet.toml").write_text(CHOOSE)
    folder.rows(2)
    folder.admin("config", {"bad_answers": 1.0})
    folder.admin("faults", {"set": ["hang:after=2,seconds=60"]})
    try:
        process = folder.start()
        folder.wait_for(lambda: folder.admin("stats")["received"] == 4)
        process.kill()
        process.communicate()
        attempts = "SELECT seq, code, answer IS NOT NULL, problem IS NOT NULL FROM attempts"
        assert sorted(folder.ledger(attempts)) == [(1, "invalid", 1, 1), (2, "invalid", 1, 1)]
        folder.admin("faults", {"clear": True})
        assert folder.run()[0] == 0
    finally:
        folder.admin("config", {"bad_answers": 0.0})
    folder.assert_whole(2)
    stats = folder.admin("stats")
    assert (stats["received"], stats["paid"]) == (6, 4)


def test_a_straggler_in_the_first_chunk_does_not_hold_up_the_files_of_others(
    folder: Folder,
) -> None:
    folder.admin("faults", {"set": ["hang:match=word1.,seconds=60"]})
    process = folder.start("--chunk-size", "50")
    names = [f"conversion_results_batch_{number:03d}.json" for number in range(1, 9)]
    files = [folder.path / "out" / name for name in names]
    folder.wait_for(lambda: all(file.exists() for file in files[1:]))
    assert not files[0].exists()
    process.kill()


class _Buggy(PromptTask):
    """Its check divides by zero at one item."""

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        if item.id == 77:
            raise ZeroDivisionError
        return super().check(item, answer)


def test_a_bug_in_a_check_is_loud_and_loses_nothing_that_was_finished(folder: Folder) -> None:
    file = parse(TASK, where="greet.toml")
    settings = Settings.of({"base_url": folder.url, "api_key": KEY, "concurrency": 10})
    source = open_source(str(folder.path / "rows.jsonl"))
    out = folder.path / "out"
    for task, fails in ((_Buggy(file, where="t"), True), (PromptTask(file, where="t"), False)):
        run = Run(folder=out, task=task, source=source, settings=settings)
        if fails:
            with pytest.raises(ZeroDivisionError):
                asyncio.run(run.execute())
            kept = folder.ledger("SELECT COUNT(*) FROM outcomes")[0][0]
            assert 60 <= kept == folder.admin("stats")["received"] - 1
            assert folder.ledger("SELECT exit_code FROM sessions") == [(1,)]
        else:
            assert asyncio.run(run.execute()).exit_code == 0
    folder.assert_whole(400)
    assert folder.admin("stats")["received"] == 401


@pytest.mark.parametrize("keep", ["all", "failed", "none"])
def test_bodies_are_kept_as_told(folder: Folder, keep: str) -> None:
    folder.rows(10)
    folder.admin("faults", {"set": ["length:match=word3."]})
    assert folder.run("--keep-bodies", keep)[0] == 2
    kept = folder.ledger("SELECT seq FROM outcomes WHERE body IS NOT NULL ORDER BY seq")
    expected = {"all": list(range(1, 11)), "failed": [3], "none": []}
    assert [seq for (seq,) in kept] == expected[keep]


def test_a_server_that_is_not_there_stops_with_3_and_the_way_out(folder: Folder) -> None:
    folder.rows(30)
    code, _, told = folder.run("--give-up", "1", "--base-url", "http://127.0.0.1:1/v1")
    assert code == 3
    assert "unreachable" in told
    assert "base URL" in told
    assert folder.figures()["pending"] == 30
    assert folder.run()[0] == 0
    folder.assert_whole(30)


def test_a_pipe_that_never_speaks_does_not_hold_the_process(folder: Folder) -> None:
    """Reading it cannot be interrupted; leaving in the middle loses nothing."""
    (folder.path / "rows.jsonl").unlink()
    os.mkfifo(folder.path / "rows.jsonl")
    writing_end = os.open(folder.path / "rows.jsonl", os.O_RDWR)
    try:
        process = folder.start()
        folder.wait_for(lambda: bool(list(folder.path.glob("logs/batch_conversion_*.log"))))
        folder.wait_for(lambda: any("run_started" in line["event"] for line in folder.run_log()))
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "once more" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        os.close(writing_end)
    (folder.path / "rows.jsonl").unlink()
    folder.rows(30)
    assert folder.run()[0] == 0
    folder.assert_whole(30)


def test_a_signal_drains_although_nobody_reads_what_is_said(folder: Folder) -> None:
    """Ctrl-C in `run 2>&1 | tee log` ends tee as well."""
    folder.rows(400)
    process = folder.start("--concurrency", "2")
    folder.wait_for_answers(20)
    assert process.stderr is not None
    assert process.stdout is not None
    process.stderr.close()
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert folder.admin("stats")["received"] < 400
    process.stderr = process.stdout = None
    assert folder.run()[0] == 0
    folder.assert_whole(400)
