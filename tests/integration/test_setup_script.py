"""`scripts/test_batch_processing.py`, as a user types it in any folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Shell

from processor.sandbox_process import sandbox

SCRIPT = Path(__file__).parents[2] / "scripts" / "test_batch_processing.py"
A_DAY_S = 86_400.0
KEY = "sk-of-the-setup-check"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """One whose batches end when somebody moves its time, and which knows one key."""
    with sandbox(["--latency-ms", "0", "--manual-clock", "--api-key", KEY]) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    lines: list[str]
    err: str

    def line(self, name: str) -> str:
        """What is said of a step."""
        (found,) = (line for line in self.lines if line[2:].split(" ")[0] == name)
        return found


def check(folder: Path, *arguments: str, **variables: str) -> Done:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env={"PATH": path, "XDG_CONFIG_HOME": str(folder / "config"), **kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout.splitlines(), done.stderr)


def at(shell: Shell, key: str = KEY) -> dict[str, str]:
    return {"OPENAI_BASE_URL": shell.url, "OPENAI_API_KEY": key}


def test_bare_it_needs_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith("Neither a key nor an address: a local sandbox is asked")
    for name in ("python", "key", "model", "call", "file", "batch", "poll", "fetch", "lines"):
        assert done.line(name).startswith("✓ ")
        assert done.line(name).endswith(" s]")
    assert "3 of 3 accounted for: 3 succeeded, 0 failed" in done.line("lines")
    assert "the sandbox charges nothing" in done.line("spent")
    assert done.lines[-1] == "✓ Everything works."
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_takes_long_is_left_and_the_same_command_goes_on(
    shell: Shell, tmp_path: Path
) -> None:
    left = check(tmp_path, "--most", "0.2", **at(shell))
    assert left.code == 6
    assert left.line("poll").startswith("! ")
    assert "validating" in left.line("poll")
    assert "the same command goes on with it" in left.lines[-1]
    shell.pass_time(A_DAY_S)
    done = check(tmp_path, **at(shell))
    assert done.code == 0
    assert any(
        line.startswith("Going on with the batch of runs/setup-check/") for line in done.lines
    )
    assert "completed" in done.line("poll")
    assert shell.stats()["by_route"]["POST /v1/batches"] == 1
    (answers,) = tmp_path.rglob("answers.csv")
    assert len(answers.read_text("utf-8-sig").splitlines()) == 4


def test_what_a_batch_did_not_answer_goes_into_the_next(shell: Shell, tmp_path: Path) -> None:
    shell.fault("batch_expires:share=0.5,count=1")
    assert check(tmp_path, "--most", "0", **at(shell)).code == 6
    shell.pass_time(2 * A_DAY_S)
    expired = check(tmp_path, "--most", "0", **at(shell))
    assert expired.code == 6
    assert any("expired" in line and line.startswith("! poll") for line in expired.lines)
    shell.pass_time(A_DAY_S)
    done = check(tmp_path, "--most", "0", **at(shell))
    assert (done.code, shell.stats()["paid"]) == (0, 6)  # three by batch, and a call a check


def test_a_wrong_key_is_found_before_a_batch_is_made(shell: Shell, tmp_path: Path) -> None:
    done = check(tmp_path, **at(shell, "sk-another-key"))
    assert done.code == 3
    assert done.line("models").startswith("✗ ")
    assert "→ Set OPENAI_API_KEY to a valid key" in "\n".join(done.lines)
    assert done.lines[-1].startswith("✗ The batch was not tried")
    assert "POST /v1/files" not in shell.stats()["by_route"]


def test_nobody_answers_there_and_no_such_profile_is_here(tmp_path: Path) -> None:
    done = check(tmp_path, "--base-url", "https://127.0.0.1:9/v1")
    assert done.code == 3
    assert done.line("connection").startswith("✗ ")
    done = check(tmp_path, "--profile", "nobody")
    assert done.code == 1
    assert "nobody" in done.err


def test_an_unknown_model(shell: Shell, tmp_path: Path) -> None:
    done = check(tmp_path, "--model", "gpt-4-turbo-preview", **at(shell))
    assert done.code == 3
    assert done.line("model").startswith("✗ ")


@pytest.mark.parametrize(
    ("fault", "name", "code"),
    [
        ("batch_fails:code=invalid_json_line,message=This is no JSON.,line=2", "batch", 3),
        ("context_length:on=line", "lines", 2),
        ("insufficient_quota:on=create", "batch", 3),
    ],
)
def test_what_is_wrong_with_a_batch(
    shell: Shell, tmp_path: Path, fault: str, name: str, code: int
) -> None:
    shell.fault(fault)
    first = check(tmp_path, "--most", "0.2", **at(shell))
    shell.pass_time(A_DAY_S)
    done = check(tmp_path, **at(shell)) if first.code == 6 else first
    assert done.code == code
    (wrong,) = (line for line in done.lines if line.startswith("✗ "))
    assert wrong[2:].startswith(name)
    assert any(line.lstrip().startswith("→ ") for line in done.lines)


@pytest.mark.parametrize(
    "arguments",
    [("--most", "soon"), ("--most", "-1"), ("--nothing",), ("--sandbox", "--base-url", "x")],
)
def test_bad_usage_ends_with_1(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = check(tmp_path, *arguments)
    assert done.code == 1
    assert "Error: " in done.err
    assert list(tmp_path.iterdir()) == []


def test_pytest_takes_it_for_no_test() -> None:
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*asked, str(SCRIPT)], cwd=SCRIPT.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stdout + done.stderr  # nothing was collected
