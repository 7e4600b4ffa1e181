"""The monitor on real terminals, beside real runs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pty_bench import Terminal, colours, terminal
from run_bench import Folder, folder_before, wait_for

from processor.ledger import database
from processor.sandbox_process import sandbox
from processor.watch import look, snapshot

PYTHON = (sys.executable, "-m", "processor")
MONITOR = (*PYTHON, "monitor")
SCRIPTS = Path(__file__).parents[2] / "scripts"
LEFT = b"\x1b[?1049l"
CURSOR_BACK = b"\x1b[?25h"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A run that goes on, for all who only look at it."""
    path = tmp_path_factory.mktemp("busy")
    with sandbox(["--latency-ms", "300"]) as url, folder_before(url, path, rows=20_000) as folder:
        begin(folder)
        yield folder


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "200"]) as url:
        yield url


@pytest.fixture
def folder(slow_url: str, tmp_path: Path) -> Iterator[Folder]:
    """A folder for runs that are changed; `begin` starts one."""
    with folder_before(slow_url, tmp_path, rows=2_000) as folder:
        yield folder


def begin(folder: Folder, *options: str, out: str = "runs/one") -> "subprocess.Popen[str]":
    """A run that sends."""
    process = folder.start("--route", "direct", "--concurrency", "10", *options, out=out)
    wait_for(lambda: sends(folder.path / out))
    return process


def sends(path: Path) -> bool:
    if not (path / database.LEDGER_NAME).exists():
        return False
    shot = snapshot.take(path)
    return shot.now is not None and shot.finished > 0


def plain(*options: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """The monitor without a terminal."""
    return subprocess.run(
        [*MONITOR, *options],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def is_drawn(it: Terminal) -> Any:
    """Wait until a whole picture stands there."""
    return it.until(lambda text: "sending" in text and it.lines[-1].endswith("q quit"))


def left_behind(it: Terminal) -> str:
    """What was written when the terminal was given back, without styles."""
    return re.sub(r"\x1b\[[\d;]*m", "", it.raw.rpartition(LEFT)[2].decode())


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50), (40, 12)])
def test_the_screen_shows_what_the_ledger_says(busy: Folder, columns: int, lines: int) -> None:
    out = busy.path / "runs/one"
    before = snapshot.take(out).finished
    with terminal(*MONITOR, cwd=busy.path, columns=columns, lines=lines) as it:
        text = is_drawn(it)
        assert text.startswith("greet")
        assert text.splitlines()[0].endswith("sending")
        found = re.search(r"([\d,]+)/20,000 ", text)
        assert found is not None
        assert before <= int(found[1].replace(",", "")) <= snapshot.take(out).finished
        assert re.search(r"^targets success ≥ 95%: 100.0% ✓", text, re.MULTILINE)
        assert re.search(r"^rate +[\d.]+/s now", text, re.MULTILINE)
        it.type("q")
        assert it.end() == 0


def test_a_terminal_that_changes_its_size_is_filled_anew(busy: Folder) -> None:
    with terminal(*MONITOR, cwd=busy.path) as it:
        is_drawn(it)
        it.resize(120, 40)
        it.until(lambda text: it.lines[39].endswith("q quit") and "sending" in text)
        assert it.lines[0].endswith("sending")
        assert len(it.lines[0]) == 120
        it.resize(30, 8)
        it.until(lambda _: it.lines[7].endswith("q quit"))


def test_the_end_of_a_run_is_shown_and_leaves_its_exit_code(folder: Folder) -> None:
    folder.rows(40)
    folder.admin("faults", {"set": ["refusal:rate=0.3"]})
    begin(folder)
    with terminal(*MONITOR, cwd=folder.path) as it:
        is_drawn(it)
        assert it.end() == 2
        text = left_behind(it)
    shot = snapshot.take(folder.path / "runs/one")
    assert shot.pending == 0
    assert "40/40 · 100.0%" in text
    assert re.search(rf"errors +refused {shot.errors['refused']} ", text)
    assert re.search(r"state +done\r\nnext +look at the failures: runs/one/failed.csv", text)


def test_a_killed_run_is_told_within_five_seconds_with_its_command(folder: Folder) -> None:
    run = begin(folder)
    with (
        terminal(*MONITOR, "--stay", cwd=folder.path) as stays,
        terminal(*MONITOR, cwd=folder.path) as leaves,
    ):
        is_drawn(stays)
        is_drawn(leaves)
        run.kill()
        killed_s = time.monotonic()
        command = "processor run --task greet.toml --input rows.jsonl"
        stays.until(lambda text: command in " ".join(text.split()), within_s=5.0)
        assert time.monotonic() - killed_s < 5.0
        assert stays.lines[0].endswith("not running, resumable")
        stays.type("q")
        assert stays.end() == 0
        assert leaves.end() == 130
        left = left_behind(leaves)
    assert re.search(r"state +not running, resumable", left)
    assert re.search(r"next +[\d,]+ pending: .*processor run --task greet.toml .*--out", left)


def test_keys_steer_the_run_and_leave_it_running(folder: Folder) -> None:
    begin(folder)
    out = folder.path / "runs/one"
    with terminal(*MONITOR, cwd=folder.path, lines=30) as it:
        is_drawn(it)
        it.type("p")
        it.until(lambda text: text.splitlines()[0].endswith("paused"))
        it.until_shown("pause: Nothing new is sent")
        it.type("+")
        it.type("r")
        it.until(lambda text: text.splitlines()[0].endswith("sending"))
        it.type("f")
        it.until_shown("send failed items again?")
        it.type("n")
        it.until(lambda text: "send failed" not in text)
        it.type("f")
        it.until_shown("send failed items again?")
        it.type("y")
        it.until_shown("requeue")  # asked, or answered already
        it.type("?")
        it.until_shown("nothing new is sent; what is in flight comes in")
        it.type("x")
        it.until_shown("targets")
        it.type("d")
        assert it.end() == 130
    orders = look.take(out).orders
    assert [order.words for order in orders] == [
        *("drain", "requeue", "resume", "concurrency 11", "pause")
    ]
    assert all(order.accepted for order in orders[2:])


def test_quick_keys_add_up(folder: Folder) -> None:
    begin(folder)
    with terminal(*MONITOR, cwd=folder.path) as it:
        is_drawn(it)
        it.type("+++")
        it.until_shown("--concurrency 13")
        it.type("-")
        it.until_shown("--concurrency 12")
        it.type("q")
        assert it.end() == 0


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(busy: Folder) -> None:
    with terminal("bash", "--norc", "-i", cwd=busy.path, env={"PS1": "typed: "}) as it:
        it.until_shown("typed:")
        it.type(" ".join(MONITOR) + "\n")
        is_drawn(it)
        it.type("\x1a")
        it.until(lambda text: "Stopped" in text and "sending" not in text)
        it.type("stty -a | grep -o ' icanon' && fg\n")
        it.until_shown(" icanon")
        is_drawn(it)
        it.type("q")
        it.until(lambda text: text.rstrip().endswith("typed:"))
        it.type("exit $?\n")
        assert it.end() == 0


@pytest.mark.parametrize("by", ["wait -f %1", "fg"])
def test_what_is_to_end_while_it_stands_still_ends(busy: Folder, by: str) -> None:
    with terminal("bash", "--norc", "-i", cwd=busy.path, env={"PS1": "typed: "}) as it:
        it.until_shown("typed:")
        it.type(" ".join(MONITOR) + "\n")
        is_drawn(it)
        it.type("\x1a")
        it.until(lambda text: "Stopped" in text and "sending" not in text)
        it.type("bg; wait %1; fg\n")
        is_drawn(it)
        it.type("\x1a")
        it.until(lambda text: "Stopped" in text and "sending" not in text)
        it.type(f"kill %1; {by}; exit $?\n")
        assert it.end() == 143


@pytest.mark.parametrize(
    ("leave", "code"),
    [("ㅂ", 0), ("\x03", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["korean", "ctrl-c", "term", "hangup"],
)
def test_the_terminal_is_given_back_however_one_leaves(
    busy: Folder, leave: str | signal.Signals, code: int
) -> None:
    with terminal(*MONITOR, cwd=busy.path) as it:
        modes = it.modes()
        is_drawn(it)
        assert it.modes() != modes
        if isinstance(leave, str):
            it.type(leave)
        else:
            it.process.send_signal(leave)
        assert it.end() == code
        assert it.modes() == modes
        assert it.raw.rindex(LEFT) > it.raw.rindex(b"q quit")
        assert it.raw.rindex(CURSOR_BACK) > it.raw.rindex(b"q quit")


def test_a_terminal_that_is_gone_ends_it(busy: Folder) -> None:
    with terminal(*MONITOR, cwd=busy.path) as it:
        is_drawn(it)
        it.hang_up()
        assert it.process.wait(10) == 129


def test_no_colour_where_none_is_wanted(busy: Folder) -> None:
    with terminal(*MONITOR, cwd=busy.path) as it:
        is_drawn(it)
        assert colours(it.raw)
    with terminal(*MONITOR, cwd=busy.path, env={"NO_COLOR": "1"}) as it:
        is_drawn(it)
        assert not colours(it.raw)


def test_a_terminal_that_cannot_draw_gets_lines(busy: Folder) -> None:
    with terminal(*MONITOR, "--every", "0.3", cwd=busy.path, env={"TERM": "dumb"}) as it:
        it.until(lambda text: text.count("one · sending · ") >= 2)
        assert b"\x1b" not in it.raw
        it.type("\x03")
        assert it.end() == 130


def test_a_locale_without_our_characters_gets_others(busy: Folder) -> None:
    env = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    with terminal(*MONITOR, cwd=busy.path, env=env) as it:
        text = is_drawn(it)
        assert text.isascii()
        assert "targets success > 95%: 100.0% +" in text


def test_several_runs_are_a_list_of_which_one_is_opened(busy: Folder, folder: Folder) -> None:
    folder.rows(30)
    folder.run("--route", "direct", out="runs/two")
    runs = [str(busy.path / "runs"), str(folder.path / "runs/tw*")]
    with terminal(*MONITOR, *runs, cwd=busy.path) as it:
        text = it.until_shown("all 2")
        assert re.search(r"^1 one +sending +[\d.]+% +20,000 +0 ", text, re.MULTILINE)
        assert re.search(r"^2 two +done +100.0% +30 +0 ", text, re.MULTILINE)
        assert re.search(r"^all 2 +1 running +[\d.]+% +20,030 +0 ", text, re.MULTILINE)
        it.type("j\r")
        it.until(lambda text: "30/30" in text and text.splitlines()[0].endswith("done"))
        it.type("\x1b")
        it.until_shown("all 2")
        it.type("1")
        it.until_shown("/20,000 · ")
        it.type("\x1b")
        it.until_shown("all 2")
        it.type("\x1b[A\x1bOM")
        it.until(lambda text: "30/30" in text)


def test_lines_of_json_end_with_the_run(folder: Folder) -> None:
    folder.rows(30)
    begin(folder)
    done = plain("--json", "--every", "0.2", cwd=folder.path)
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["running"] for one in told].index(False) == len(told) - 1
    assert told[-1]["stats"]["succeeded"] == 30
    assert told[-1]["state"] == "done"
    numbers = [point[0] for one in told for point in one["points"]]
    assert numbers == sorted(set(numbers))


def test_one_look_is_a_picture_and_ends_well(busy: Folder) -> None:
    done = plain("--once", cwd=busy.path, COLUMNS="60")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) == 60
    assert done.stdout.startswith("greet · gpt-6-luna")
    assert "\x1b" not in done.stdout
    one = plain("--once", "--json", cwd=busy.path)
    assert json.loads(one.stdout)["state"] == "sending"
    assert plain("--svg", "it.svg", cwd=busy.path).returncode == 0
    svg = (busy.path / "it.svg").read_text()
    assert "20,000" in svg
    assert "url(http" not in svg


def test_who_reads_no_more_ends_it(busy: Folder) -> None:
    command = f"{' '.join(MONITOR)} --every 0.1 | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=busy.path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert "sending" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--every nan", "--every nan is no number"),
        ("--every inf", "inf is not in the range"),
        ("--every 0", "0.0 is not in the range"),
        ("--web --once", "--once is not for the page"),
        ("--web --every 2", "--every is not for the page"),
        ("--open", "add --web"),
        ("--svg x.svg --json", "--svg and --json are two answers"),
    ],
)
def test_options_that_mean_nothing_are_told(tmp_path: Path, options: str, told: str) -> None:
    done = plain(*options.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [(), ("--json",), ("--json", "--once")])
def test_lines_that_have_no_place_are_told(busy: Folder, options: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*MONITOR, *options],
            cwd=busy.path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 5
    assert done.stderr.startswith("Error: standard output: No space left on device. Make room")
    assert len(done.stderr.splitlines()) == 1


def test_bad_names_are_told(busy: Folder) -> None:
    done = plain("runs/none", cwd=busy.path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: runs/none holds no run. Runs are in runs/.\n"


def test_it_waits_for_a_run_to_work(folder: Folder) -> None:
    folder.rows(20)
    with terminal(*MONITOR, "--wait", cwd=folder.path) as it:
        it.until_shown("Waiting for a run to work")
        begin(folder)
        assert it.end() == 0
        assert "20/20 · 100.0%" in left_behind(it)


def test_the_script_finds_the_newest_run_from_any_folder(busy: Folder, tmp_path: Path) -> None:
    scripts = busy.path / "scripts"
    if not scripts.exists():
        shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__", "rivals"))
    for cwd in (busy.path, scripts, tmp_path):
        command = [sys.executable, str(scripts / "monitor_conversion.py"), "--once"]
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "/20,000 · " in done.stdout
        assert "targets success ≥ 95%" in done.stdout
