"""What is said at the end of a run does not change how the run ended."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Shell

RUN = [sys.executable, "-m", "processor", "run", "--generate", "20", "--quiet"]


def run(shell: Shell, line: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A shell's line, in which $RUN is the command."""
    command = " ".join([*RUN, "--base-url", shell.url])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=shell.folder,
        env={**os.environ, "RUN": command, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize("line", ["$RUN >&-", "$RUN | true", "$RUN >/dev/full", "$RUN 2>&-"])
def test_a_finished_run_ends_with_0_whatever_its_output_is(shell: Shell, line: str) -> None:
    if "full" in line and not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    done = run(shell, line)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert shell.figures()["succeeded"] == 20


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_korean_shows_what_it_can(shell: Shell, encoding: str) -> None:
    done = run(shell, "$RUN", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert "20 of 20 finished" in done.stdout
    assert done.stderr == ""


def test_a_stopped_run_says_why_wherever_one_looks(shell: Shell) -> None:
    """Under cron nobody sees standard error."""
    shell.fault("insufficient_quota")
    stopped = shell.run("--generate", "20")
    assert stopped.code == 3
    figures = shell.figures()
    assert figures["stopped"]["code"] == "quota_exhausted"
    assert figures["retries"] == figures["rate_limited"] == 0
    assert "quota_exhausted" in shell("status").out
    (log,) = (shell.folder / "logs").glob("batch_conversion_*.log")
    errors = [json.loads(line) for line in log.read_text().splitlines() if "ERROR" in line]
    assert [(error["event"], error["code"]) for error in errors] == [
        ("run_stopped", "quota_exhausted")
    ]
    shell.reset()
    assert shell.run("--generate", "20").code == 0
    assert shell.figures()["stopped"] is None


def test_a_file_that_is_none_of_the_run_s_is_told(shell: Shell) -> None:
    shell.run("--limit", "5")
    (shell.the_run() / "conversion_results_batch_009.json").write_text("{}")
    result = shell.run("--limit", "5")
    assert result.code == 5
    assert "conversion_results_batch_009.json" in result.err
    assert shell.figures()["requests_sent"] == 5


def test_starting_afresh_twice_in_a_second_keeps_every_folder(shell: Shell) -> None:
    for _ in range(4):
        assert shell.run("--generate", "2", "--new").code == 0
    assert len(list((shell.folder / "runs").iterdir())) == 4
