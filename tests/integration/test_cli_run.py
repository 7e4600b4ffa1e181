"""Whole runs by the command line: tables in, files out."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from command_line import Shell

TEXTS = ["정부 정책이 성과를 냈다", "문제가 많다는 지적이 나온다"]
NEWS = f"text,title,source\n{TEXTS[0]},제목,신문\n{TEXTS[1]},,\n"
QUESTIONS = "".join(
    json.dumps({"question_id": f"q{n}", "mathml": f"<math><mn>{n}</mn></math>", "grade": n}) + "\n"
    for n in range(1, 26)
)
TEXT_TASK = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Greet {{ who }}."
[output]
kind = "text"
"""


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_mathml_from_jsonl(shell: Shell) -> None:
    result = shell.run("--input", shell.write("q.jsonl", QUESTIONS), "--chunk-size", "10")
    assert result.code == 0
    assert result.err == ""
    figures = shell.figures()
    assert figures["total"] == figures["succeeded"] == figures["requests_sent"] == 25
    assert figures["checks"] == {"verified": 25}
    assert figures["reconciled"] is True
    chunks = sorted(shell.the_run().glob("conversion_results_batch_*.json"))
    assert [len(json.loads(chunk.read_text())["results"]) for chunk in chunks] == [10, 10, 5]
    rows = table(shell.the_run() / "results.csv")
    assert [row["question_id"] for row in rows] == [f"q{n}" for n in range(1, 26)]
    assert [row["result"] for row in rows] == [str(n) for n in range(1, 26)]
    assert shell.stats()["paid"] == 25


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("n.csv", NEWS.encode()),
        ("n.csv", NEWS.encode("utf-8-sig")),
        ("n.csv", NEWS.encode("cp949")),
        ("n.csv.gz", gzip.compress(NEWS.encode())),
        ("n.csv", NEWS.replace("\n", "\r\n").encode()),
    ],
    ids=["utf-8", "bom", "cp949", "gz", "crlf"],
)
def test_news_from_csv_in_any_encoding(shell: Shell, name: str, content: bytes) -> None:
    result = shell.run("--task", "news", "--input", shell.write(name, content))
    assert result.code == 0
    rows = table(shell.the_run() / "results.csv")
    assert [row["text"] for row in rows] == [
        "정부 정책이 성과를 냈다",
        "문제가 많다는 지적이 나온다",
    ]
    assert {row["result"] for row in rows} <= {"0", "1", "2"}
    assert all(row["label_name"] for row in rows)
    assert (shell.the_run() / "results.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_rows_from_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    task = shell.write("greet.toml", TEXT_TASK)
    rows = io.TextIOWrapper(io.BytesIO(b'{"id": 1, "who": "Kim"}\n{"id": 2, "who": "Lee"}\n'))
    monkeypatch.setattr(sys, "stdin", rows)
    assert shell.run("--task", task, "--input", "-", "--no-bom").code == 0
    assert [row["id"] for row in table(shell.the_run() / "results.csv")] == ["1", "2"]
    assert not (shell.the_run() / "results.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_same_command_sends_nothing_twice(shell: Shell) -> None:
    path = shell.write("q.jsonl", QUESTIONS)
    shell.run("--input", path)
    again = shell.run("--input", path)
    assert again.code == 0
    assert shell.stats()["received"] == 25


def test_a_grown_file_sends_what_is_new_into_new_chunks(shell: Shell) -> None:
    path = shell.write("q.jsonl", QUESTIONS)
    shell.run("--input", path)
    before = (shell.the_run() / "conversion_results_batch_001.json").read_bytes()
    shell.write(
        "q.jsonl", '{"question_id": "new", "mathml": "<math><mi>x</mi></math>"}\n' + QUESTIONS
    )
    assert shell.run("--input", path).code == 0
    assert shell.stats()["received"] == 26
    assert (shell.the_run() / "conversion_results_batch_001.json").read_bytes() == before
    second = json.loads((shell.the_run() / "conversion_results_batch_002.json").read_text())
    assert [entry["id"] for entry in second["results"]] == ["new"]


def test_a_limit_moves_on_with_every_run(shell: Shell) -> None:
    path = shell.write("q.jsonl", QUESTIONS)
    done = []
    for _ in range(4):
        assert shell.run("--input", path, "--limit", "10").code == 0
        done.append(shell.figures()["succeeded"])
    assert done == [10, 20, 25, 25]
    assert shell.stats()["received"] == 25


def test_a_row_without_id_keeps_its_answer_when_a_line_is_inserted(shell: Shell) -> None:
    shell.run("--task", "news", "--input", shell.write("n.csv", NEWS))
    before = {row["text"]: row["result"] for row in table(shell.the_run() / "results.csv")}
    header, *lines = NEWS.splitlines(keepends=True)
    shell.write("n.csv", "".join([header, "새 기사,,\n", *lines]))
    assert shell.run("--task", "news", "--input", "n.csv").code == 0
    assert shell.stats()["received"] == 3
    after = {row["text"]: row["result"] for row in table(shell.the_run() / "results.csv")}
    assert before.items() <= after.items()


def test_a_changed_prompt_is_refused_unless_told(shell: Shell) -> None:
    task = shell.write("greet.toml", TEXT_TASK)
    rows = shell.write("rows.jsonl", '{"id": 1, "who": "Kim"}\n')
    shell.run("--task", task, "--input", rows)
    shell.write("greet.toml", TEXT_TASK.replace("Greet", "Praise"))
    refused = shell.run("--task", task, "--input", rows)
    assert refused.code == 1
    assert "prompt" in refused.err
    assert "--new" in refused.err
    assert shell.run("--task", task, "--input", rows, "--accept-change").code == 0
    assert shell.stats()["received"] == 1
    assert shell.run("--task", task, "--input", rows, "--new").code == 0
    assert shell.stats()["received"] == 2
    assert len(list(shell.folder.glob("runs/*"))) == 2


def test_bad_rows_can_be_left_out(shell: Shell) -> None:
    rows = QUESTIONS + "{broken\n" + QUESTIONS.splitlines(keepends=True)[0]
    result = shell.run("--input", shell.write("q.jsonl", rows), "--skip-invalid")
    assert result.code == 0
    assert shell.figures()["total"] == 25
    assert shell.figures()["skipped"] == 2
    left_out = table(shell.the_run() / "skipped.csv")
    assert [row["row"] for row in left_out] == ["26", "27"]
    assert all(row["problem"] and row["source"].endswith("q.jsonl") for row in left_out)
    assert "2 bad rows" in result.out


def test_failed_items_exit_with_2_and_can_be_sent_again(shell: Shell) -> None:
    path = shell.write("q.jsonl", QUESTIONS)
    shell.fault("bad_request:match=<mn>7</mn>")
    failed = shell.run("--input", path)
    assert failed.code == 2
    assert shell.figures()["errors"] == {"bad_request": 1}
    assert [row["question_id"] for row in table(shell.the_run() / "failed.csv")] == ["q7"]
    assert shell.run("--input", path, "--min-success", "0.9").code == 0
    shell.reset()
    assert shell("retry").out.startswith("0 items")
    assert shell("retry", "--code", "bad_request").out.startswith("1 item is")
    figures = shell.figures()
    assert (figures["failed"], figures["pending"], figures["errors"]) == (0, 1, {})
    assert figures == json.loads(shell("status", "--json").out)
    assert shell.run("--input", path).code == 0
    assert shell.stats()["received"] == 1
    assert table(shell.the_run() / "failed.csv") == []
    assert shell.figures()["errors"] == {}


def test_status_tells_the_figures(shell: Shell) -> None:
    shell.run("--input", shell.write("q.jsonl", QUESTIONS))
    told = shell("status")
    assert told.code == 0
    assert "25 of 25 finished" in told.out
    figures = json.loads(shell("status", "--json").out)
    kept = shell.figures()
    assert {**figures, "reconciled": True} == kept


def test_tasks_are_listed_and_can_be_copied(shell: Shell) -> None:
    assert "mathml" in shell("tasks").out
    shell.write("mine.toml", shell("tasks", "mathml").out)
    assert shell.run("--task", "mine.toml", "--input", shell.write("q.jsonl", QUESTIONS)).code == 0


def test_without_input_questions_are_made_up_and_grow_with_the_limit(shell: Shell) -> None:
    assert shell.run("--limit", "10").code == 0
    assert shell.run("--limit", "30").code == 0
    assert shell.figures()["total"] == 30
    assert shell.stats()["received"] == 30


def test_a_dead_key_stops_with_3_and_a_good_one_goes_on(shell: Shell) -> None:
    path = shell.write("q.jsonl", QUESTIONS)
    shell.fault("bad_key")
    stopped = shell.run("--input", path)
    assert stopped.code == 3
    assert "auth" in stopped.err
    assert shell.stats()["received"] <= 2
    assert shell.figures()["pending"] == 25
    shell.reset()
    assert shell.run("--input", path).code == 0
    assert shell.figures()["succeeded"] == 25


@pytest.mark.parametrize("command", [[], ["run"], ["status"], ["retry"], ["tasks"], ["sandbox"]])
def test_every_command_has_help_that_ends_in_examples(shell: Shell, command: list[str]) -> None:
    told = shell(*command, "--help")
    assert told.code == 0
    assert "Examples:" in told.out


def test_a_limit_that_was_interrupted_is_finished_first(shell: Shell) -> None:
    """Over rows that were imported already, too; then the next start moves on."""
    path = shell.write("q.jsonl", QUESTIONS)
    shell.fault("bad_key:after=4")
    assert shell.run("--input", path, "--concurrency", "1").code == 3
    assert shell.figures()["succeeded"] == 4
    shell.reset()
    shell.fault("bad_key:after=6")
    assert shell.run("--input", path, "--concurrency", "1", "--limit", "10").code == 3
    assert shell.figures()["succeeded"] == 10
    shell.reset()
    assert shell.run("--input", path, "--limit", "10").code == 0
    assert shell.figures()["succeeded"] == 14
    assert shell.run("--input", path, "--limit", "10").code == 0
    assert shell.figures()["succeeded"] == 24


def test_a_folder_that_is_no_run_is_not_renamed(shell: Shell) -> None:
    (shell.folder / "mine").mkdir()
    (shell.folder / "mine" / "thesis.txt").write_text("x")
    for name in ("mine", "."):
        result = shell.run("--generate", "2", "--new", "--out", name)
        assert result.code == 1
        assert "is no run" in result.err
    assert (shell.folder / "mine" / "thesis.txt").exists()


def test_a_refused_run_removes_nothing_but_its_own(shell: Shell) -> None:
    (shell.folder / "out").mkdir()
    (shell.folder / "out" / "ledger.sqlite.bak").write_text("kept")
    bad = shell.write("q.jsonl", "{broken\n")
    assert shell.run("--input", bad, "--out", "out").code == 1
    assert [path.name for path in (shell.folder / "out").iterdir()] == ["ledger.sqlite.bak"]


def test_a_database_that_others_use_is_left_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming other rows is enough; without any, its rows are what is meant."""
    monkeypatch.setenv("DATABASE_URL", "postgres://shop:secret@db.invalid/shop")
    assert shell.run("--generate", "2").code == 0
    meant = shell.run()
    assert meant.code == 1
    assert "db.invalid" in meant.err
    assert "secret" not in meant.err


def test_items_that_failed_for_the_job_s_fault_can_be_named(shell: Shell) -> None:
    """Twenty equal complaints stop a run; the items were not at fault."""
    path = shell.write("q.jsonl", QUESTIONS)
    shell.fault("bad_request:code=strange_rule")
    stopped = shell.run("--input", path)
    assert stopped.code == 3
    assert "--code bad_request" in stopped.out
    shell.reset()
    assert shell("retry", "--code", "bad_request").code == 0
    assert shell.run("--input", path).code == 0
    assert shell.figures()["succeeded"] == 25
