"""`processor run --deadline`: what is told before, meanwhile and in the end."""

import json
import re
from collections.abc import Iterator

import pytest
from command_line import SAY, Shell

from processor.sandbox_process import sandbox


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "0"]) as url:
        yield url


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


@pytest.mark.parametrize("route", ["auto", "direct"])
def test_a_deadline_that_no_lane_can_make_is_said_before_anything_is_sent(
    shell: Shell, route: str
) -> None:
    shell.reset()
    asked = (*arguments(shell, 60), "--rpm", "1", "--route", route)
    before = sorted(shell.folder.iterdir())
    done = shell.run(*asked, "--deadline", "10m")
    assert (done.code, done.out) == (1, "")
    batches = ", and batches hardly ever end so soon" if route == "auto" else ""
    assert done.err.splitlines()[-1] == (
        "Error: --deadline 10m cannot be made: 60 items take at least 1h directly, for the limits "
        f"that --rpm and --tpm tell{batches}. Possible: --deadline 1h15m, --limit 9, or none."
    )
    assert shell.stats()["items"]["seen"] == 0
    left = [path for path in shell.folder.iterdir() if path.name not in ("logs", "runs")]
    assert sorted(left) == before
    assert not any((shell.folder / "runs").iterdir())


def test_a_run_that_was_begun_does_what_it_can(shell: Shell) -> None:
    shell.reset()
    asked = arguments(shell, 60)
    assert shell.run(*asked, "--limit", "20").code == 0
    done = shell.run(*asked, "--rpm", "600", "--route", "direct", "--deadline", "3s")
    assert done.code in (0, 4)
    assert "cannot be made" not in done.err
    assert shell.figures()["pending"] < 40


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("--deadline", "2025-01-01 10:00"), "that is 2025-01-01 10:00, which has passed"),
        (("--deadline", "soon"), "neither a time nor a span"),
        (("--deadline", "2h", "--route", "batch"), "--deadline goes with --route auto"),
        (("--deadline", "2h", "--budget", "0"), "--budget: input should be greater than 0"),
        (("--deadline", "2h", "--budget", "1", "--model", "mine"), "what mine costs"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    shell: Shell, asked: tuple[str, ...], problem: str
) -> None:
    shell.reset()
    done = shell.run(*arguments(shell, 3), *asked)
    assert (done.code, done.out) == (1, "")
    assert problem in done.err
    assert shell.stats()["received"] == 0
    assert not any(path for path in shell.folder.glob("runs/*"))
