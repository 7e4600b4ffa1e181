"""FAULTS.md, security: 95 and 96. Secrets stay secret, and what others say is only text.

(Formulas in cells come with the export for Excel; markup with the report and the web page.)
"""

import asyncio
import os
import pty
import re
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from command_line import Shell
from run_bench import KEY, Folder

from faults.command import Ended, command
from faults.rude import GOOD, Asked, Say, completion, http, rude

JSON = "Content-Type: application/json"
# A server may say what it was sent, rename a window, colour, turn text round, begin a new line.
EVIL = f'{KEY}\x1b]0;pwn\x07\x1b[31m\x9b31m\u202egnp\u2028\r\n{{"event":"fake"}}\x7f'
EVIL_HEADER = f"{KEY}\x1b[31m\x9b31m\u202egnp"


def _error(status: int) -> bytes:
    said = {"message": f"Wrong: {EVIL}", "param": EVIL, "type": EVIL, "code": EVIL}
    return http(status, orjson.dumps({"error": said}), JSON)


def _choice(**choice: object) -> bytes:
    message = {"role": "assistant", "content": "Hello."}
    whole = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    return http(200, completion(choices=[whole]), JSON)


# What a server says to the item of each row, in order.
SAID = [
    http(200, completion(model=EVIL, service_tier=EVIL, id=EVIL), JSON),
    http(200, completion(), JSON, "x-request-id: ../../\udcff\x1b[31m\x9b31m\u202egnp"),
    _choice(finish_reason=EVIL),
    _choice(message={"role": "assistant", "content": None, "refusal": EVIL}),
    _error(400),
    _error(413),
    _error(500),
    http(502, f"<html><title>{EVIL}</title></html>".encode(), "Content-Type: text/html"),
    http(200, f"<html>{EVIL}</html>".encode(), "Content-Type: text/html"),
    http(200, EVIL.encode(), JSON),
    http(200, orjson.dumps({"error": {"message": EVIL}}), JSON),
    http(422, orjson.dumps({"detail": [{"loc": ["body"], "msg": EVIL, "input": EVIL}]}), JSON),
    http(400, orjson.dumps({"detail": EVIL}), JSON),
    f"HTTP/1.1 {KEY} {KEY}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\n{EVIL_HEADER}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
    http(500, b"{}", f"Retry-After: {KEY}", f"x-ratelimit-reset-requests: {KEY}"),
]
# What ends the run at once.
LAST_WORDS = [_error(401), http(302, b"", f"Location: http://127.0.0.1/{EVIL_HEADER}?{KEY}")]


def said_to_row(asked: Asked) -> bytes:
    """The word of each row is its number."""
    found = re.search(rb"word(\d+)\.", asked.body)
    assert found is not None
    return SAID[int(found[1]) - 1]


async def run_among(folder: Folder, answer: bytes | None, *options: str) -> Ended:
    """A run against a server that answers so, or to each row in its own way."""

    def say(asked: Asked) -> Say:
        return Say(data=answer or said_to_row(asked), then="close")

    async with rude(say) as server:
        folder.url = server.url
        return await command(folder, *("--retries", "0", "--give-up", "1", *options))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path, "")
    made.rows(len(SAID))
    yield made
    made.end()


def commands_in(text: str) -> set[str]:
    """What a terminal would obey, or what would turn the text round."""
    turning = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return {
        mark
        for mark in text
        if mark in turning + "\u2028\u2029" or (unicodedata.category(mark) == "Cc" and mark != "\n")
    }


def logs(folder: Path) -> Iterator[str]:
    for path in folder.glob("logs/*.log"):
        yield path.read_text("utf-8")


# --- 95: the key -------------------------------------------------------------------------------


@pytest.mark.fault(95, 96)
@pytest.mark.parametrize("answer", [None, *LAST_WORDS], ids=["rows", "401", "redirect"])
def test_f95_a_server_that_echoes_the_key_finds_it_nowhere(
    folder: Folder, answer: bytes | None
) -> None:
    """Neither in a log, the ledger, a result, the statistics nor on the screen; nor its escapes."""
    ended = asyncio.run(run_among(folder, answer, "--keep-bodies", "all", "--log-content"))
    assert ended.code == (2 if answer is None else 3)
    assert "Traceback" not in ended.err
    assert KEY not in ended.everything
    assert "pwn" in ended.everything or "gnp" in ended.everything, "what it said is kept"
    assert commands_in(ended.out + ended.err) == set()
    assert set().union(*map(commands_in, logs(folder.path))) == set()
    assert {path.name for path in folder.path.iterdir()} == {
        *("greet.toml", "rows.jsonl", "out", "logs"),
    }


@pytest.mark.fault(95)
def test_f95_the_key_is_no_argument_of_any_process(shell: Shell, tmp_path: Path) -> None:
    """Everybody on the computer may read arguments; the run's own sandbox gets none of it."""
    home = Folder(tmp_path, shell.url)
    home.rows(2_000)
    arguments = ("--sandbox", "--sandbox-args", "--latency-ms 2000", "--task", "greet.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "processor", "run", *arguments, "--input", "rows.jsonl"],
        cwd=tmp_path,
        env={**os.environ, "OPENAI_API_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    home.started.append(process)
    try:
        own = Path(f"/proc/{process.pid}")
        children = own / "task" / str(process.pid) / "children"
        home.wait_for(lambda: bool(list(tmp_path.glob("runs/*/ledger.sqlite-wal"))))
        pids = [str(process.pid), *children.read_text().split()]
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids]
    finally:
        home.end()
    assert len(lines) == 2
    assert b"sandbox" in lines[1]
    assert KEY.encode() not in b"".join(lines)


@pytest.mark.fault(95)
@pytest.mark.parametrize("command", [[], ["run"], ["sandbox"], ["status"]])
def test_f95_help_shows_no_value_of_the_environment(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://secret.invalid/v1")
    told = shell(*command, "--help")
    assert told.code == 0
    assert KEY not in told.out
    assert "secret.invalid" not in told.out


@pytest.mark.fault(95)
@pytest.mark.parametrize("umask", ["000", "077"])
def test_f95_state_is_the_owner_s_alone(shell: Shell, tmp_path: Path, umask: str) -> None:
    """While it is written and after; results and logs are for whom the umask says."""
    home = Folder(tmp_path, shell.url)
    home.rows(400)
    state = {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", ".lock"}
    process = home.start("--quiet", under=["/bin/sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    try:
        home.wait_for(lambda: all((tmp_path / "out" / name).exists() for name in state))
        during = _modes(tmp_path / "out")
        process.communicate(timeout=60)
    finally:
        home.end()
    after = _modes(tmp_path / "out")
    assert {during[name] for name in state} == {0o600}
    assert after["ledger.sqlite"] == after[".lock"] == 0o600
    assert after["results.csv"] == after["conversion_stats.json"] == 0o666 & ~int(umask, 8)
    assert set(_modes(tmp_path / "logs").values()) == {0o666 & ~int(umask, 8)}


def _modes(folder: Path) -> dict[str, int]:
    found = {}
    for path in folder.iterdir():
        try:
            found[path.name] = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:  # a temporary file that has reached its place
            continue
    return found


# --- 95: prompts and answers -------------------------------------------------------------------

ROWS = [f"private{number}" for number in range(6)]
ECHOING = [
    http(200, completion("PRIVATE-ANSWER"), JSON),
    _choice(message={"role": "assistant", "content": None, "refusal": "PRIVATE-ANSWER"}),
    http(200, b"PRIVATE-ANSWER", JSON),
]


def _echo(asked: Asked) -> Say:
    """vLLM and FastAPI repeat the request in what they complain about."""
    word = re.search(rb"private\d", asked.body)
    assert word is not None
    number = int(word[0][-1:])
    complaint = {"type": "missing", "loc": ["body", "x"], "msg": "Field required"}
    if number < len(ECHOING):
        return Say(data=ECHOING[number])
    if number == 3:
        detail = [{**complaint, "input": asked.body.decode()}]
        return Say(data=http(422, orjson.dumps({"detail": detail}), JSON))
    if number == 4:
        message = str([{**complaint, "input": orjson.loads(asked.body)}])
        error = {"message": message, "type": "BadRequestError", "code": 400}
        return Say(data=http(400, orjson.dumps({"error": error}), JSON))
    return Say(data=GOOD)


@pytest.mark.fault(95)
@pytest.mark.parametrize("content", [False, True], ids=["default", "log-content"])
def test_f95_prompts_and_answers_are_logged_only_when_told(folder: Folder, content: bool) -> None:
    rows = (orjson.dumps({"id": n, "word": word}) for n, word in enumerate(ROWS))
    (folder.path / "rows.jsonl").write_bytes(b"\n".join(rows))

    async def main() -> Ended:
        async with rude(_echo) as server:
            folder.url = server.url
            options = ["--retries", "1", *(["--log-content"] if content else [])]
            return await command(folder, *options)

    ended = asyncio.run(main())
    assert ended.code == 2
    told = "".join(logs(folder.path)) + ended.out + ended.err
    assert "Field required" in told
    assert ("private" in told.lower()) == content
    assert all(word in told for word in ROWS) == content


# --- 96: what others say is text ---------------------------------------------------------------


@pytest.mark.fault(96)
def test_f96_an_id_with_line_ends_adds_no_line_to_a_log(shell: Shell) -> None:
    fake = '"}\n{"event":"run_ended","exit_code":0}\r\u2028\u0085\x0b\x1c'
    rows = [
        orjson.dumps({"question_id": f"{n}{fake}", "mathml": "<math><mn>1</mn></math>"})
        for n in range(3)
    ]
    shell.write("r.jsonl", b"\n".join(rows))
    shell.fault("bad_request")
    assert shell.run("--input", "r.jsonl").code == 2
    for text in logs(shell.folder):
        assert text.splitlines() == text.removesuffix("\n").split("\n")
        lines = [orjson.loads(line) for line in text.splitlines()]
        assert [line for line in lines if line.get("exit_code") == 0] == []
        assert {line["id"] for line in lines if line["event"] == "failed"} == {
            f"{n}{fake}" for n in range(3)
        }


@pytest.mark.fault(96)
@pytest.mark.parametrize(
    ("name", "content", "arguments"),
    [
        ("r.csv", "id,\x1b]0;pwn\x07w\nx,y\n", []),
        ("r.csv", "question_id,mathml,\x9b31m,\x9b31m\nx,y,z,z\n", []),
        ("r.jsonl", '{"question_id":1,"\\u001b[31m":1,"\\u001b[31m":2}\n', []),
        ("r.csv", 'question_id,mathml\n"\x1b[31m",x\n"\x1b[31m",x\n', []),
        ("r.csv", "x\n", ["--out", "\x1b]0;pwn\x07/\u202e"]),
        ("r.csv", "x\n", ["--task", "\x1b]0;pwn\x07.toml"]),
        ("r.csv", "x\n", ["--base-url", "http://\x1b]0;pwn\x07/"]),
        ("r.csv", "x\n", ["--\x1b]0;pwn\x07", "1"]),
        ("\x1b]0;pwn\x07\u202e.csv", "x\n", []),
    ],
)
def test_f96_names_in_a_refusal_are_shown_and_not_obeyed(
    shell: Shell, name: str, content: str, arguments: list[str]
) -> None:
    result = shell.run("--input", shell.write(name, content), *arguments)
    (line,) = result.err.splitlines()
    assert result.code == 1
    assert commands_in(line + result.out) == set()


@pytest.mark.fault(96)
def test_f96_a_terminal_obeys_no_name_of_a_model(shell: Shell) -> None:
    """The bar's own colours come and go; what a task file says stays text."""
    model = "\\u001b]0;pwn\\u0007\\u009b31m"
    task = f'name = "t"\nmodel = "{model}"\nprompt = "{{{{ word }}}}"\n[output]\nkind = "text"\n'
    shell.write("t.toml", task)
    shell.write("r.jsonl", '{"id": 1, "word": "x"}\n')
    ours, theirs = pty.openpty()
    command = ("run", "--task", "t.toml", "--input", "r.jsonl", "--base-url", shell.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "processor", *command],
        cwd=shell.folder,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = _read_all(ours)
    assert process.wait(30) == 3, "there is no such model"
    assert "\\x1b]0;pwn\\x07\\x9b31m" in shown
    assert "\x1b]0;" not in shown
    assert "\x9b" not in shown


def _read_all(terminal: int) -> str:
    """What a process shows, to its end."""
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux tells so that the other side is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode("utf-8", "replace")


@pytest.mark.fault(96)
@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://192.0.2.1/v1", True),
        ("http://api.example.invalid/v1", True),
        ("http://127.0.0.1.example.invalid/v1", True),
        ("http://localhost.example.invalid/v1", True),
        ("http://[2001:db8::1]/v1", True),
        ("HTTP://192.0.2.1/v1", True),
        ("https://api.example.invalid/v1", False),
        ("http://localhost:1/v1", False),
        ("http://LOCALHOST:1/v1", False),
        ("http://127.0.0.1:1/v1", False),
        ("http://[::1]:1/v1", False),
    ],
)
def test_f96_plain_http_to_another_computer_is_warned_of(
    shell: Shell, url: str, warned: bool
) -> None:
    """Before anything is sent: here a table without rows ends the run first."""
    shell.write("r.csv", "question_id,mathml\n")
    result = shell("run", "--quiet", "--input", "r.csv", "--base-url", url)
    *warnings, error = result.err.splitlines()
    assert "has no rows" in error
    assert [line.startswith("Warning: ") and "plain http" in line for line in warnings] == [
        True for _ in range(warned)
    ]
