"""The same command over a source that has changed since: what cron calls nightly."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from command_line import Shell

TASK = """\
name = "echo"
model = "gpt-6-luna"
prompt = "Say {{ text }}"
"""
Rows = Mapping[int, tuple[str, str]]
ROWS = {n: (f"text {n}", "monday") for n in range(1, 31)}


def written(shell: Shell, rows: Rows) -> str:
    lines = (
        json.dumps({"id": n, "text": text, "seen": seen}) + "\n" for n, (text, seen) in rows.items()
    )
    return shell.write("rows.jsonl", "".join(lines))


def run(shell: Shell, rows: Rows, *options: str) -> tuple[int, str]:
    """How many requests were sent for these rows, and what was said."""
    before = shell.stats()["paid"]
    shell.write("task.toml", TASK)
    result = shell.run(
        "--task", "task.toml", "--input", written(shell, rows), "--chunk-size", "10", *options
    )
    assert result.code == 0, result.err
    assert shell.figures()["reconciled"] is True
    return shell.stats()["paid"] - before, result.out


def results(folder: Path) -> dict[str, str]:
    text = (folder / "results.csv").read_text("utf-8-sig")
    return {row["id"]: row["result"] for row in csv.DictReader(io.StringIO(text))}


def test_only_what_is_new_is_sent(shell: Shell) -> None:
    assert run(shell, ROWS)[0] == 30
    assert run(shell, ROWS)[0] == 0
    grown = {**ROWS, 31: ("text 31", "tuesday"), 32: ("text 32", "tuesday")}
    sent, said = run(shell, grown)
    assert sent == 2
    assert "changed" not in said


def test_a_limit_counts_what_is_not_done_yet(shell: Shell) -> None:
    assert [run(shell, ROWS, "--limit", "12")[0] for _ in range(4)] == [12, 12, 6, 0]


def test_changed_rows_are_told_and_asked_again_on_request(shell: Shell) -> None:
    run(shell, ROWS)
    before = results(shell.the_run())
    changed = {**ROWS, 7: ("another text", "monday"), 9: ("text 9", "tuesday")}
    sent, said = run(shell, changed)
    assert sent == 0
    assert "1 row (7): kept as answered; --update asks again" in said
    assert results(shell.the_run()) == before
    sent, said = run(shell, changed, "--update")
    assert sent == 1
    assert "1 row (7): asked again" in said
    after = results(shell.the_run())
    assert {key for key in after if after[key] != before[key]} == {"7"}
    assert "another text" in (shell.the_run() / "conversion_results_batch_001.json").read_text()
    assert run(shell, changed, "--update")[0] == 0


def test_rows_that_are_gone_keep_their_results(shell: Shell) -> None:
    run(shell, ROWS)
    left = {n: row for n, row in ROWS.items() if n not in (3, 4)}
    sent, said = run(shell, left)
    assert sent == 0
    assert "2 rows (3, 4) of the source: results stay" in said
    assert len(results(shell.the_run())) == 30


def test_rows_of_another_file_with_ids_that_are_taken_are_told(shell: Shell) -> None:
    """Two months whose files both begin with 1, in one run: the second would be left out."""
    shell.write("task.toml", TASK)
    for name, rows in (
        ("january.jsonl", ROWS),
        ("february.jsonl", {1: ("else", "x"), 2: ("more", "x"), 31: ("new", "x")}),
    ):
        (shell.folder / written(shell, rows)).rename(shell.folder / name)
        said = shell.run("--task", "task.toml", "--input", name, "--out", "out")
        assert said.code == 0
    assert "left out  2 rows (1, 2) with an id that another source's row has" in said.out
    logs = shell.folder.glob("logs/batch_conversion_*.log")
    events = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    assert [event["rows"] for event in events if event["event"] == "ids_taken"] == [2]
    assert len(results(shell.folder / "out")) == 31
