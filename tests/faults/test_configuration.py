"""FAULTS.md, Configuration: 94. What is set wrong, missing or strange around a run.

(Another account while batches are open comes with the batch lane.)

Options that are out of bounds, one by one: `integration/test_cli_bad_input.py`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import Result, Shell

pytestmark = pytest.mark.fault(94)

KEY = "sk-own-0123456789-abcdefghij"
TASK = """\
name = "say"
model = "gpt-6-luna"
id = "row"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
RUN = ("run", "--task", "say.toml", "--input", "r.csv")


def prepare(shell: Shell, word: str = "한국") -> None:
    shell.write("say.toml", TASK)
    shell.write("r.csv", f"word\n{word}\n")


def one_line(result: Result) -> str:
    """What a refusal says; nothing was sent, and no run begun."""
    *warnings, line = result.err.splitlines()
    assert all(warning.startswith("Warning: ") for warning in warnings)
    assert line.startswith("Error: ")
    assert result.code == 1
    assert KEY not in result.err + result.out
    return line


# --- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--timeout", "none"], "--timeout"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "nan"], "--timeout"),
        (["--timeout", "1e9"], "--timeout"),
        (["--concurrency", "0"], "--concurrency"),
        (["--concurrency", "-1"], "--concurrency"),
        (["--concurrency", "1e3"], "--concurrency"),
        (["--concurrency", "10001"], "--concurrency"),
        (["--retries", "-1"], "--retries"),
        (["--retries", "101"], "--retries"),
        (["--rpm", "0"], "--rpm"),
        (["--tpm", "-5"], "--tpm"),
        (["--limit", "0"], "--limit"),
        (["--chunk-size", "0"], "--chunk-size"),
        (["--wait", "-0.1"], "--wait"),
        (["--give-up", "nan"], "--give-up"),
        (["--min-success", "1.01"], "--min-success"),
        (["--max-output-tokens", "0"], "--max-output-tokens"),
        (["--keep-bodies", "some"], "--keep-bodies"),
        (["--route", "batch-ish"], "--route"),
        (["--model", ""], "--model"),
        (["--out", ""], "--out"),
        (["--logs", ""], "--logs"),
        (["--input", ""], "--input"),
        (["--task", ""], ""),
        (["--encoding", "utf-99"], "utf-99"),
        (["--encoding", "base64"], "base64"),
        (["--concurency", "5"], "--concurency"),
        (["--timeout"], "--timeout"),
    ],
)
def test_f94_an_option_that_cannot_be_is_refused(
    shell: Shell, options: list[str], said: str
) -> None:
    prepare(shell)
    assert said in one_line(shell(*RUN, "--base-url", shell.url, *options))
    assert shell.stats()["received"] == 0
    assert not list(shell.folder.glob("runs/*"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("modle = 'x'", "modle"),
        ("max_output_tokens = 0", "max_output_tokens"),
        ("model = 3", "model"),
        ("endpoint = '/v1/moon'", "endpoint"),
        ("name = '../../x'", "name"),
        ("id = ''", "id"),
        ('"\\u001b]0;x\\u0007" = 1', "\\x1b]0;x\\x07"),
    ],
)
def test_f94_a_key_of_a_task_that_cannot_be_is_refused(shell: Shell, line: str, said: str) -> None:
    prepare(shell)
    name = line.partition(" ")[0]
    kept = [each for each in TASK.splitlines() if not each.startswith(name + " ")]
    shell.write("say.toml", "\n".join([line, *kept]))
    assert said in one_line(shell(*RUN, "--base-url", shell.url))


# --- the key -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        f"{KEY}\nX-Evil: 1",
        f"{KEY}\r\nX-Evil: 1",
        f"{KEY} {KEY}",
        f"Bearer {KEY}",
        f'"{KEY}"',
        f"'{KEY}'",
        f"“{KEY}”",
        f"{KEY}\u200b",
        f"{KEY}\x1b[A",
        f"{KEY}\x7f",
        f"{KEY}é",
        os.fsdecode(KEY.encode() + b"\xff"),
    ],
)
def test_f94_what_is_no_key_is_never_sent_nor_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    prepare(shell)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert "OPENAI_API_KEY" in one_line(shell(*RUN, "--base-url", shell.url))
    assert shell.stats()["received"] == 0


@pytest.mark.parametrize("key", ["", " ", "\n\t"])
def test_f94_a_blank_key_is_none(shell: Shell, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    prepare(shell)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert "OPENAI_API_KEY not found" in one_line(shell(*RUN))
    assert shell(*RUN, "--base-url", shell.url).code == 0, "a server of one's own needs none"


def test_f94_white_space_around_a_key_is_not_part_of_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(shell)
    shell.reset(api_key=KEY)
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    result = shell(*RUN, "--base-url", shell.url)
    shell.reset(api_key=None)
    assert result.code == 0


# --- the address -------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["option", "environment"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("rubbish", "such as https://api.openai.com/v1"),
        ("localhost:8000/v1", "such as https"),
        ("//127.0.0.1/v1", "such as https"),
        ("ftp://127.0.0.1/v1", "such as https"),
        ("file:///etc/passwd", "such as https"),
        ("http://", "such as https"),
        ("http:///v1", "such as https"),
        ("http://127.0.0.1:0/v1", "port"),
        ("http://127.0.0.1:65536/v1", "ort"),
        ("http://127.0.0.1:http/v1", "ort"),
        ("http://[::1/v1", "IPv6"),
        ("http://127.0.0 .1/v1", "spaces"),
        ("http://127.0.0.1/v\n1", "line breaks"),
        ("http://127.0.0.1\x1b]0;x\x07/v1", "line breaks"),
        ("http://127.0.0.1/v1?key=1", "? and #"),
        ("http://127.0.0.1/v1#x", "? and #"),
        (f"http://me:{KEY}@127.0.0.1/v1", "password"),
        (f"http://{KEY}@127.0.0.1/v1", "password"),
    ],
)
def test_f94_an_address_that_cannot_be_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, url: str, said: str, given: str
) -> None:
    prepare(shell)
    options = ["--base-url", url] if given == "option" else []
    if given == "environment":
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    line = one_line(shell(*RUN, *options))
    assert said in line
    assert line.isprintable()


def test_f94_an_empty_address_is_not_taken_for_openai_s(shell: Shell) -> None:
    prepare(shell)
    assert "--base-url" in one_line(shell(*RUN, "--base-url", ""))


@pytest.mark.parametrize("ending", ["/", "///", " ", "\n"])
def test_f94_an_address_may_end_in_slashes_and_white_space(shell: Shell, ending: str) -> None:
    prepare(shell)
    assert shell(*RUN, "--base-url", shell.url + ending).code == 0


# --- .env --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f"OPENAI_API_KEY={KEY}\n".encode(),
        f"\ufeffOPENAI_API_KEY={KEY}\r\n".encode(),
        f"export OPENAI_API_KEY='{KEY}'  # mine\n".encode(),
        f'# a comment\n\nOPENAI_API_KEY = "{KEY}"'.encode(),
    ],
    ids=["plain", "windows", "shell", "spaced"],
)
def test_f94_a_key_is_read_from_dot_env(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    prepare(shell)
    shell.write(".env", content + f"\nOPENAI_BASE_URL={shell.url}\n".encode())
    monkeypatch.delenv("OPENAI_API_KEY")
    shell.reset(api_key=KEY)
    result = shell(*RUN, "--quiet")
    shell.reset(api_key=None)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"OPENAI_API_KEY\n", "OPENAI_API_KEY not found"),
        (b"OPENAI_API_KEY=\n", "OPENAI_API_KEY not found"),
        (f'OPENAI_API_KEY="{KEY}\n'.encode(), "OPENAI_API_KEY not found"),
        (b"=\n!!!\n{]\n", "OPENAI_API_KEY not found"),
        (f"OPENAI_API_KEY={KEY}\0\n".encode(), "OPENAI_API_KEY"),
        (f"OPENAI_API_KEY={KEY}\n".encode("utf-16"), ".env is not UTF-8"),
        (b"A=\xb0\xa1\n", ".env is not UTF-8"),
    ],
)
def test_f94_a_broken_dot_env_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
) -> None:
    prepare(shell)
    shell.write(".env", content)
    monkeypatch.delenv("OPENAI_API_KEY")
    result = shell(*RUN)
    assert said in one_line(result)
    unread = b'"' in content or b"!!!" in content
    assert ("Warning: .env: " in result.err) == unread


def test_f94_a_dot_env_that_cannot_be_read_is_named(shell: Shell) -> None:
    prepare(shell)
    (shell.folder / ".env").symlink_to("/proc/self/mem")
    assert ".env cannot be read" in one_line(shell(*RUN))


def test_f94_a_folder_of_that_name_is_no_file(shell: Shell) -> None:
    prepare(shell)
    (shell.folder / ".env").mkdir()
    assert shell(*RUN, "--base-url", shell.url).code == 0


# --- folders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--out", "taken"], 1, "taken: is no folder"),
        (["--out", "taken/below"], 1, "taken/below: is no folder"),
        (["--out", "/dev/null"], 1, "/dev/null: is no folder"),
        (["--out", "link"], 1, "link: is no folder"),
        (["--logs", "taken"], 1, "taken: is no folder"),
        (["--logs", "/dev/full"], 1, "/dev/full: is no folder"),
        (["--out", "/proc/mine"], 5, "/proc/mine"),
        (["--logs", "/proc/mine"], 5, "/proc/mine"),
        (["--out", "n" * 300], 5, "name too long"),
        (["--new", "--out", "n" * 300], 1, "name too long"),
    ],
)
def test_f94_a_folder_that_cannot_be_is_refused(
    shell: Shell, options: list[str], code: int, said: str
) -> None:
    prepare(shell)
    shell.write("taken", "")
    (shell.folder / "link").symlink_to("taken")
    result = shell(*RUN, "--quiet", "--base-url", shell.url, *options)
    (line,) = result.err.splitlines()
    assert line.startswith("Error: ")
    assert said.lower() in line.lower()
    assert result.code == code
    assert shell.stats()["received"] == 0


def test_f94_a_working_directory_that_takes_no_file_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(shell)
    monkeypatch.chdir("/proc")
    task, rows = str(shell.folder / "say.toml"), str(shell.folder / "r.csv")
    command = ["run", "--base-url", shell.url, "--quiet", "--task", task, "--input", rows]
    result = shell(*command)
    (line,) = result.err.splitlines()
    assert line.startswith("Error: logs: ")
    assert "--logs" in line
    assert result.code == 5
    elsewhere = ["--logs", str(shell.folder / "l"), "--out", str(shell.folder / "o")]
    assert shell(*command, *elsewhere).code == 0


# --- the environment ---------------------------------------------------------------------------

_KOREAN = "한국 정책"
BARE = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": KEY}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": "/nowhere"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii:strict", "TERM": "dumb", "COLUMNS": "1"},
        {"LC_ALL": "xx_YY.rubbish", "COLUMNS": "x", "LINES": "-1", "TERM": "", "TZ": "no/where"},
        {"TMPDIR": "/nowhere", "PYTHONWARNINGS": "error", "NO_COLOR": "1", "PYTHONDEVMODE": "1"},
    ],
    ids=["bare", "c", "posix", "rubbish", "strict"],
)
def test_f94_a_strange_environment_changes_no_result(
    shell: Shell, variables: Mapping[str, str]
) -> None:
    """Neither home, locale, terminal nor temporary folder is needed."""
    prepare(shell, _KOREAN)
    done = subprocess.run(
        [sys.executable, "-m", "processor", *RUN, "--base-url", shell.url],
        cwd=shell.folder,
        env={**BARE, **_paths(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert b"1 of 1 finished: 1 succeeded" in done.stdout
    assert _KOREAN in (shell.the_run() / "results.csv").read_text("utf-8-sig")
    (entry,) = list(shell.folder.glob("logs/batch_conversion_2*.log"))
    assert "배치 001 성공 1/1 (100.0%)" in entry.read_text("utf-8")


def _paths() -> dict[str, str]:
    """Where this test's own process finds the package."""
    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x", "100000"])
def test_f94_help_fits_any_width(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "")
    result = shell("run", "--help")
    assert result.code == 0
    assert "--concurrency" in result.out


def test_f94_closed_streams_end_no_run(shell: Shell, tmp_path: Path) -> None:
    prepare(shell)
    command = [sys.executable, "-m", "processor", *RUN, "--base-url", shell.url]
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&- >&- 2>&-', "sh", *command],
        cwd=tmp_path,
        env={**BARE, **_paths()},
        check=False,
    )
    assert done.returncode == 0
    assert shell.figures()["succeeded"] == 1
