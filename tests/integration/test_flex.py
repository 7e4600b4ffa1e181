"""`--route flex` against a sandbox over real HTTP: what is sent, billed, told, refused."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import SAY, Result, Shell
from run_bench import Folder, folder_before

from processor import Processor, Task
from processor.sandbox_process import sandbox

PRICE = ("--price", "1000,5000", "--max-output-tokens", "60")
FULL = "flex_unavailable"
LANES = ("flex", "direct")


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "5", "--latency-sigma", "0"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=300) as folder:
        yield folder


def rows(shell: Shell, count: int) -> str:
    lines = [json.dumps({"word": f"{shell.folder.name} {n}"}) for n in range(count)]
    return shell.write("rows.jsonl", "\n".join(lines))


def run(shell: Shell, *arguments: str, task: str = SAY, route: str = "flex") -> Result:
    """A run that tells what it does."""
    named = shell.write("say.toml", task)
    shell.write("processor.toml", "[default]\nprovider = 'sandbox'\n")  # at OpenAI's prices
    options = ("--task", named, "--input", "rows.jsonl", "--route", route)
    return shell("run", "--base-url", shell.url, *options, *arguments)


def list_usd(stats: Any) -> float:
    """What the sandbox's answers cost at the list price of gpt-6-luna, at the standard tier."""
    tokens = stats["paid_tokens"]
    return float(tokens["prompt"] * 0.1 + tokens["completion"] * 0.5) / 1e6


def test_a_run_at_flex_costs_half_and_says_so(shell: Shell) -> None:
    rows(shell, 30)
    told = run(shell)
    assert told.code == 0
    assert "flex: as asked for (--route flex)" in told.err
    assert "  route     flex: as asked for (--route flex)" in told.out
    assert "  tier      flex 30\n" in told.out
    figures = shell.figures()
    assert figures["route"]["lane"] == "flex"
    assert figures["tiers"] == {"flex": 30}
    assert figures["lanes"]["direct"]["succeeded"] == 30
    stats = shell.stats()
    assert stats["paid_by_tier"] == {"flex": 30}
    assert figures["cost_usd"] == pytest.approx(list_usd(stats) / 2, abs=1e-7)
    assert "  tier      flex 30" in shell("status").out
    assert json.loads(shell("status", "--json").out)["tiers"] == {"flex": 30}


def test_what_the_standard_tier_answers_is_billed_and_told_as_that(shell: Shell) -> None:
    rows(shell, 30)
    shell.fault("other_tier:tier=default,count=10")
    told = run(shell, *PRICE)
    assert "  tier      flex 20 · standard 10\n" in told.out
    stats = shell.stats()
    tokens = stats["paid_tokens"]
    full_usd = (tokens["prompt"] * 1000 + tokens["completion"] * 5000) / 1e6
    cost_usd = shell.figures()["cost_usd"]
    assert full_usd / 2 < cost_usd < full_usd
    assert cost_usd == pytest.approx(full_usd * 2 / 3, rel=0.05)


def test_what_finds_no_room_falls_to_the_standard_tier_if_told(shell: Shell) -> None:
    rows(shell, 40)
    shell.fault(FULL)
    told = run(shell, "--fallback", "direct", "--flex-patience", "0")
    assert told.code == 0
    assert "flex has had no room for 0.0s: the rest goes at the standard tier" in told.err
    figures = shell.figures()
    assert figures["tiers"] == {"default": 40}
    direct = figures["lanes"]["direct"]
    assert (direct["no_room"], direct["rate_limited"]) == (direct["retries"], 0)
    assert direct["no_room"] >= 10
    stats = shell.stats()
    assert stats["paid_by_tier"] == {"default": 40}
    assert figures["cost_usd"] == pytest.approx(list_usd(stats), abs=1e-7)


def test_without_room_and_a_fallback_the_run_stops_and_goes_on_later(shell: Shell) -> None:
    rows(shell, 40)
    shell.fault(FULL)
    stopped = run(shell, "--flex-patience", "1")
    assert stopped.code == 3
    assert "--fallback direct would go on at the standard price" in stopped.out + stopped.err
    assert (shell.figures()["pending"], shell.figures()["failed"]) == (40, 0)
    shell.reset()
    assert run(shell, "--flex-patience", "1").code == 0
    assert shell.figures()["tiers"] == {"flex": 40}
    assert shell.stats()["items"]["paid_twice"] == 0


def test_the_route_may_change_from_start_to_start(shell: Shell) -> None:
    rows(shell, 20)
    assert run(shell, "--limit", "5").code == 0
    assert run(shell, "--limit", "5", route="direct").code == 0
    assert run(shell, "--limit", "5", route="batch").code == 0
    assert run(shell).code == 0
    figures = shell.figures()
    assert figures["tiers"] == {"flex": 10, "default": 5}
    assert figures["lanes"]["batch"]["succeeded"] == 5


def test_failed_items_that_are_sent_again_count_once_more(shell: Shell) -> None:
    rows(shell, 10)
    shell.fault("length:count=4")
    assert run(shell).code == 2
    assert shell.figures()["tiers"] == {"flex": 10}
    assert shell("retry", "--all").code == 0
    assert json.loads(shell("status", "--json").out)["tiers"] == {"flex": 6}
    assert run(shell, route="direct").code == 0
    assert shell.figures()["tiers"] == {"flex": 6, "default": 4}


def test_a_rehearsal_shows_request_and_price(shell: Shell) -> None:
    rows(shell, 1_000)
    told = run(shell, "--dry-run", *PRICE)
    assert told.code == 0
    assert "service_tier: flex" in told.out
    assert "route     flex: as asked for (--route flex), about $" in told.out
    assert shell.stats()["received"] == 0
    direct = run(shell, "--dry-run", *PRICE, route="direct")
    assert cost_of(told) == pytest.approx(cost_of(direct) / 2, rel=1e-3)
    assert "service_tier" not in direct.out


def cost_of(told: Result) -> float:
    (line,) = (each for each in told.out.splitlines() if each.startswith("  cost"))
    return float(line.rsplit("$", 1)[1].replace(",", ""))


def test_a_price_that_is_not_known_to_be_lower_is_said(shell: Shell) -> None:
    rows(shell, 3)
    task = SAY.replace("gpt-6-luna", "gpt-4o-mini")
    told = run(shell, "--dry-run", task=task)
    assert "that it costs less there is not known of this model" in told.out
    stopped = run(shell, task=task)
    assert stopped.code == 3
    assert "--route direct goes without" in stopped.out + stopped.err
    assert shell.stats()["paid"] == 0
    assert run(shell, task=task, route="direct").code == 0


def test_that_a_provider_may_not_have_it_is_said_and_its_price_is_the_whole_one(
    shell: Shell,
) -> None:
    table = rows(shell, 3)
    task = shell.write("say.toml", SAY)
    options = ("--task", task, "--input", table, "--base-url", "https://api.example.org/v1")
    told = [shell("run", "--dry-run", *options, *PRICE, "--route", lane) for lane in LANES]
    assert "whether this provider has that tier, its answers will tell" in told[0].out
    assert cost_of(told[0]) == cost_of(told[1])


EMBED = """\
name = "embed"
model = "text-embedding-3-small"
endpoint = "/v1/embeddings"
id = "row"
prompt = "{{ word }}"
[output]
kind = "embedding"
"""


@pytest.mark.parametrize(
    ("arguments", "task", "said"),
    [
        ((), EMBED, "embeddings are not served at that tier"),
        (("--urgent",), SAY, "--route flex every row may wait"),
        (("--urgent-field", "word"), SAY, "--route flex every row may wait"),
        (("--direct-first", "3"), SAY, "--route flex every row may wait"),
        (("--detach",), SAY, "--detach is for what goes by batch"),
        (("--flex-patience", "-1"), SAY, "--flex-patience"),
        (("--flex-patience", "nan"), SAY, "--flex-patience"),
    ],
)
def test_what_flex_is_not_for_is_said_before_anything_is_sent(
    shell: Shell, arguments: tuple[str, ...], task: str, said: str
) -> None:
    rows(shell, 3)
    told = run(shell, *arguments, task=task)
    assert told.code == 1
    assert said in told.err
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "runs").exists()


def test_lines_for_embeddings_fail_unsent(shell: Shell) -> None:
    body = {"model": "text-embedding-3-small", "input": "a"}
    line = {"custom_id": "one", "method": "POST", "url": "/v1/embeddings", "body": body}
    table = shell.write("lines.jsonl", json.dumps(line))
    options = ("--task", "requests", "--input", table, "--route", "flex")
    assert "1 item would fail, unsent" in shell.run(*options, "--dry-run").out
    assert shell.run(*options).code == 2
    assert shell.figures()["errors"] == {"refused_parameter": 1}
    assert shell.stats()["received"] == 0


def test_responses_go_at_flex(shell: Shell) -> None:
    rows(shell, 5)
    task = SAY.replace('id = "row"', 'id = "row"\nendpoint = "/v1/responses"')
    assert run(shell, task=task).code == 0
    assert shell.figures()["tiers"] == {"flex": 5}


def test_a_timeout_that_is_given_goes_before_the_quarter_of_an_hour(shell: Shell) -> None:
    rows(shell, 5)
    shell.fault("hang:count=1")
    assert run(shell, "--timeout", "0.5").code == 0
    figures = shell.figures()
    assert (figures["tiers"], figures["retries"]) == ({"flex": 5}, 1)


def test_a_budget_holds_though_items_fall_to_the_dearer_tier(shell: Shell) -> None:
    rows(shell, 300)
    shell.fault(f"{FULL}:after=100")
    fall = ("--fallback", "direct", "--flex-patience", "0", "--concurrency", "10")
    told = run(shell, *PRICE, *fall, "--budget", "12", "--quiet")
    assert told.code == 4
    tokens = shell.stats()["paid_tokens"]
    figures = shell.figures()
    by_tier = shell.stats()["paid_by_tier"]
    assert by_tier["flex"] == 100
    assert by_tier["default"] > 20
    most_usd = 10 * 60 * 5000 / 1e6  # of the calls in flight
    assert figures["cost_usd"] <= 12 + most_usd
    full_usd = (tokens["prompt"] * 1000 + tokens["completion"] * 5000) / 1e6
    assert figures["cost_usd"] < full_usd


def test_a_kill_at_flex_loses_nothing(folder: Folder) -> None:
    folder.admin("faults", {"set": [f"{FULL}:rate=0.3,times=2"]})
    options = ("--route", "flex", "--concurrency", "20", "--flex-patience", "60")
    first = folder.start(*options)
    folder.wait_for_answers(60)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    code, _, told = folder.run(*options)
    assert code == 0, told
    folder.assert_whole(300)
    assert folder.figures()["tiers"] == {"flex": 300}
    stats = folder.admin("stats?items=1")
    assert stats["items"]["answered"] == 300
    assert stats["items"]["paid_twice"] <= folder.figures()["requests_lost"]


def test_programs_name_it_as_a_setting(shell: Shell) -> None:
    task = Task(name="say", prompt="Say {{ word }}.", output={"kind": "text"}, model="gpt-6-luna")
    asked = Processor(base_url=shell.url, route="flex", flex_patience_s=5)
    items = [{"id": 1, "word": "a"}, {"id": 2, "word": "b"}]
    report = asyncio.run(asked.run(task, items, out=shell.folder / "own"))
    assert report.succeeded == 2
    assert shell.stats()["paid_by_tier"] == {"flex": 2}
