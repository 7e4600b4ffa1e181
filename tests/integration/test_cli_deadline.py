"""`processor run --deadline`: what is told before, meanwhile and in the end."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import SAY, Shell

from processor.sandbox_process import sandbox


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "0"]) as url:
        yield url


@pytest.fixture(autouse=True)
def own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def arguments(shell: Shell, rows: int) -> tuple[str, ...]:
    lines = (json.dumps({"word": f"word{n}."}) for n in range(rows))
    table = shell.write("rows.jsonl", "\n".join(lines) + "\n")
    return ("--task", shell.write("say.toml", SAY), "--input", table)


def test_what_a_deadline_leaves_is_told_with_what_it_would_cost(shell: Shell) -> None:
    shell.reset(latency_ms=300, latency_sigma=0)
    asked = ("run", "--base-url", shell.url, *arguments(shell, 200), "--concurrency", "1")
    done = shell(*asked, "--price", "1,2", "--route", "direct", "--deadline", "2s")
    assert done.code == 4
    left = shell.figures()["pending"]
    assert 150 < left < 200
    sentence = rf"{left} items are left, about \d+m directly for \$\S+: --deadline 5m goes on\."
    assert re.search(f"Stopped: deadline: {sentence}", done.err), done.err
    assert re.search(f"stopped   {sentence}", shell("status").out.replace("deadline: ", ""))
    (step,) = [line for line in done.out.splitlines() if "with a later --deadline" in line]
    assert step.endswith(" --deadline 5m")
    shell.reset(latency_ms=0)
    again = shell(*asked, "--price", "1,2", "--route", "direct", "--deadline", "5m")
    assert again.code == 0
