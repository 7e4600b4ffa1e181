"""`processor run --route batch`, from a file to results, against a sandbox over real HTTP."""

import csv

import orjson
from command_line import SAY, Shell

from processor import Processor


def rows(shell: Shell, count: int) -> str:
    """A file of rows that no other test has: the sandbox is everybody's."""
    lines = [orjson.dumps({"word": f"{shell.folder.name} {n}"}) for n in range(count)]
    return shell.write("rows.jsonl", b"\n".join(lines))


def batched(shell: Shell, *arguments: str) -> int:
    """The exit code of a run by batch."""
    task = shell.write("say.toml", SAY)
    result = shell.run("--task", task, "--route", "batch", *arguments)
    return result.code


def test_every_row_has_one_result_and_one_batch_holds_them(shell: Shell) -> None:
    assert batched(shell, "--input", rows(shell, 25)) == 0
    figures, seen = shell.figures(), shell.stats()
    assert (figures["succeeded"], figures["lanes"]["batch"]["succeeded"]) == (25, 25)
    assert figures["reconciled"]
    assert seen["by_route"]["POST /v1/batches"] == 1
    assert "POST /v1/chat/completions" not in seen["by_route"]
    with (shell.the_run() / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["word"] for row in table] == [f"{shell.folder.name} {n}" for n in range(25)]
    assert {row["lane"] for row in table} == {"batch"}


def test_it_takes_one_call_in_ten_at_most(shell: Shell) -> None:
    assert batched(shell, "--input", rows(shell, 275)) == 0
    assert shell.stats()["received"] <= 27


def test_shards_are_no_larger_than_was_said(shell: Shell) -> None:
    assert batched(shell, "--input", rows(shell, 25), "--shard-size", "10") == 0
    assert shell.stats()["by_route"]["POST /v1/batches"] == 3
    assert not list((shell.the_run() / "batches").iterdir())


def test_who_detaches_goes_on_with_the_same_command(shell: Shell) -> None:
    source = rows(shell, 25)
    assert batched(shell, "--input", source, "--detach") == 6
    assert shell.figures()["pending"] == 25
    assert batched(shell, "--input", source) == 0
    assert shell.figures()["succeeded"] == 25
    assert shell.stats()["by_route"]["POST /v1/batches"] == 1


def test_nobody_leaves_calls_behind(shell: Shell) -> None:
    asked = ("--task", shell.write("say.toml", SAY), "--input", rows(shell, 5))
    told = shell.run(*asked, "--route", "direct", "--detach")
    assert (told.code, told.err) == (
        1,
        "Error: --detach is for what goes by batch: nothing would\n",
    )
    assert shell.run(*asked, "--detach").code == 0  # so few go directly, and nothing is left behind


def test_another_folder_takes_over_a_batch_of_the_same_requests(shell: Shell) -> None:
    source = rows(shell, 25)
    assert batched(shell, "--input", source, "--out", "one", "--detach") == 6
    assert batched(shell, "--input", source, "--out", "two") == 0
    assert shell.stats()["by_route"]["POST /v1/batches"] == 1
    assert batched(shell, "--input", source, "--out", "two", "--new") == 0
    assert shell.stats()["by_route"]["POST /v1/batches"] == 2


def test_the_sandbox_of_a_program_keeps_its_batches(shell: Shell) -> None:
    processor = Processor(sandbox=True, route="batch")
    task = shell.write("say.toml", SAY)
    report = processor.run_sync(task, [{"word": "one"}, {"word": "two"}], out="runs/own")
    assert (report.exit_code, report.figures.lanes["batch"].succeeded) == (0, 2)
    told = shell("batch", "list", "runs/own", "--remote").out
    assert "completed  2/2 (100.0%)  shard 1" in told


def test_another_address_is_refused_while_batches_are_open(shell: Shell) -> None:
    source = rows(shell, 3)
    assert batched(shell, "--input", source, "--detach") == 6
    elsewhere = shell.url.replace("127.0.0.1", "localhost")
    task = ("--task", "say.toml", "--input", source, "--route", "batch", "--quiet")
    refused = shell("run", "--base-url", elsewhere, *task)
    assert (refused.code, "--new-account" in refused.err) == (1, True)
    assert shell.stats()["by_route"]["POST /v1/batches"] == 1
    assert batched(shell, "--input", source) == 0
