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
    planned = shell("plan", "--base-url", shell.url, *asked, "--deadline", "10m")
    assert planned.code == 1
    assert "Error: --deadline 10m cannot be made" in planned.err


def test_a_run_of_another_start_is_kept_when_its_deadline_is_refused(shell: Shell) -> None:
    shell.reset()
    asked = arguments(shell, 60)
    assert shell.run(*asked, "--limit", "20").code == 0
    run = shell.the_run()
    shell.run(*asked, "--rpm", "1", "--route", "direct", "--deadline", "1s")
    assert (run / "ledger.sqlite").exists()
    assert shell.run(*asked).code == 0
    assert shell.figures()["succeeded"] == 60


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


def test_a_deadline_that_is_made_is_told_with_what_was_saved(shell: Shell) -> None:
    shell.reset()
    done = shell(
        *("run", "--base-url", shell.url, *arguments(shell, 300)),
        *("--price", "1,2", "--deadline", "2h"),
    )
    assert done.code == 0, done.err
    assert "both lanes: everything is tried by batch" in done.err
    assert "decided: 285 by batch, 15 directly: " in done.err
    assert re.search(r"deadline  \d{4}-\d\d-\d\d \d\d:\d\d: made, 1h59m before it", done.out)
    (lanes,) = [line for line in done.out.splitlines() if line.startswith("  lanes")]
    pattern = r"15 directly for \$\S+ · 285 by batch for \$\S+ · saved \$\S+ \((\S+)%\) against all"
    found = re.search(pattern, lanes)
    assert found is not None, lanes
    assert 46 < float(found[1]) < 49  # 285 of 300 at half the price
    status = shell("status").out
    assert re.search(r"decided   \S+, \S+ ago: 285 by batch, 15 directly: ", status)
    assert re.search(r"known     \S+/s directly \(measured, cautiously\)", status)


def test_programs_are_told_the_same(shell: Shell) -> None:
    shell.reset()
    assert shell.run(*arguments(shell, 40), "--price", "1,2", "--deadline", "2h").code == 0
    told = json.loads(shell("status", "--json").out)
    assert told["deadline"]["made"] is True
    assert told["deadline"]["done_at"] < told["deadline"]["at"]
    assert told["decision"]["known"]["not_sent"] == 0
    assert told["all_direct_usd"] > told["cost_usd"]
    figures = shell.figures()
    assert figures["deadline"] == told["deadline"]
    (log,) = (shell.folder / "logs").glob("batch_conversion_*.log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (decision,) = [line for line in lines if line["event"] == "decision"]
    assert decision["message"] == "마감 결정: 배치 38건, 직접 2건"
    assert decision["forecast"] == "yes"


def test_without_a_deadline_nothing_is_told_of_one(shell: Shell) -> None:
    shell.reset()
    rows = arguments(shell, 40)
    assert shell.run(*rows, "--deadline", "2h", "--limit", "20").code == 0
    assert shell.run(*rows).code == 0
    told = json.loads(shell("status", "--json").out)
    assert (told["deadline"], told["decision"]) == (None, None)
    assert "deadline" not in shell("status").out
