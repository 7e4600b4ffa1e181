"""A batch by its id, as a program asks for it: batches of runs, and of nobody here."""

import asyncio
import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import openai
import pytest
from batch_api import CHAT, chat_line, chat_lines, jsonl
from command_line import SAY, Shell
from python_calamine import CalamineWorkbook

from processor import (
    BatchStatus,
    NotDoneError,
    Processor,
    StoppedError,
    Task,
    check_batch_status,
    download_batch_results,
)
from processor.api.knobs import Contact
from processor.errors import RunLockedError, UsageError
from processor.ledger import lock
from processor.sandbox_process import sandbox

A_DAY_S = 86_400.0
HALF_S = 30.0  # of the lines of a batch
FOUR = [*chat_lines(2), chat_line("c2", temperature=9), chat_line("c3", "question 3")]
GREET = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    options = ["--validating-s", "1", "--in-progress-s", f"{2 * HALF_S}", "--finalizing-s", "1"]
    with sandbox(["--latency-ms", "0", "--manual-clock", *options]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


@pytest.fixture
def at(shell: Shell) -> Contact:
    """Who is asked where no run tells it."""
    return Contact(base_url=shell.url, api_key="sk-test-key")


def guests(shell: Shell, count: int) -> list[dict[str, Any]]:
    return [{"id": n, "who": f"{shell.folder.name} {n}"} for n in range(count)]


def submitted(shell: Shell, count: int, shard_size: int = 10) -> list[str]:
    """The batches of a run of a task that a program made, which has left."""
    engine = Processor(base_url=shell.url, route="batch", shard_size=shard_size)
    report = engine.run_sync(GREET, guests(shell, count), out="runs/greet", detach=True)
    assert (report.exit_code, report.pending) == (6, count)
    return report.batches


def foreign(shell: Shell, lines: list[dict[str, Any]]) -> str:
    """A batch that somebody made with the provider's own client."""
    with openai.OpenAI(base_url=shell.url, api_key="sk-test-key", max_retries=0) as client:
        file = client.files.create(file=("in.jsonl", jsonl(lines)), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    return batch.id


def table(name: str) -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def raw(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_bytes().split(b"\n") if line]


def posts(shell: Shell) -> int:
    return sum(n for route, n in shell.stats()["by_route"].items() if route.startswith("POST"))


def test_from_the_submission_to_the_table(shell: Shell) -> None:
    first, second = submitted(shell, 20)
    shell.pass_time(1 + HALF_S)
    status = check_batch_status(first)
    assert (status.id, status.status, status.ended) == (first, "in_progress", False)
    assert (status.completed, status.failed, status.total, status.share) == (5, 0, 10, 0.5)
    assert (str(status.run), status.run_total, status.run_finished) == ("runs/greet", 20, 0)
    assert status.created_at is not None
    assert str(status).startswith(f"{first}: in_progress, 5 of 10 requests (50.0%), made 20")
    assert str(status).endswith("; 0 of 20 rows of runs/greet are here")

    with pytest.raises(NotDoneError, match=r"in_progress: 0 of 20 rows .* 20 are at the") as raised:
        download_batch_results(first, "answers.csv")
    assert (raised.value.pending, raised.value.exit_code) == (20, 6)
    assert not Path("answers.csv").exists()

    shell.pass_time(A_DAY_S)
    assert check_batch_status(f" {second}\n").share == 1.0  # as it is copied
    results = download_batch_results(second, "answers.csv")
    assert (results.rows, results.succeeded, results.failed, results.unanswered) == (20, 20, 0, 0)
    assert results.status.run_finished == 20
    assert str(results) == "answers.csv: 20 rows (20 succeeded, 0 failed)"
    rows = table("answers.csv")
    assert [row["who"] for row in rows] == [row["who"] for row in guests(shell, 20)]
    assert {row["status"] for row in rows} == {"success"}
    assert shell.stats()["paid"] == 20
    assert shell.stats()["items"]["paid_twice"] == 0


def test_the_ending_names_the_form_and_what_is_settled_needs_nobody(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch,) = submitted(shell, 3)
    shell.pass_time(A_DAY_S)
    download_batch_results(batch, Path("answers.jsonl"))
    monkeypatch.delenv("OPENAI_API_KEY")
    before = shell.stats()["by_route"]
    download_batch_results(batch, "answers.xlsx")
    assert check_batch_status(batch).status == "completed"
    assert shell.stats()["by_route"] == before
    assert [row["id"] for row in raw("answers.jsonl")] == [0, 1, 2]
    sheet = CalamineWorkbook.from_path("answers.xlsx").get_sheet_by_index(0).to_python()
    assert [row[0] for row in sheet] == ["id", 0, 1, 2]


def test_the_same_call_goes_on_without_detach(shell: Shell) -> None:
    submitted(shell, 4)
    shell.pass_time(A_DAY_S)
    engine = Processor(base_url=shell.url, route="batch")
    report = engine.run_sync(GREET, guests(shell, 4), out="runs/greet")
    assert (report.exit_code, report.succeeded, shell.stats()["paid"]) == (0, 4, 4)
    with pytest.raises(UsageError, match="detach is for what goes by batch"):
        Processor(base_url=shell.url, route="direct").run_sync(GREET, guests(shell, 1), detach=True)


def test_in_a_loop_that_is_busy(shell: Shell) -> None:
    (batch,) = submitted(shell, 3)
    shell.pass_time(A_DAY_S)

    async def cell() -> None:
        assert check_batch_status(batch).ended
        assert download_batch_results(batch, "answers.csv").succeeded == 3

    asyncio.run(cell())


def test_what_the_command_line_has_submitted(shell: Shell) -> None:
    table_name = shell.write("rows.jsonl", b"\n".join(b'{"word": "%d"}' % n for n in range(4)))
    asked = ("--task", shell.write("say.toml", SAY), "--input", table_name)
    sent = shell("batch", "submit", *asked, "--base-url", shell.url, "--quiet", "--no-bom")
    assert sent.code == 6
    (shard,) = json.loads(shell("batch", "list", "--json").out)["shards"]
    shell.pass_time(A_DAY_S)
    download_batch_results(shard["batches"][0]["id"], "out.tsv")
    assert Path("out.tsv").read_bytes().startswith(b"word\tid\tstatus\t")  # as it was begun


def test_what_there_is_so_far(shell: Shell) -> None:
    shell.fault("batch_stuck:status=in_progress,count=1")
    stuck, ended = submitted(shell, 20)
    shell.pass_time(A_DAY_S / 2)
    if check_batch_status(stuck).ended:  # which of the two it is depends on who came first
        stuck, ended = ended, stuck
    with pytest.raises(NotDoneError, match=f"{ended} is completed: 10 of 20 rows"):
        download_batch_results(ended, "part.csv")
    results = download_batch_results(ended, "part.csv", partial=True)
    assert (results.rows, results.succeeded, results.unanswered) == (20, 10, 10)
    assert str(results) == "part.csv: 20 rows (10 succeeded, 0 failed, 10 without an answer)"
    assert shell.stats()["by_route"]["POST /v1/batches"] == 2


def test_beside_a_process_that_works_on_the_run(shell: Shell) -> None:
    (batch,) = submitted(shell, 3)
    shell.pass_time(A_DAY_S)
    before = shell.stats()["by_route"]
    with lock.hold(Path("runs/greet")):
        assert not check_batch_status(batch).ended  # as its ledger knows it
        with pytest.raises(RunLockedError):
            download_batch_results(batch, "answers.csv")
        assert download_batch_results(batch, "answers.csv", partial=True).unanswered == 3
    assert shell.stats()["by_route"] == before


def test_why_a_batch_of_ours_failed(shell: Shell) -> None:
    shell.fault("batch_fails:code=invalid_json_line,message=This line is not JSON.,line=3")
    (batch,) = submitted(shell, 5)
    shell.pass_time(A_DAY_S)
    status = check_batch_status(batch)
    assert status.status == "failed"
    assert status.problem == "invalid_json_line: This line is not JSON. (line 3)"
    assert str(status).endswith(f". {status.problem}")
    with pytest.raises(StoppedError, match=r"\(line 3\).* `processor batch submit` sends") as told:
        download_batch_results(batch, "answers.csv")
    assert (told.value.code, told.value.exit_code) == ("batch_failed", 3)
    assert not Path("answers.csv").exists()


def test_what_was_cancelled_is_not_paid_for_again(shell: Shell) -> None:
    (batch,) = submitted(shell, 10)
    shell.pass_time(1 + HALF_S)
    assert shell("batch", "cancel", "--yes").code == 6
    shell.pass_time(A_DAY_S)
    with pytest.raises(NotDoneError, match=r"cancelled: 5 of 10 rows .* processor batch submit"):
        download_batch_results(batch, "answers.csv")
    assert download_batch_results(batch, "answers.csv", partial=True).succeeded == 5
    assert (shell.stats()["paid"], len(table("answers.csv"))) == (5, 10)


def test_what_expired_is_sent_again(shell: Shell) -> None:
    shell.fault("batch_expires:share=0.5,count=1")
    (batch,) = submitted(shell, 10)
    shell.pass_time(2 * A_DAY_S)
    with pytest.raises(NotDoneError, match=f"{batch} is expired: 5 of 10 rows .*, 5 are at the"):
        download_batch_results(batch, "answers.csv")
    shell.pass_time(A_DAY_S)
    assert download_batch_results(batch, "answers.csv").succeeded == 10
    assert shell.stats()["paid"] == 10


def test_a_batch_that_the_provider_has_forgotten(shell: Shell) -> None:
    (batch,) = submitted(shell, 3)
    shell.forget()
    (found,) = (Path("runs/greet"),)
    assert check_batch_status(batch, run=found).problem is None  # it may be too fresh to be shown
    engine = Processor(base_url=shell.url, route="batch", grace_s=0)
    report = engine.run_sync(GREET, guests(shell, 3), out="runs/old", detach=True)
    shell.forget()
    status = check_batch_status(report.batches[-1])
    assert "does not know a batch of this run any more" in str(status)


@pytest.mark.parametrize("name", ["lines.jsonl", "lines.ndjson.gz"])
def test_the_lines_of_a_batch_that_nobody_here_made(shell: Shell, at: Contact, name: str) -> None:
    batch = foreign(shell, FOUR)
    status = check_batch_status(batch, **at)
    assert (status.status, status.run) == ("validating", None)
    with pytest.raises(NotDoneError, match=r"is validating.*nothing was written"):
        download_batch_results(batch, name, **at)
    shell.pass_time(A_DAY_S / 2)
    results = download_batch_results(batch, name, **at)
    assert (results.rows, results.succeeded, results.failed, results.unanswered) == (4, 3, 1, 0)
    content = Path(name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith("gz") else content).splitlines()
    told = {line["custom_id"]: line for line in map(json.loads, lines)}
    assert sorted(told) == ["c0", "c1", "c2", "c3"]
    assert all({"id", "custom_id", "response", "error"} == line.keys() for line in told.values())
    assert [path.name for path in shell.folder.iterdir() if "batch" in path.name] == []


def test_a_link_stays_one(shell: Shell, at: Contact) -> None:
    batch = foreign(shell, chat_lines(1))
    shell.pass_time(A_DAY_S / 2)
    link, real = Path("link.jsonl"), Path("real.jsonl")
    link.symlink_to(real)
    download_batch_results(batch, link, **at)
    assert link.is_symlink()
    assert len(raw("real.jsonl")) == 1


def test_the_same_as_a_table(shell: Shell, at: Contact) -> None:
    batch = foreign(shell, FOUR)
    shell.pass_time(A_DAY_S / 2)
    results = download_batch_results(batch, "lines.csv", **at)
    assert (results.rows, results.succeeded, results.failed) == (4, 3, 1)
    rows = {row["custom_id"]: row for row in table("lines.csv")}
    good = [row for row in rows.values() if row["status"] == "success"]
    (bad,) = (row for row in rows.values() if row["status"] == "failed")
    assert all("question" in row["result"] and row["prompt_tokens"] for row in good)
    assert (bad["http_status"], bad["result"]) == ("400", "")
    assert bad["error_code"]
    assert bad["error_message"]


def test_both_files_of_one_that_expired(shell: Shell, at: Contact) -> None:
    shell.fault("batch_expires:share=0.5")
    batch = foreign(shell, chat_lines(10))
    shell.pass_time(2 * A_DAY_S)
    results = download_batch_results(batch, "lines.jsonl", **at)
    assert results.status.status == "expired"
    assert (results.rows, results.succeeded, results.failed) == (10, 5, 5)
    assert sorted(line["custom_id"] for line in raw("lines.jsonl")) == [f"c{n}" for n in range(10)]
    codes = {row["error"]["code"] for row in raw("lines.jsonl") if row["error"]}
    assert codes == {"batch_expired"}


def test_why_a_batch_of_others_failed(shell: Shell, at: Contact) -> None:
    batch = foreign(shell, [chat_line("same"), chat_line("same")])
    shell.pass_time(A_DAY_S / 2)
    with pytest.raises(StoppedError, match=r"duplicate_custom_id: .*\(line 2\).* submit its file"):
        download_batch_results(batch, "lines.csv", **at)
    assert not Path("lines.csv").exists()


def test_an_id_that_nobody_knows(
    shell: Shell, at: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(shell, 1)
    for ask in (check_batch_status, lambda id_, **how: download_batch_results(id_, "x.csv", **how)):
        with pytest.raises(UsageError, match="no run here made the batch batch_none, and the prov"):
            ask("batch_none", **at)
        for none in ("", " ", None, 7):
            with pytest.raises(UsageError, match="is no id of a batch"):
                ask(none, **at)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"runs/greet has no batch batch_none"):
            ask("batch_none", run="runs/greet")
        with pytest.raises(UsageError, match=r"apikey: there is no such .*mean api_key"):
            ask("batch_none", apikey="sk-x")  # type: ignore[call-arg]
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match=r"made the batch batch_none.*OPENAI_API_KEY not found"):
        check_batch_status("batch_none")


@pytest.mark.parametrize("path", ["", "answers.doc", "no/such/folder.csv", "."])
def test_a_place_that_cannot_be_is_refused_before_anybody_is_asked(
    shell: Shell, at: Contact, path: str
) -> None:
    (batch,) = submitted(shell, 1)
    other = foreign(shell, chat_lines(1))
    shell.pass_time(A_DAY_S)
    before = posts(shell), shell.stats()["by_route"]
    for each, how in ((batch, Contact()), (other, at)):
        with pytest.raises(UsageError):
            download_batch_results(each, path, **how)
    assert (posts(shell), shell.stats()["by_route"]) == before


def test_a_damaged_ledger_of_another_run_is_no_obstacle(shell: Shell) -> None:
    (batch,) = submitted(shell, 1)
    broken = shell.folder / "runs" / "broken"
    broken.mkdir()
    (broken / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    assert check_batch_status(batch).total in {None, 0, 1}


def test_a_status_is_a_value(shell: Shell) -> None:
    (batch,) = submitted(shell, 1)
    status = check_batch_status(batch)
    assert isinstance(status, BatchStatus)
    with pytest.raises(FrozenInstanceError):
        status.status = "completed"  # type: ignore[misc]
