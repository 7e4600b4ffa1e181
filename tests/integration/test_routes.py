"""Which lane rows take, and both at once, against a sandbox over real HTTP."""

import asyncio
import csv
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
from command_line import SAY, Result, Shell

from processor import Processor, Task
from processor.sandbox_process import sandbox

PRICE = ("--price", "0.1,0.5")
CHAT, BATCHES, UPLOAD = "POST /v1/chat/completions", "POST /v1/batches", "POST /v1/files"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "0"]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


def rows(shell: Shell, count: int, urgent: dict[int, str] | None = None) -> str:
    urgent = urgent or {}
    lines = [
        json.dumps({"word": f"{shell.folder.name} {n}", "now": urgent.get(n, "")})
        for n in range(count)
    ]
    return shell.write("rows.jsonl", "\n".join(lines))


def run(shell: Shell, *arguments: str, source: str = "rows.jsonl") -> Result:
    """A run that tells what it does."""
    task = shell.write("say.toml", SAY)
    return shell("run", "--base-url", shell.url, "--task", task, "--input", source, *arguments)


def lanes(shell: Shell) -> dict[str, str]:
    """Word to the lane that it took."""
    with (shell.the_run() / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["status"] for row in table} == {"success"}
    return {row["word"].removeprefix(f"{shell.folder.name} "): row["lane"] for row in table}


def calls(shell: Shell, route: str) -> int:
    return int(shell.stats()["by_route"].get(route, 0))


def test_fewer_than_a_thousand_go_directly(shell: Shell) -> None:
    rows(shell, 999)
    told = run(shell)
    assert told.code == 0
    assert "directly: 999 items, fewer than 1,000" in told.err
    assert set(lanes(shell).values()) == {"direct"}
    assert calls(shell, UPLOAD) == 0


def test_a_thousand_go_by_batch(shell: Shell) -> None:
    rows(shell, 1_000)
    told = run(shell, *PRICE)
    assert told.code == 0
    saying = r"by batch: 1,000 items for which nobody waits, about \$\S+ by batch, \$\S+ directly\n"
    assert re.search(saying, told.err)
    assert set(lanes(shell).values()) == {"batch"}
    assert (calls(shell, CHAT), calls(shell, BATCHES)) == (0, 1)
    route = shell.figures()["route"]
    assert (route["lane"], route["split"]) == ("batch", False)
    assert f"route     batch: {route['reason']}\n" in shell("status").out
    with closing(sqlite3.connect(shell.the_run() / "ledger.sqlite")) as ledger:
        (kept,) = ledger.execute("SELECT value FROM meta WHERE key = 'route'").fetchone()
    assert json.loads(kept)["demand"]["background"] == 1_000


def test_who_waits_is_served_directly(shell: Shell) -> None:
    rows(shell, 1_000)
    assert run(shell, "--urgent").code == 0
    assert set(lanes(shell).values()) == {"direct"}


def test_the_first_rows_go_directly_and_the_rest_by_batch(shell: Shell) -> None:
    rows(shell, 1_100)
    assert run(shell, "--direct-first", "30").code == 0
    taken = lanes(shell)
    assert [taken[str(n)] for n in range(30)] == ["direct"] * 30
    assert Counter(taken.values()) == {"direct": 30, "batch": 1_070}
    assert calls(shell, CHAT) == 30
    assert shell.figures()["reconciled"] is True
    assert shell.stats()["items"]["paid_twice"] == 0


def test_rows_that_say_so_go_directly(shell: Shell) -> None:
    rows(shell, 40, {3: "yes", 7: "긴급", 30: "1", 31: "no", 32: "보통"})
    assert run(shell, "--route", "batch", "--urgent-field", "now").code == 0
    assert {word for word, lane in lanes(shell).items() if lane == "direct"} == {"3", "7", "30"}


def test_a_limit_holds_for_both_lanes(shell: Shell) -> None:
    rows(shell, 60, {3: "yes", 7: "yes", 50: "yes"})
    asked = ("--route", "batch", "--urgent-field", "now", "--limit", "20")
    assert run(shell, *asked).code == 0
    figures = shell.figures()
    assert (figures["succeeded"], figures["pending"]) == (20, 0)
    assert set(lanes(shell)) == {str(n) for n in range(20)}
    assert calls(shell, CHAT) == 2


def test_a_limit_counts_what_earlier_starts_left_in_batches(shell: Shell) -> None:
    rows(shell, 60, dict.fromkeys(range(0, 60, 5), "yes"))
    assert run(shell, "--budget", "0.000001", *PRICE).code == 4  # all are known now, none is sent
    asked = ("--route", "batch", "--urgent-field", "now", "--limit", "20")
    assert run(shell, *asked, "--detach").code == 6
    assert run(shell, *asked, "--detach").code == 6
    assert run(shell, *asked).code == 0
    assert (shell.figures()["succeeded"], shell.figures()["pending"]) == (20, 40)
    assert calls(shell, CHAT) == 4


def test_who_waits_for_what_is_in_a_batch_gets_it_when_the_batch_gives_it_back(
    shell: Shell,
) -> None:
    rows(shell, 40, {3: "yes", 39: "yes"})
    shell.fault("batch_expires:share=0,count=1")
    assert run(shell, "--route", "batch", "--detach").code == 6
    assert run(shell, "--route", "batch", "--urgent-field", "now").code == 0
    assert shell.figures()["succeeded"] == 40


def test_what_is_urgent_does_not_wait_for_batches(shell: Shell) -> None:
    rows(shell, 50, {1: "yes"})
    assert run(shell, "--route", "batch", "--urgent-field", "now", "--detach").code == 6
    figures = shell.figures()
    assert (figures["succeeded"], figures["pending"]) == (1, 49)
    assert run(shell, "--route", "batch", "--urgent-field", "now").code == 0
    assert Counter(lanes(shell).values()) == {"direct": 1, "batch": 49}
    assert calls(shell, BATCHES) == 1


def test_work_that_was_begun_by_batch_goes_on_so(shell: Shell) -> None:
    rows(shell, 1_000)
    assert run(shell, "--detach").code == 6
    told = run(shell)
    assert told.code == 0
    assert "by batch: as its last start chose" in told.err
    assert set(lanes(shell).values()) == {"batch"}
    # Done: what comes then is chosen anew.
    rows(shell, 1_010)
    assert "directly: 10 items, fewer than 1,000" in run(shell).err


def test_work_that_has_grown_is_another(shell: Shell) -> None:
    rows(shell, 10)
    assert "directly: 10 items" in run(shell, "--budget", "0.000001", *PRICE).err
    assert "directly: as its last start chose" in run(shell, "--budget", "0.000001", *PRICE).err
    rows(shell, 1_000)
    assert "by batch: 1,000 items" in run(shell).err


def test_the_first_rows_stay_the_same_whoever_goes_on(shell: Shell) -> None:
    """A command that ends what others began takes no further ones, and chooses nothing."""
    rows(shell, 40)
    shell.fault("batch_expires:share=0,count=2")
    asked = ("--route", "batch", "--direct-first", "5")
    assert run(shell, *asked, "--detach").code == 6
    before = shell.figures()["route"]
    assert shell("batch", "submit", str(shell.the_run())).code == 6  # takes in what expired
    assert shell("batch", "download").code in {0, 6}
    assert shell.figures()["route"] == before
    assert run(shell, *asked).code == 0
    taken = lanes(shell)
    assert {word for word, lane in taken.items() if lane == "direct"} == set("01234")


def test_a_rehearsal_knows_what_the_last_start_chose(shell: Shell) -> None:
    rows(shell, 1_000)
    assert run(shell, "--detach").code == 6
    rows(shell, 1_010)
    assert "route     batch: as its last start chose" in run(shell, "--dry-run").out


@pytest.mark.parametrize("place", ["batches", "files"])
@pytest.mark.parametrize("status", [404, 501])
def test_a_server_without_batches_gets_calls(shell: Shell, place: str, status: int) -> None:
    rows(shell, 1_000)
    shell.fault(f"status:on={place},status={status}")
    told = run(shell)
    assert told.code == 0
    assert "directly: this provider has no Batch API" in told.err
    assert set(lanes(shell).values()) == {"direct"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [("bad_key", "auth"), ("insufficient_quota", "quota"), ("model_not_found", "model_not_found")],
)
def test_who_cannot_be_served_directly_hears_of_it_before_the_batches_are_done(
    shell: Shell, fault: str, code: str
) -> None:
    rows(shell, 20)
    shell.fault("batch_stuck")
    assert run(shell, "--route", "batch", "--detach").code == 6
    rows(shell, 21, {20: "yes"})
    shell.fault(f"{fault}:on=call")
    asked = ("--route", "batch", "--urgent-field", "now")
    told = run(shell, *asked)
    assert told.code == 3
    assert f"Stopped: {code}" in told.err
    shell.reset()
    assert shell("batch", "cancel").code == 6
    assert run(shell, *asked).code == 0
    assert shell.stats()["items"]["paid_twice"] == 0


@pytest.mark.parametrize("fault", ["hang:seconds=60", "status:status=500", "null:"])
def test_a_server_that_does_not_tell_is_believed_to_have_batches(shell: Shell, fault: str) -> None:
    rows(shell, 1_000)
    shell.fault(f"{fault}{'' if fault.endswith(':') else ','}on=batches,count=1")
    assert "by batch: 1,000 items" in run(shell, "--timeout", "1").err
    assert set(lanes(shell).values()) == {"batch"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--urgent", "--route", "batch"), "--urgent and --route batch exclude each other"),
        (("--urgent", "--detach"), "--detach is for what goes by batch: nothing would"),
        (("--urgent-field", "hot"), "there is no column 'hot'"),
        (("--direct-first", "-1"), "--direct-first"),
        (("--urgent-field", ""), "--urgent-field"),
    ],
)
def test_bad_usage_sends_nothing(shell: Shell, options: tuple[str, ...], problem: str) -> None:
    rows(shell, 5)
    told = run(shell, *options)
    assert (told.code, problem in told.err) == (1, True), told.err
    assert shell.stats()["received"] == 0
    assert not list((shell.folder / "runs").glob("*"))


def test_a_cell_that_says_neither_is_refused_with_its_row(shell: Shell) -> None:
    rows(shell, 5, {3: "maybe"})
    told = run(shell, "--urgent-field", "now")
    assert told.code == 1
    assert "rows.jsonl: row 4" in told.err
    assert "now is 'maybe', neither yes nor no" in told.err
    assert run(shell, "--urgent-field", "now", "--skip-invalid").code == 0


def test_rows_of_an_earlier_start_must_tell_it_too(shell: Shell) -> None:
    rows(shell, 5, {3: "maybe"})
    assert run(shell, "--limit", "1").code == 0
    told = run(shell, "--urgent-field", "now", "--limit", "3")
    assert told.code == 1
    assert "neither yes nor no" in told.err


def test_a_rehearsal_tells_the_lanes(shell: Shell) -> None:
    rows(shell, 1_100, {3: "yes"})
    told = run(shell, "--dry-run", *PRICE, "--urgent-field", "now", "--direct-first", "10")
    assert told.code == 0
    assert "route     batch: 1,090 items for which nobody waits, about $" in told.out
    assert "; 10 for which somebody waits directly" in told.out
    assert shell.stats()["received"] == 0


def test_a_budget_holds_for_both_lanes_together(shell: Shell) -> None:
    """Neither lane may take what the other one holds."""
    rows(shell, 300)
    price = ("--price", "1000,5000", "--max-output-tokens", "60", "--shard-size", "20")
    asked = ("--route", "batch", "--direct-first", "100", *price)
    told = run(shell, *asked, "--budget", "20")
    assert told.code == 4
    figures, tokens = shell.figures(), shell.stats()["paid_tokens"]
    assert figures["tokens"]["prompt"] == tokens["prompt"]
    assert figures["cost_usd"] <= 20
    assert 0 < figures["succeeded"] < 300
    assert figures["spent_usd"] <= 20
    assert figures["lanes"]["direct"]["succeeded"] > 0
    assert run(shell, *asked, "--budget", "2000").code == 0
    assert shell.stats()["items"]["paid_twice"] == 0


def test_who_waits_goes_before_batches_where_the_budget_may_not_do_for_both(shell: Shell) -> None:
    """Batches hold a bound of what they may cost, until they are done."""
    rows(shell, 200)
    shell.fault("batch_stuck")
    asked = ("--route", "batch", "--direct-first", "60", "--concurrency", "2", "--detach")
    price = ("--price", "100,500", "--max-output-tokens", "30", "--shard-size", "10")
    told = run(shell, *asked, *price, "--budget", "1")
    assert told.code == 6, told.err
    figures = shell.figures()
    assert figures["lanes"]["direct"]["succeeded"] == 60
    assert figures["spent_usd"] <= 1
    assert calls(shell, BATCHES) > 0


def test_a_program_that_takes_outcomes_as_they_come_waits_for_no_batch(shell: Shell) -> None:
    task = Task(name="say", model="gpt-6-luna", prompt="Say {{ word }}.")
    items = [{"id": n, "word": f"{shell.folder.name} {n}"} for n in range(1_000)]
    processor = Processor(base_url=shell.url, api_key="sk-own")

    async def take() -> Counter[str]:
        return Counter([outcome.lane async for outcome in processor.stream(task, items)])

    assert asyncio.run(take()) == {"direct": 1_000}
    report = processor.run_sync(task, items, out="runs/by-batch")
    assert report.figures.lanes["batch"].succeeded == 1_000
