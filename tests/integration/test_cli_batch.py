"""`processor batch`, step by step, against a sandbox whose time stands still until it is moved."""

import csv
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from command_line import SAY, Shell

from processor import Processor, Task
from processor.ledger import lock
from processor.sandbox_process import sandbox

A_DAY_S = 86_400.0
HALF_S = 30.0  # of the lines of a batch
LONG, ROOM_TOKENS = 2_000 * ".", 8_000  # room for ten such rows


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    options = ["--validating-s", "1", "--in-progress-s", f"{2 * HALF_S}", "--finalizing-s", "1"]
    with sandbox(["--latency-ms", "0", "--manual-clock", *options]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


def submitted(shell: Shell, count: int, *arguments: str, more: str = "") -> int:
    """The exit code of a run that leaves its batches at the provider."""
    lines = [orjson.dumps({"word": f"{shell.folder.name} {n}{more}"}) for n in range(count)]
    table = shell.write("rows.jsonl", b"\n".join(lines))
    task = shell.write("say.toml", SAY)
    asked = ("--task", task, "--input", table, "--base-url", shell.url, "--quiet")
    return shell("batch", "submit", *asked, *arguments).code


def words(shell: Shell) -> list[str]:
    with (shell.the_run() / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["word"] for row in csv.DictReader(file) if row["status"] == "success"]


def created(shell: Shell) -> int:
    return int(shell.stats()["by_route"].get("POST /v1/batches", 0))


def listed(shell: Shell) -> list[dict[str, object]]:
    shards: list[dict[str, object]] = json.loads(shell("batch", "list", "--json").out)["shards"]
    return shards


def batch_ids(shell: Shell) -> list[str]:
    return [
        batch["id"]
        for shard in listed(shell)
        for batch in shard["batches"]  # type: ignore[attr-defined]
    ]


def test_the_steps_need_nothing_but_the_folder(shell: Shell) -> None:
    assert submitted(shell, 20, "--shard-size", "10") == 6
    shell.pass_time(1 + HALF_S)
    seen = shell("batch", "check")
    assert seen.code == 6
    lines = seen.out.splitlines()
    assert len(lines) == 3
    for batch, line in zip(batch_ids(shell), lines, strict=False):
        assert line.split("  ")[:3] == [batch, "in_progress", "5/10 (50.0%)"]
    assert (
        lines[-1] == f"{shell.the_run().relative_to(shell.folder)}: 0 of 2 shards settled, "
        "20 items not yet"
    )
    assert shell("batch", "download", "--quiet").code == 6
    assert shell.figures()["pending"] == 20

    shell.pass_time(A_DAY_S)
    assert shell("batch", "check").code == 0
    assert shell("batch", "download", "--quiet").code == 0
    assert words(shell) == [f"{shell.folder.name} {n}" for n in range(20)]
    assert created(shell) == 2
    assert shell.stats()["items"]["paid_twice"] == 0
    assert "2 of 2 shards settled" in shell("batch", "check").out


def test_what_is_at_the_provider_is_seen_everywhere(shell: Shell) -> None:
    assert submitted(shell, 30, "--shard-size", "10") == 6
    shell.pass_time(1 + HALF_S)
    shell("batch", "check")
    folder = shell.the_run().relative_to(shell.folder)
    told = shell("status").out
    assert "30 items are at the provider in 3 batches (in_progress 3) · 15 answered there" in told
    assert "latency" not in told
    assert f"processor batch download {folder}" in told
    assert "pending:" not in told
    lane = json.loads(shell("status", "--json").out)["lanes"]["batch"]
    assert (lane["shards"], lane["batches"], lane["at_provider"]) == (3, 3, 30)
    assert lane["statuses"] == {"in_progress": 3}

    shell.pass_time(A_DAY_S)
    assert shell("batch", "download").code == 0
    lane = shell.figures()["lanes"]["batch"]
    assert (lane["shards"], lane["batches"], lane["at_provider"]) == (3, 3, 0)
    assert "at the provider" not in shell("status").out


def test_every_step_has_a_line_on_the_screen_and_in_the_log(shell: Shell) -> None:
    assert submitted(shell, 10) == 6
    (batch,) = batch_ids(shell)
    shell.pass_time(A_DAY_S)
    told = shell("batch", "download").err
    assert f" {batch}: completed, 10 of 10\n" in told
    assert " shard 1 is settled: 10 of 10 answered\n" in told
    logs = sorted((shell.folder / "logs").glob("batch_conversion_2*.log"))
    events = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    said = {event["event"]: event["message"] for event in events if "message" in event}
    assert said["shard_written"] == "배치 파일 001 생성 완료: 10개 요청"
    assert said["batch_created"] == f"배치 작업 생성 완료: {batch} (배치 파일 001)"
    assert said["batch_status"] == f"배치 작업 {batch} 상태 completed, 진행률 10/10 (100.0%)"
    assert said["shard_settled"] == "배치 파일 001 정산 완료: 응답 10/10"


def test_a_look_changes_nothing_and_sends_nothing(shell: Shell) -> None:
    assert submitted(shell, 5) == 6
    before = shell.stats()["by_route"]
    assert shell("batch", "check", "--json").code == 6
    assert shell("batch", "list").code == 0
    now = shell.stats()["by_route"]
    changed = {name for name in now if now[name] != before.get(name)}
    assert changed == {"GET /v1/batches/{batch}"}


def test_one_list_tells_of_many(shell: Shell) -> None:
    assert submitted(shell, 8, "--shard-size", "2") == 6
    assert shell("batch", "check").code == 6
    routes = shell.stats()["by_route"]
    assert "GET /v1/batches/{batch}" not in routes


def test_what_was_cancelled_is_fetched_and_sent_again_only_by_a_person(shell: Shell) -> None:
    assert submitted(shell, 20, "--shard-size", "10") == 6
    shell.pass_time(1 + HALF_S)
    told = shell("batch", "cancel", "--yes")
    assert told.code == 6
    assert [line.split("  ")[1] for line in told.out.splitlines()[:2]] == ["cancelling"] * 2
    shell.pass_time(A_DAY_S)
    assert shell("batch", "check").code == 0
    told = shell("batch", "download", "--quiet")
    assert told.code == 130
    folder = shell.the_run().relative_to(shell.folder)
    assert f"10 pending, as they were cancelled: processor batch submit {folder}\n" in (told.out)
    paid = shell.stats()["paid"]
    assert shell.figures()["succeeded"] == len(words(shell)) == paid == 10
    assert shell("batch", "download", "--quiet").code == 130
    assert created(shell) == 2

    assert shell("batch", "submit", "--quiet").code == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert shell.figures()["succeeded"] == shell.stats()["paid"] == 20
    assert shell.stats()["items"]["paid_twice"] == 0


def test_what_was_never_sent_is_let_go_by_a_cancellation(shell: Shell) -> None:
    shell.reset(enqueued_tokens=ROOM_TOKENS, enqueued_form="400")
    try:
        assert submitted(shell, 20, "--shard-size", "10", more=LONG) == 6
        assert len(batch_ids(shell)) == 1
        told = shell("batch", "cancel", "--yes")
        assert "10 items had not been sent yet: pending again" in told.out
        shell.pass_time(A_DAY_S)
        before = created(shell)
        assert shell("batch", "download", "--quiet").code == 130
        assert created(shell) == before
        assert shell.figures()["pending"] == 20
    finally:
        shell.reset(enqueued_tokens=None, enqueued_form="failed")
    assert shell("batch", "submit", "--quiet").code == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert shell.figures()["succeeded"] == 20


def test_a_batch_that_nobody_knows_of_is_cancelled_too(shell: Shell) -> None:
    shell.fault("lost_answer:on=create")
    shell.fault("status:on=batches,status=404")
    assert submitted(shell, 5, "--grace", "0", "--give-up", "5") == 3
    shell.reset()
    told = shell("batch", "cancel", "--yes")
    assert told.code == 6
    assert "cancelling" in told.out
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 130
    assert (created(shell), shell.stats()["paid"]) == (0, 0)


def test_one_batch_is_cancelled_and_the_other_is_not(shell: Shell) -> None:
    assert submitted(shell, 20, "--shard-size", "10") == 6
    first, second = batch_ids(shell)
    assert shell("batch", "cancel", "--batch", second, "--yes").code == 6
    shell.pass_time(A_DAY_S)
    shell("batch", "check")
    statuses = {
        batch["id"]: batch["status"]
        for shard in listed(shell)
        for batch in shard["batches"]  # type: ignore[attr-defined]
    }
    assert statuses == {first: "completed", second: "cancelled"}
    again = shell("batch", "cancel", "--batch", second)
    assert (again.code, again.err) == (
        1,
        f"Error: batch {second} has ended; there is nothing to cancel\n",
    )
    assert shell("batch", "cancel", "--batch", "batch_none").code == 1


def test_what_is_settled_is_deleted_at_the_provider_once(shell: Shell) -> None:
    assert submitted(shell, 20, "--shard-size", "10") == 6
    assert shell("batch", "clean").out == "0 files deleted\n"
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    rehearsed = shell("batch", "clean", "--dry-run").out.splitlines()
    assert rehearsed[-1] == "4 files would be deleted"
    assert "DELETE /v1/files/{file}" not in shell.stats()["by_route"]
    done = shell("batch", "clean").out.splitlines()
    assert [line.split("  ")[0] for line in done[:-1]] == [
        line.split("  ")[0] for line in rehearsed[:-1]
    ]
    assert done[-1] == "4 files deleted"
    assert shell("batch", "clean").out == "0 files deleted\n"
    assert shell.stats()["by_route"]["DELETE /v1/files/{file}"] == 4


def test_all_batches_of_the_account_are_listed(shell: Shell) -> None:
    assert submitted(shell, 5, "--description", "news of May", "--out", "runs/one") == 6
    assert submitted(shell, 6, "--out", "runs/two") == 6
    told = shell("batch", "list", "runs/two", "--remote").out.splitlines()
    assert len(told) == 3
    assert "shard 1" in told[0]
    assert "another's" in told[1]
    assert told[1].endswith("news of May")
    batches = json.loads(shell("batch", "list", "runs/one", "--remote", "--json").out)
    assert [batch["shard"] for batch in batches] == [None, 1]


def test_why_a_batch_failed_is_told_and_its_rows_go_again(shell: Shell) -> None:
    shell.fault("batch_fails:code=invalid_json_line,message=This line is not JSON.,line=3")
    assert submitted(shell, 5) == 6
    shell.pass_time(A_DAY_S)
    for step in ("check", "check", "download"):
        told = shell("batch", step)
        assert told.code == 3
        assert "invalid_json_line: This line is not JSON. (line 3)" in told.err
        assert "`processor batch submit` sends its rows again." in told.err
    assert shell("batch", "check").code == 3
    lines = shell("batch", "list").out.splitlines()
    assert lines[0].endswith("invalid_json_line: This line is not JSON. (line 3)")
    assert lines[1].endswith(": 0 of 0 shards settled; 5 items wait to be sent")
    shell._admin("faults", {"clear": True})
    assert shell("batch", "submit", "--quiet").code == 6
    assert shell("batch", "check").code == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert shell("batch", "check").code == 0
    assert shell.stats()["paid"] == 5


def test_a_batch_that_is_lost_is_sent_again_by_a_person(shell: Shell) -> None:
    assert submitted(shell, 20, "--shard-size", "10", "--grace", "0") == 6
    shell.forget()
    told = shell("batch", "check")
    assert told.code == 3
    assert "does not know a batch of this run any more" in told.err
    told = shell("batch", "download", "--quiet")
    assert told.code == 3
    assert "Stopped: batch_lost: " in told.err
    assert "--again SHARD" in told.err
    assert shell("batch", "submit", "--again", "1", "--quiet").code == 6
    told = shell("batch", "submit", "--again", "2", "--quiet")
    assert "10 rows of shard 2 will be sent again" in told.out
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert len(words(shell)) == shell.stats()["paid"] == 20


def test_results_that_are_gone_are_asked_for_again_by_a_person(shell: Shell) -> None:
    shell.fault("file_gone")
    assert submitted(shell, 5, "--grace", "0") == 6
    shell.pass_time(A_DAY_S)
    told = shell("batch", "download", "--quiet")
    assert told.code == 3
    assert "Stopped: results_gone: " in told.err
    shell.reset()
    assert shell("batch", "submit", "--again", "1", "--quiet").code == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert (len(words(shell)), shell.stats()["paid"]) == (5, 5)


def test_a_batch_at_work_is_not_paid_twice(shell: Shell) -> None:
    assert submitted(shell, 5) == 6
    told = shell("batch", "submit", "--again", "1")
    assert told.code == 1
    assert "its rows would be paid twice" in told.err
    shell.pass_time(A_DAY_S)
    told = shell("batch", "submit", "--again", "1")
    assert told.code == 1
    assert "processor batch download fetches them" in told.err
    assert shell("batch", "download", "--quiet").code == 0
    assert "shard 1 is settled" in shell("batch", "submit", "--again", "1").err
    assert "has no shard 9" in shell("batch", "submit", "--again", "9").err
    assert created(shell) == 1


def test_a_batch_in_doubt_is_adopted_by_a_person(shell: Shell) -> None:
    shell.fault("lost_answer:on=create")
    shell.fault("status:on=batches,status=404")
    assert submitted(shell, 5, "--grace", "0", "--give-up", "5") == 3
    shell._admin("faults", {"clear": True})
    (made,) = json.loads(shell("batch", "list", "--remote", "--json").out)
    assert made["shard"] is None
    told = shell("batch", "submit", "--adopt", "batch_none")
    assert (told.code, created(shell)) == (1, 1)
    told = shell("batch", "submit", "--adopt", made["id"], "--quiet")
    assert told.code == 6
    assert f"{made['id']} is the batch of shard 1" in told.out
    assert "is that of shard 1 already" in shell("batch", "submit", "--adopt", made["id"]).err
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert (created(shell), shell.stats()["paid"]) == (1, 5)


def test_another_runs_batch_is_not_adopted(shell: Shell) -> None:
    assert submitted(shell, 5, "--out", "runs/one") == 6
    assert submitted(shell, 6, "--out", "runs/two") == 6
    (theirs,) = [
        batch["id"]
        for shard in json.loads(shell("batch", "list", "runs/one", "--json").out)["shards"]
        for batch in shard["batches"]
    ]
    told = shell("batch", "submit", "runs/two", "--adopt", theirs)
    assert told.code == 1
    assert "holds the requests of no shard of runs/two" in told.err


def test_another_task_is_refused_and_one_that_is_gone_named(shell: Shell) -> None:
    assert submitted(shell, 5) == 6
    task = shell.folder / "say.toml"
    task.write_text(SAY.replace("Say {{ word }}", "Shout {{ word }}"))
    told = shell("batch", "download")
    assert told.code == 1
    assert "prompt changed since this run began" in told.err
    task.unlink()
    told = shell("batch", "download")
    assert told.code == 1
    assert told.err == f"Error: {task}: No such file or directory\n"
    assert shell("batch", "check").code == 6  # which needs no task


def test_settings_of_the_start_hold_and_options_go_before_them(shell: Shell) -> None:
    asked = ("--price", "1,2", "--budget", "5", "--chunk-size", "10", "--min-success", "0.5")
    assert submitted(shell, 20, *asked) == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet", "--budget", "6").code == 0
    figures = shell.figures()
    assert figures["cost_usd"] > 0
    assert (figures["budget_usd"], figures["chunks"]) == (6, 2)


def test_results_go_where_they_went(shell: Shell) -> None:
    assert submitted(shell, 5, "--output", "all.jsonl") == 6
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "--quiet").code == 0
    assert len((shell.folder / "all.jsonl").read_text().splitlines()) == 5
    assert shell("batch", "download", "--quiet", "--output", "others.csv").code == 0
    assert (shell.folder / "others.csv").exists()


def test_a_run_without_batches_has_none_to_fetch(shell: Shell) -> None:
    task, table = shell.write("say.toml", SAY), shell.write("rows.csv", "word\none\ntwo\n")
    assert shell.run("--task", task, "--input", table, "--limit", "1").code == 0
    for step in ("check", "download", "cancel", "list"):
        told = shell("batch", step)
        assert told.code == 1
        assert "has no batches. processor batch submit makes them" in told.err
    assert created(shell) == 0


class Own:
    """A task of a program's own class."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


def test_a_program_goes_on_with_its_own_task(shell: Shell) -> None:
    processor = Processor(base_url=shell.url, route="direct")
    task = Task(name="say", model="gpt-6-luna", prompt="Say {{ word }}.", id="row")
    processor.run_sync(task, [{"word": "one"}], out="runs/own")
    assert shell("batch", "submit", "runs/own").code == 0  # its prompt stands in the ledger
    processor.run_sync(Own(task), [{"word": "one"}], out="runs/other")
    told = shell("batch", "submit", "runs/other")
    assert told.code == 1
    assert "a program made it" in told.err


def test_while_a_run_works_its_ledger_tells(shell: Shell) -> None:
    assert submitted(shell, 5) == 6
    before = shell.stats()["received"]
    with lock.hold(shell.the_run()):
        told = shell("batch", "check")
    assert told.code == 6
    assert "validating" in told.out
    assert shell.stats()["received"] == before


def test_another_machine_downloads_what_was_left(shell: Shell) -> None:
    assert submitted(shell, 5, "--out", "here") == 6
    assert submitted(shell, 5, "--out", "there") == 6
    assert created(shell) == 1
    shell.pass_time(A_DAY_S)
    assert shell("batch", "download", "there", "--quiet").code == 0
    assert (created(shell), shell.stats()["paid"]) == (1, 5)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("submit", "runs/none"), "runs/none holds no run"),
        (("submit", "runs/none", "--task", "say.toml"), "--task is for a run that begins"),
        (("submit", "--again", "1", "--input", "rows.jsonl"), "--input is for a run that begins"),
        (("submit", "runs/none", "--dry-run"), "--dry-run is for a run that begins"),
        (("submit", "--again", "1", "--adopt", "batch_1"), "exclude each other"),
        (("check",), "there is no run in"),
        (("download",), "there is no run in"),
        (("cancel", "runs/none"), "runs/none holds no run"),
        (("clean", "runs/none"), "runs/none holds no run"),
        (("check", "a", "b"), "unexpected extra argument"),
    ],
)
def test_what_cannot_be_meant_is_one_line(shell: Shell, typed: tuple[str, ...], said: str) -> None:
    told = shell("batch", *typed)
    assert told.code == 1
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert shell.stats()["received"] == 0


@pytest.mark.parametrize("step", ["check", "list", "cancel", "clean"])
def test_a_key_that_is_refused_ends_a_step_with_3(shell: Shell, step: str) -> None:
    assert submitted(shell, 5) == 6
    if step == "clean":
        shell.pass_time(A_DAY_S)
        assert shell("batch", "download", "--quiet").code == 0
    shell.fault("bad_key:on=batch")
    shell.fault("bad_key:on=batches")
    shell.fault("bad_key:on=cancel")
    shell.fault("bad_key:on=delete")
    told = shell("batch", step, *(["--remote"] if step == "list" else []))
    assert told.code == 3
    assert told.err.startswith("Error: auth: ")
    assert len(told.err.splitlines()) == 1


def test_the_sandbox_of_a_run_keeps_its_batches(shell: Shell) -> None:
    task, table = shell.write("say.toml", SAY), shell.write("rows.csv", "word\none\ntwo\n")
    asked = ("--task", task, "--input", table, "--sandbox", "--quiet")
    assert shell("run", *asked, "--route", "batch", "--detach").code == 6
    assert shell("run", *asked, "--route", "batch").code == 0
    assert shell.figures()["succeeded"] == 2
    (told,) = json.loads(shell("batch", "list", "--remote", "--json").out)
    assert told["shard"] == 1


def test_a_run_that_is_refused_leaves_no_sandbox_behind(shell: Shell) -> None:
    task, table = shell.write("say.toml", SAY), shell.write("rows.csv", "name\none\n")
    told = shell("run", "--task", task, "--input", table, "--sandbox", "--route", "batch")
    assert told.code == 1
    assert not (shell.folder / "runs").exists() or not list((shell.folder / "runs").iterdir())
