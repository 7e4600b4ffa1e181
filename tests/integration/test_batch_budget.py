"""Budgets of the batch lane, against a sandbox that counts every answer that is charged."""

import json
import re
from collections.abc import Iterator

import pytest
from command_line import Shell
from run_bench import TASK

from processor.sandbox_process import sandbox

# US dollars per million tokens; a batch costs half of it.
PRICE = ("--price", "1000,5000", "--max-output-tokens", "60")
A_DAY_S = 86_400.0


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "0"]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


def charged_usd(shell: Shell) -> float:
    tokens = shell.stats()["paid_tokens"]
    return float(tokens["prompt"] * 1000 + tokens["completion"] * 5000) / 2e6


def batched(shell: Shell, count: int, *arguments: str) -> tuple[int, str]:
    task = shell.write("greet.toml", TASK)
    lines = (json.dumps({"id": n, "word": f"{shell.folder.name} {n}."}) for n in range(count))
    table = shell.write("rows.jsonl", "\n".join(lines))
    options = ("--task", task, "--input", table, "--route", "batch", *PRICE)
    result = shell.run(*options, *arguments)
    return result.code, result.err


def suggested(told: str) -> str:
    found = re.search(r"--budget (\S+) goes on", told)
    assert found is not None, told
    return found[1]


def test_a_batch_costs_half(shell: Shell) -> None:
    assert batched(shell, 20)[0] == 0
    assert shell.figures()["cost_usd"] == pytest.approx(charged_usd(shell))


def test_a_batch_that_may_cost_more_than_is_left_is_not_sent(shell: Shell) -> None:
    code, told = batched(shell, 20, "--budget", "0.5")
    assert code == 4
    assert "$0.00 of $0.50 used; 20 items are left, about $" in told
    assert shell.stats()["by_route"].keys() <= {"GET /v1/batches"}
    more = suggested(told)
    assert f"--budget {more} goes on" in shell("status").out
    assert batched(shell, 20, "--budget", more)[0] == 0
    assert charged_usd(shell) <= float(more)
    assert shell.stats()["items"]["paid_twice"] == 0


def test_shards_go_one_after_the_other_as_far_as_the_budget_goes(shell: Shell) -> None:
    code, told = batched(shell, 400, "--budget", "14", "--shard-size", "50")
    figures = shell.figures()
    assert (code, figures["stopped"]["code"]) == (4, "budget")
    assert 100 < figures["succeeded"] < 400
    assert figures["succeeded"] % 50 == 0
    assert figures["spent_usd"] == pytest.approx(charged_usd(shell))
    assert 10 < charged_usd(shell) <= 14  # what the first cost tells what the next will
    more = suggested(told)
    assert batched(shell, 400, "--budget", more, "--shard-size", "50")[0] == 0
    assert charged_usd(shell) <= float(more)
    assert shell.figures()["succeeded"] == shell.stats()["paid"] == 400


def test_what_is_at_the_provider_is_reserved(shell: Shell) -> None:
    shell.fault("batch_stuck:status=in_progress")
    assert batched(shell, 20, "--budget", "20", "--detach")[0] == 6
    told = re.search(
        r"\$0\.00 of \$20\.00 used · \$(\S+) reserved for batches", shell("status").out
    )
    assert told is not None
    reserved_usd = float(told[1])
    # The rest of the rows have no room beside them, by whichever lane.
    for way in (("--route", "batch", "--detach"), ("--route", "direct")):
        code, _ = batched(shell, 60, "--budget", f"{1.01 * reserved_usd:.4f}", *way)
        assert code in {4, 6}
        assert shell.stats()["by_route"]["POST /v1/batches"] == 1
        assert shell.stats()["by_route"].get("POST /v1/chat/completions", 0) == 0
