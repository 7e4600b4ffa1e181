"""The sandbox as a process of its own."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "processor", "sandbox"]
PATIENCE_S = 30


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running sandbox and its base URL."""
    with subprocess.Popen(
        [*COMMAND, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+/v1)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


def refused(*options: str) -> str:
    """What a sandbox says that does not start."""
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(number: signal.Signals) -> None:
    with started("--fault", "hang") as (process, url):
        # A request that hangs does not keep it.
        host, port = url.split("/")[2].split(":")
        with socket.create_connection((host, int(port))) as connection:
            body = b'{"model":"gpt-6-luna","messages":[{"role":"user","content":"hi"}]}'
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body)
            stats = url.removesuffix("/v1") + "/sandbox/stats"
            while b'"in_hand":1' not in urllib.request.urlopen(stats).read():
                pass
            process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, "")


def test_a_client_that_leaves_makes_no_noise() -> None:
    """Clients are killed in tests; what they leave behind is no error of the sandbox."""
    with started() as (process, url):
        host, port = url.split("/")[2].split(":")
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
            "content-type: application/json\r\ncontent-length: 1000\r\n\r\n"
        )
        stats = url.removesuffix("/v1") + "/sandbox/stats"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + b"{")
            while b'"in_hand":1' not in urllib.request.urlopen(stats).read():
                pass
        while b'"by_status":{"dropped":1}' not in urllib.request.urlopen(stats).read():
            pass
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert errors == ""


def test_bytes_that_are_no_http_make_no_noise() -> None:
    garbage = [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    with started() as (process, url):
        host, port = url.split("/")[2].split(":")
        for sent in garbage:
            with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
                connection.sendall(sent)
                assert connection.makefile("rb").readline().split()[1] == b"400"
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert errors == ""


def test_it_ends_with_its_standard_input() -> None:
    with started("--until-stdin-closes") as (process, _):
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors) == (0, "")


def test_it_ends_when_its_parent_is_killed() -> None:
    """Nobody closes the pipe then but the system."""
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*COMMAND, '--until-stdin-closes']!r},"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
    try:
        # Readable once the process has ended.
        readable, _, _ = select.select([child], [], [], PATIENCE_S)
        assert readable
    finally:
        os.close(child)


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--port", str(port))
    assert said.startswith(f"Error: port {port} cannot be used: ")
    assert "--port 0 takes any free one" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bogus"], "No such option"),
        (["--port", "70000"], "--port"),
        (["--rpm", "0"], "rpm must be at least 1"),
        (["--latency-ms", "-1"], "latency_ms must be 0 or more"),
        (["--bad-answers", "1.5"], "bad_answers must be a share"),
        (["--limit-kind", "hour"], "--limit-kind"),
        (["--fault", "nope"], "no fault 'nope'"),
        (["--fault", "reset:rate=x"], "rate must be a number"),
        (["--access-log", "/nowhere/at/all"], "access log cannot be written"),
    ],
)
def test_a_bad_option_is_one_line(options: list[str], words: str) -> None:
    assert words in refused(*options)


def test_options_reach_the_server_and_the_access_log_is_written(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    options = ["--access-log", str(log), "--model", "mine", "--manual-clock", "--api-key", "k"]
    with started(*options) as (process, url):
        request = urllib.request.Request(
            f"{url}/models/mine", headers={"authorization": "Bearer k"}
        )
        assert b'"id":"mine"' in urllib.request.urlopen(request).read()
        clock = urllib.request.Request(
            url.removesuffix("/v1") + "/sandbox/clock", data=b'{"advance_s": 2.5}'
        )
        assert urllib.request.urlopen(clock).read() == b'{"now_s":2.5}'
        process.terminate()
        process.wait(PATIENCE_S)
    assert '"GET /v1/models/mine HTTP/1.1" 200' in log.read_text()


def test_help_ends_in_examples_and_faults_are_listed() -> None:
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--until-stdin-closes" in told
    assert "Examples:\n    processor sandbox\n" in told
    told = subprocess.run(
        [*COMMAND, "--list-faults"], capture_output=True, text=True, check=True
    ).stdout
    assert {"reset", "insufficient_quota", "drip"} <= set(told.split())
