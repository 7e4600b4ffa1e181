"""Runs under a budget, against a sandbox that counts every answer that a provider would charge."""

import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Shell
from lane_bench import CHOOSE
from run_bench import TASK, Folder

from processor.plan.prices import dollars
from processor.sandbox_process import sandbox

# US dollars per million tokens, so that an answer costs some cents.
PRICE = ("--price", "1000,5000", "--max-output-tokens", "60")
CONCURRENCY = 20
ITEMS = 300


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "20"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    made = Folder(tmp_path, sandbox_url)
    made.rows(ITEMS)
    made.admin("stats/reset", {})
    made.admin("faults", {"clear": True})
    made.admin("config", {"bad_answers": 0.0})
    yield made
    made.end()


def charged_usd(stats: Any) -> float:
    """What the provider charges."""
    tokens = stats["paid_tokens"]
    return float(tokens["prompt"] * 1000 + tokens["completion"] * 5000) / 1e6


def suggested(told: str) -> str:
    found = re.search(r"--budget (\S+) goes on", told)
    assert found is not None, told
    return found[1]


def rows(shell: Shell, count: int) -> tuple[str, ...]:
    """Options for a table and a task."""
    task = shell.write("greet.toml", TASK)
    lines = (json.dumps({"id": n, "word": f"word{n}."}) for n in range(1, count + 1))
    table = shell.write("rows.jsonl", "\n".join(lines) + "\n")
    return ("--task", task, "--input", table, *PRICE)


def test_it_stops_with_4_tells_what_is_left_and_goes_on_with_more(shell: Shell) -> None:
    options = rows(shell, ITEMS)
    result = shell.run(*options, "--budget", "2")
    assert result.code == 4
    figures = shell.figures()
    assert 0 < figures["succeeded"] < ITEMS
    assert figures["failed"] == 0
    assert figures["stopped"]["code"] == "budget"
    assert figures["reconciled"] is True
    assert 1.5 < charged_usd(shell.stats()) <= 2
    assert figures["cost_usd"] == pytest.approx(charged_usd(shell.stats()))

    left = figures["pending"]
    assert f"of $2.00 used; {left:,} items are left, about $" in result.err
    more = suggested(result.err)
    assert (
        f"the same command with a higher --budget goes on: processor run {more}" not in result.out
    )
    assert f"--budget {more}" in result.out
    (log,) = [line for line in run_log(shell) if line["event"] == "run_stopped"]
    assert (log["severity"], log["code"]) == ("ERROR", "budget")
    status = shell("status").out
    assert "stopped   budget: " in status
    assert f"--budget {more} goes on" in status
    assert "of $2.00 used\n" in status

    assert shell.run(*options, "--budget", more).code == 0
    assert shell.figures()["succeeded"] == shell.stats()["paid"] == ITEMS
    assert charged_usd(shell.stats()) <= float(more)


def run_log(shell: Shell) -> list[dict[str, Any]]:
    path = max(shell.folder.glob("logs/batch_conversion_*.log"))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_command_that_goes_on_is_told_with_its_new_budget(folder: Folder) -> None:
    code, said, told = folder.run(*PRICE, "--budget=2", "--concurrency", "20")
    assert code == 4
    (step,) = [line for line in said.splitlines() if "goes on: processor run" in line]
    assert step.endswith(f"--budget {suggested(told)}")
    assert "--budget=2" not in step


def test_a_budget_for_less_than_a_call_sends_nothing(shell: Shell) -> None:
    options = rows(shell, 5)
    result = shell.run(*options, "--budget", "0.001")
    assert result.code == 4
    assert "$0.00 of $0.001000 used; 5 items are left" in result.err
    assert shell.stats()["received"] == 0
    assert shell.run(*options, "--budget", suggested(result.err)).code == 0


def test_what_was_spent_without_a_budget_counts(shell: Shell) -> None:
    options = rows(shell, 60)
    assert shell.run(*options, "--limit", "30").code == 0
    before_usd = charged_usd(shell.stats())
    result = shell.run(*options, "--budget", f"{before_usd / 2:.4f}")
    assert result.code == 4
    assert f"${before_usd:.2f}"[:-1] in result.err
    assert shell.stats()["paid"] == 30
    assert shell.run(*options, "--budget", f"{1.2 * before_usd:.4f}").code == 4
    assert 30 < shell.stats()["paid"] < 40
    assert charged_usd(shell.stats()) <= 1.2 * before_usd


def test_what_was_spent_at_an_unknown_price_counts_by_its_tokens(shell: Shell) -> None:
    options = rows(shell, 60)[:4]
    assert shell.run(*options, "--limit", "30").code == 0
    assert shell.figures()["cost_usd"] is None
    before_usd = charged_usd(shell.stats())
    for share, goes_on in ((0.9, False), (1.5, True)):
        budget = ("--budget", f"{share * before_usd:.4f}")
        assert shell.run(*options, *PRICE, *budget).code == 4
        assert (shell.stats()["paid"] > 30) is goes_on
    assert charged_usd(shell.stats()) <= 1.5 * before_usd


def test_answers_that_tell_no_tokens_count_their_estimates(shell: Shell) -> None:
    shell.fault("no_usage")
    options = rows(shell, 200)
    assert shell.run(*options, "--budget", "2").code == 4
    figures = shell.figures()
    assert figures["cost_usd"] is None
    assert 0 < figures["succeeded"] < 200
    assert charged_usd(shell.stats()) <= 2
    paid = shell.stats()["paid"]
    shell("status")
    assert shell.run(*options, "--budget", "2").code == 4
    assert shell.stats()["paid"] == paid


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf", "1e999", "abc", ""])
def test_a_budget_that_is_none_is_refused_before_anything_is_sent(
    shell: Shell, budget: str
) -> None:
    result = shell.run(*rows(shell, 5), f"--budget={budget}")
    assert result.code == 1
    assert "--budget" in result.err
    assert len(result.err.splitlines()) == 1
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "runs").exists()


@pytest.mark.parametrize("price", ["1", "1,2,3,4", "a,b", "-1,2", "nan,1", "1,,2", ""])
def test_a_price_that_is_none_is_refused(shell: Shell, price: str) -> None:
    result = shell.run(*rows(shell, 5)[:4], f"--price={price}", "--budget", "1")
    assert result.code == 1
    assert "--price" in result.err
    assert len(result.err.splitlines()) == 1
    assert not (shell.folder / "runs").exists()


def test_an_unknown_price_is_refused_before_anything_is_sent(shell: Shell) -> None:
    task, table = rows(shell, 5)[1:4:2]
    result = shell.run("--task", task, "--input", table, "--budget", "1")
    assert result.code == 1
    assert "what gpt-6-luna costs at 127.0.0.1 is not known" in result.err
    assert "--price IN,OUT" in result.err
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "runs").exists()
    assert shell.run("--task", task, "--input", table).code == 0
    assert shell.figures()["cost_usd"] is None


def test_a_price_with_and_without_one_for_cached_input(shell: Shell) -> None:
    task, table = rows(shell, 5)[1:4:2]
    assert shell.run("--task", task, "--input", table, "--price", "1000,500,5000").code == 0
    assert shell.figures()["cost_usd"] == pytest.approx(charged_usd(shell.stats()))


def test_the_sandbox_is_priced_like_the_provider_it_stands_for(shell: Shell) -> None:
    options = ("--quiet", "--sandbox", "--generate", "200", "--max-output-tokens", "100")
    result = shell("run", *options, "--budget", "0.006")
    assert result.code == 4
    figures = shell.figures()
    assert 0.004 < figures["cost_usd"] <= 0.006
    assert "at list price; the sandbox charges nothing" in result.out
    assert shell("run", *options, "--budget", suggested(result.err)).code == 0


TROUBLE = {
    "rate limits": ["rate_limit:rate=0.2,retry-after=0"],
    "server errors": ["server_error:rate=0.2"],
    "answers cut off": ["lost_answer:rate=0.2"],
    "answers that come too late": ["hang:rate=0.1,seconds=60"],
    "answers without an end": ["truncated_json:rate=0.2"],
}


@pytest.mark.parametrize("faults", TROUBLE.values(), ids=TROUBLE.keys())
def test_in_trouble_the_provider_charges_no_more_either(folder: Folder, faults: list[str]) -> None:
    (folder.path / "greet.toml").write_text(CHOOSE)
    folder.admin("config", {"bad_answers": 0.3})
    folder.admin("faults", {"set": faults})
    options = (*PRICE, "--max-output-tokens", "5", "--concurrency", "50", "--timeout", "0.5")
    code, _, told = folder.run(*options, "--retries", "20", "--budget", "6")
    assert code == 4, told
    stats = folder.admin("stats")
    assert 2 < charged_usd(stats) <= 6
    assert stats["max_concurrent"] > 10
    assert folder.figures()["reconciled"] is True


def test_an_interrupted_run_keeps_account(folder: Folder) -> None:
    process = folder.start(*PRICE, "--budget", "1000", "--concurrency", "5")
    folder.wait_for_answers(100)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert account(folder) == pytest.approx((charged_usd(folder.admin("stats")), 0.0, 0.0))


def account(folder: Folder) -> tuple[float, float, float]:
    """Known prices, set aside, reserved."""
    kept = dict(folder.ledger("SELECT name, SUM(value) FROM counters GROUP BY name"))
    return kept.get("cost_usd", 0.0), kept["budget.aside_usd"], kept["budget.reserved_usd"]


def test_calls_that_were_ended_from_here_count_their_estimates(folder: Folder) -> None:
    folder.admin("faults", {"set": ["hang:after=100,seconds=60"]})
    process = folder.start(*PRICE, "--budget", "1000", "--concurrency", "5")
    folder.wait_for(lambda: folder.admin("stats")["received"] >= 105)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    folder.wait_for(lambda: "once more" in process.stderr.readline())  # type: ignore[union-attr]  # it is there
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    priced_usd, aside_usd, reserved_usd = account(folder)
    assert reserved_usd == 0 or reserved_usd > priced_usd  # it left before it could put it down
    assert reserved_usd or aside_usd > 0


def test_kills_do_not_exceed_it_and_do_not_use_it_up(folder: Folder) -> None:
    """An unsettled reservation counts as spent: at most a block for each kill."""
    moments = random.Random(7)
    options = (*PRICE, "--concurrency", str(CONCURRENCY), "--budget", "6")
    for answered in (55, 60, 65):  # calls cost what the first fifty tell
        process = folder.start(*options)
        _kill_after(folder, process, answered + moments.randint(0, 4))
    code, _, told = folder.run(*options)
    stats = folder.admin("stats")
    print(f"charged {charged_usd(stats):.4f}, {told.splitlines()[-1]}")
    assert code in (0, 4)
    assert charged_usd(stats) <= 6
    if code == 4:
        assert charged_usd(stats) > 6 * 0.3
        assert folder.run(*options)[0] == 4
        assert folder.admin("stats")["paid"] == stats["paid"]
        assert folder.run(*options, "--budget", suggested(told))[0] == 0
    folder.assert_whole(ITEMS)


def _kill_after(folder: Folder, process: "subprocess.Popen[str]", answered: int) -> None:
    """Kill it when so many calls were answered, unless it has ended by then."""
    folder.wait_for(
        lambda: process.poll() is not None or folder.admin("stats")["answered"] >= answered
    )
    _kill(process, 0)


def _kill(process: "subprocess.Popen[str]", after_s: float) -> None:
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


def test_what_was_reserved_when_it_was_killed_counts_after_a_start_without_a_budget(
    folder: Folder,
) -> None:
    process = folder.start(*PRICE, "--concurrency", "5", "--budget", "1000")
    folder.wait_for_answers(30)
    process.kill()
    process.communicate()
    priced_usd, _, reserved_usd = account(folder)
    assert reserved_usd > priced_usd
    assert folder.run(*PRICE, "--limit", "10")[0] == 0
    later_usd, aside_usd, _ = account(folder)
    assert later_usd > priced_usd
    folder.start(*PRICE, "--limit", "10", "--budget", "1000").communicate(timeout=30)
    told = status(folder)
    assert f", {dollars(reserved_usd - priced_usd)} of it only reserved when a start was" in told
    assert later_usd + aside_usd == pytest.approx(reserved_usd + later_usd - priced_usd)
    assert account(folder)[2] == 0


def status(folder: Folder) -> str:
    command = [sys.executable, "-m", "processor", "status", "out"]
    return subprocess.run(
        command, cwd=folder.path, check=True, capture_output=True, text=True
    ).stdout


BY_ROW = TASK + '[overrides]\nmodel = "model"\n'


def rows_of(shell: Shell, *models: str) -> tuple[str, ...]:
    """Options for rows that name their models."""
    task = shell.write("greet.toml", BY_ROW)
    lines = (
        json.dumps({"id": n, "word": f"word{n}.", "model": model})
        for n, model in enumerate(models, 1)
    )
    table = shell.write("rows.jsonl", "\n".join(lines) + "\n")
    return ("--task", task, "--input", table, "--max-output-tokens", "50")


def test_each_row_counts_with_the_price_of_its_own_model(shell: Shell) -> None:
    """Of which one is twenty times the other."""
    options = ("--quiet", "--sandbox", *rows_of(shell, *["", "gpt-6-sol"] * 150))
    result = shell("run", *options, "--budget", "0.012")
    assert result.code == 4, result.err
    assert 0.01 < shell.figures()["cost_usd"] <= 0.012
    result = shell("run", *options, "--budget", suggested(result.err))
    assert result.code == 0, result.err
    assert shell.figures()["succeeded"] == 300


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (["", "gpt-6-sol", "gpt-99-nova"], "row 3: --budget: what gpt-99-nova costs at"),
        (["gpt-99-nova"] * 2, "row 1: --budget: what gpt-99-nova costs at"),
    ],
)
def test_a_row_whose_price_is_unknown_is_named_before_anything_is_sent(
    shell: Shell, models: list[str], told: str
) -> None:
    options = ("--quiet", "--sandbox", *rows_of(shell, *models))
    result = shell("run", *options, "--budget", "1")
    assert result.code == 1
    assert told in result.err
    assert "is not known; --price IN,OUT tells it" in result.err
    assert len(result.err.splitlines()) == 1
    assert list((shell.folder / "runs").iterdir()) == []
    assert shell("run", *options, "--budget", "1", "--skip-invalid").code == 0
    assert shell.figures()["succeeded"] == sum(model != "gpt-99-nova" for model in models)


def test_a_pending_row_of_an_earlier_start_is_asked_for_its_price_too(shell: Shell) -> None:
    options = rows_of(shell, "", "gpt-6-sol")
    shell.fault("bad_key")
    assert shell.run(*options).code == 3
    shell.reset()
    result = shell.run(*options, "--budget", "1")
    assert result.code == 1
    assert "the row with id 1: --budget: what gpt-6-luna costs at 127.0.0.1 is not" in result.err
    assert shell.stats()["received"] == 0
    assert shell.run(*options, "--budget", "1", "--price", "1,2").code == 0
