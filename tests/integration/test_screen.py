"""What a person sees: a bar on a terminal, and the terminal as it was when the run is over."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from run_bench import KEY, Folder

from processor.cli.sandbox_process import sandbox


def read_to_the_end(terminal: int) -> str:
    """All that is written to a terminal until nobody has it open any more."""
    parts = []
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux says EIO at the end
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_bar_is_drawn_and_removed(tmp_path: Path) -> None:
    with sandbox(["--latency-ms", "60"]) as url:
        folder = Folder(tmp_path, url)
        folder.rows(250)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "processor", "run", "--task", "greet.toml"),
                *("--input", "rows.jsonl", "--base-url", url, "--out", "out"),
                *("--concurrency", "5"),
            ],
            cwd=tmp_path,
            env={**os.environ, "OPENAI_API_KEY": KEY, "TERM": "xterm-256color", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        folder.started.append(process)
        os.close(theirs)
        try:
            told = read_to_the_end(ours)
            process.communicate(timeout=30)
        finally:
            os.close(ours)
            folder.end()
    assert process.returncode == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told)
    assert "250 items to send to gpt-6-luna" in plain
    assert re.search(r"\d+/250 +━", plain)
    assert re.search(r"ok 100(\.0)? ?% · [\d.]+/s · left \d", plain)
    assert told.count("\x1b[?25l") == told.count("\x1b[?25h") == 1  # the cursor is back
    after = told.rpartition("\x1b[?25h")[2]
    assert "━" not in after
