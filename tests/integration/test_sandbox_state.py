"""What the sandbox keeps over its own end, and how much memory large files take."""

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from batch_api import chat_lines, jsonl
from openai import OpenAI

COMMAND = [sys.executable, "-m", "processor", "sandbox", "--latency-ms", "0"]
PATIENCE_S = 30


@contextmanager
def lives(*options: str) -> Iterator[tuple[subprocess.Popen[str], OpenAI]]:
    """A sandbox in a process of its own, which is told to end at last."""
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            with OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
                yield process, client
        finally:
            process.terminate()


def admin(client: OpenAI, path: str, body: Any = None) -> Any:
    address = str(client.base_url).removesuffix("/v1/") + "/sandbox/" + path
    request = urllib.request.Request(
        address,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        return json.load(reply)


def submit(client: OpenAI, raw: bytes) -> str:
    file = client.files.create(file=("in.jsonl", raw), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"shard": "1"},
    ).id


def test_a_batch_goes_on_where_the_sandbox_was_killed(tmp_path: Path) -> None:
    options = ["--state", str(tmp_path / "state"), "--manual-clock", "--in-progress-s", "100"]
    with lives(*options) as (process, client):
        name = submit(client, jsonl(chat_lines(10)))
        admin(client, "clock", {"advance_s": 45.5})
        batch = client.batches.retrieve(name)
        assert batch.request_counts is not None
        assert (batch.status, batch.request_counts.completed) == ("in_progress", 4)
        process.kill()
    with lives(*options) as (_, client):
        admin(client, "clock", {"advance_s": 1})
        (charges,) = admin(client, "charges")["batches"].values()
        assert charges["charged"] == 4
        assert admin(client, "stats")["paid"] == 4
        assert client.batches.retrieve(name).metadata == {"shard": "1"}
        admin(client, "clock", {"advance_s": 100})
        batch = client.batches.retrieve(name)
        assert batch.status == "completed"
        assert batch.completed_at is not None
        assert batch.completed_at - batch.created_at == 100
    half, other = (tmp_path / "state" / room / "x" for room in ("arrivals", "inputs"))
    half.write_bytes(b"")
    other.write_bytes(b"")
    with lives(*options) as (_, client):
        content = client.files.content(str(batch.output_file_id)).content
        names = [json.loads(line)["custom_id"] for line in content.splitlines()]
        assert sorted(names) == [f"c{place}" for place in range(10)]
        charges = admin(client, "charges")
        assert (charges["charged"], charges["items_charged_twice"]["count"]) == (10, 0)
        assert (half.exists(), other.exists()) == (False, False)
        assert [event["what"] for event in admin(client, "events")["events"]] == [
            *("file uploaded", "batch created"),
            *("batch in_progress", "batch finalizing", "batch completed"),
        ]


def test_a_batch_is_killed_at_every_moment_and_loses_nothing(tmp_path: Path) -> None:
    """By the machine's clock, so that the kill comes in the middle of the work."""
    options = ["--state", str(tmp_path / "state"), "--in-progress-s", "0"]
    name, status, lines = "", "validating", 8000
    kills = 0
    while status != "completed":
        with lives(*options) as (process, client):
            name = name or submit(client, jsonl(chat_lines(lines)))
            done = before = _done(client, name)
            while done < before + lines // 4 and status != "completed":
                batch = client.batches.retrieve(name)
                done, status = _done(client, name), batch.status
            process.kill()
        kills += 1
    assert kills > 1
    with lives(*options) as (_, client):
        content = client.files.content(str(batch.output_file_id)).content
        names = {json.loads(line)["custom_id"] for line in content.splitlines()}
        assert (len(names), content.count(b"\n")) == (lines, lines)
        assert admin(client, "charges")["charged"] == lines


def _done(client: OpenAI, name: str) -> int:
    counts = client.batches.retrieve(name).request_counts
    return 0 if counts is None else counts.completed


def test_two_sandboxes_do_not_share_a_folder(tmp_path: Path) -> None:
    with lives("--state", str(tmp_path)):
        second = subprocess.run(
            [*COMMAND, "--state", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (second.returncode, second.stdout) == (1, "")
    assert "another sandbox has it" in second.stderr
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize("spoil", ["a file", "another database", "another version"])
def test_a_folder_that_cannot_be_used_is_refused(spoil: str, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    if spoil == "a file":
        tmp_path.joinpath("state.txt").write_text("x")
        folder = tmp_path / "state.txt" / "below"
    else:
        folder.mkdir()
        database = folder / "sandbox.sqlite"
        if spoil == "another database":
            database.write_text("this is none, but is long enough to be looked at" * 30)
        else:
            with sqlite3.connect(database) as connection:
                connection.execute("PRAGMA user_version=99")
            connection.close()
    done = subprocess.run(
        [*COMMAND, "--state", str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert str(folder) in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_folder_nothing_stays(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert list(tmp_path.iterdir()) == []
        with OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
            submit(client, jsonl(chat_lines(1)))
        assert len(list(tmp_path.iterdir())) == 1
        process.terminate()
    assert list(tmp_path.iterdir()) == []


def _peak_bytes(process: subprocess.Popen[str]) -> int:
    told = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in told.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _walk_large(lines: int, line_bytes: int) -> int:
    """Bytes by which the peak of a sandbox's memory grows with a file of so many lines."""
    question = "x" * line_bytes
    raw = b"".join(
        jsonl([{**line, "body": {**line["body"], "user": question}}]) for line in chat_lines(lines)
    )
    options = ["--batch-lines", str(lines), "--batch-file-bytes", str(len(raw)), "--in-progress-s"]
    with lives(*options, "0") as (process, client):
        submit(client, jsonl(chat_lines(10)))
        before = _peak_bytes(process)
        name = submit(client, raw)
        del raw
        status = ""
        while status != "completed":
            batch = client.batches.retrieve(name)
            assert batch.errors is None
            status = batch.status
        with client.files.with_streaming_response.content(str(batch.output_file_id)) as reply:
            ends = sum(block.count(b"\n") for block in reply.iter_bytes())
        assert ends == lines
        return _peak_bytes(process) - before


def test_large_files_take_little_memory() -> None:
    assert _walk_large(2_000, 10_000) < 12_000_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_lines_take_little_memory() -> None:
    """200 MB in, and as many answers out."""
    assert _walk_large(100_000, 1_850) < 60_000_000
