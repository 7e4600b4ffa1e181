"""`scripts/test_batch_processing.py`, as a user types it in any folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Shell

from processor.sandbox_process import sandbox

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import test_batch_processing as script

SCRIPT = Path(script.__file__)
A_DAY_S = 86_400.0
KEY = "sk-of-the-setup-check"
Check = Callable[..., "Done"]


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


@pytest.fixture
def check(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Types the script's name in the shell's folder; `key` is in the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)

    def checked(*arguments: str, key: str = KEY) -> Done:
        monkeypatch.setenv("OPENAI_API_KEY", key)
        shell.capture.readouterr()
        try:
            code = script.main(arguments)
        except SystemExit as ended:  # bad usage
            code = int(str(ended.code))
        said = shell.capture.readouterr()
        return Done(code, said.out.splitlines(), said.err)

    return checked


def test_bare_it_needs_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    typed = subprocess.run(
        [sys.executable, str(SCRIPT)],
        cwd=tmp_path,
        env={"PATH": path, "XDG_CONFIG_HOME": str(tmp_path / "config"), **kept},
        capture_output=True,
        text=True,
        check=False,
    )
    done = Done(typed.returncode, typed.stdout.splitlines(), typed.stderr)
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
    shell: Shell, check: Check, tmp_path: Path
) -> None:
    left = check("--most", "0.2")
    assert left.code == 6
    assert left.line("poll").startswith("! ")
    assert "validating" in left.line("poll")
    assert "the same command goes on with it" in left.lines[-1]
    shell.pass_time(A_DAY_S)
    done = check()
    assert done.code == 0
    assert any(
        line.startswith("Going on with the batch of runs/setup-check/") for line in done.lines
    )
    assert "completed" in done.line("poll")
    assert shell.stats()["by_route"]["POST /v1/batches"] == 1
    (answers,) = tmp_path.rglob("answers.csv")
    assert len(answers.read_text("utf-8-sig").splitlines()) == 4


def test_what_a_batch_did_not_answer_goes_into_the_next(shell: Shell, check: Check) -> None:
    shell.fault("batch_expires:share=0.5,count=1")
    assert check("--most", "0").code == 6
    shell.pass_time(2 * A_DAY_S)
    expired = check("--most", "0")
    assert expired.code == 6
    assert any("expired" in line and line.startswith("! poll") for line in expired.lines)
    shell.pass_time(A_DAY_S)
    done = check("--most", "0")
    assert (done.code, shell.stats()["paid"]) == (0, 6)  # three by batch, and a call a check


def test_a_wrong_key_is_found_before_a_batch_is_made(shell: Shell, check: Check) -> None:
    done = check(key="sk-another-key")
    assert done.code == 3
    assert done.line("models").startswith("✗ ")
    assert "→ Set OPENAI_API_KEY to a valid key" in "\n".join(done.lines)
    assert done.lines[-1].startswith("✗ The batch was not tried")
    assert "POST /v1/files" not in shell.stats()["by_route"]


def test_nobody_answers_there_and_no_such_profile_is_here(check: Check) -> None:
    done = check("--base-url", "https://127.0.0.1:9/v1")
    assert done.code == 3
    assert done.line("connection").startswith("✗ ")
    done = check("--profile", "nobody")
    assert done.code == 1
    assert "nobody" in done.err


def test_an_unknown_model(check: Check) -> None:
    done = check("--model", "gpt-4-turbo-preview")
    assert done.code == 3
    assert done.line("model").startswith("✗ ")
    assert done.lines[done.lines.index(done.line("model")) + 1].endswith(
        "→ Name another with --model."
    )


def test_an_address_where_nothing_is(shell: Shell, check: Check) -> None:
    done = check("--base-url", shell.url.replace("/v1", "/v2"))
    assert done.code == 3
    (wrong,) = (number for number, line in enumerate(done.lines) if line.startswith("✗ call"))
    assert "Check the base URL; it usually ends in /v1." in done.lines[wrong + 1]


def test_why_a_batch_is_sent_again_and_what_it_may_cost(shell: Shell, check: Check) -> None:
    shell.fault("batch_fails:code=token_limit_exceeded,count=1")
    assert check("--most", "0").code == 6
    shell.pass_time(A_DAY_S)
    again = check("--most", "0")
    assert again.code == 6
    assert any("is failed: token_limit_exceeded: " in line for line in again.lines)
    assert "goes into another batch" in again.lines[-1]
    assert "unknown: nobody lists a price" in again.line("cost")  # no more than what was spent


@pytest.mark.parametrize(
    ("fault", "name", "code"),
    [
        ("batch_fails:code=invalid_json_line,message=This is no JSON.,line=2", "batch", 3),
        ("context_length:on=line", "lines", 2),
        ("insufficient_quota:on=create", "batch", 3),
    ],
)
def test_what_is_wrong_with_a_batch(
    shell: Shell, check: Check, fault: str, name: str, code: int
) -> None:
    shell.fault(fault)
    first = check("--most", "0.2")
    shell.pass_time(A_DAY_S)
    done = check() if first.code == 6 else first
    assert done.code == code
    (wrong,) = (line for line in done.lines if line.startswith("✗ "))
    assert wrong[2:].startswith(name)
    if name == "batch":
        assert "This is no JSON." in wrong or "quota" in wrong
    assert any(line.lstrip().startswith("→ ") for line in done.lines)


@pytest.mark.parametrize(
    "arguments",
    [("--most", "soon"), ("--most", "-1"), ("--nothing",), ("--sandbox", "--base-url", "x")],
)
def test_bad_usage_ends_with_1(check: Check, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = check(*arguments)
    assert done.code == 1
    assert "Error: " in done.err
    assert list(tmp_path.iterdir()) == []


def test_pytest_takes_it_for_no_test() -> None:
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*asked, str(SCRIPT)], cwd=SCRIPT.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5, done.stdout + done.stderr  # nothing was collected
