"""FAULTS.md, security: 97, a cell that begins like a formula in a CSV for Excel.

Rows and answers are somebody else's text: opened in a spreadsheet they must stay text, on request.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import python_calamine as calamine
from command_line import Shell

_TASK = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
_WORDS = ("=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "-5", "가")
_SAFE = ("'=HYPERLINK(1)", "'+1+1", "'-2+3", "'@SUM(1)", "'\t=1", "'\r=1", "-5", "가")


def ran(shell: Shell, *options: str) -> None:
    shell.write("say.toml", _TASK)
    rows = [{"id": n, "word": word, "n": -n, "=name": 1} for n, word in enumerate(_WORDS)]
    shell.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert shell.run("--task", "say.toml", "--input", "rows.jsonl", *options).code == 0


def words(path: Path) -> Sequence[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["n"] for row in rows] == [str(-n) for n in range(len(_WORDS))]
    return tuple(row["word"] for row in rows)


@pytest.mark.fault(97)
def test_results_are_made_harmless_on_request(shell: Shell) -> None:
    ran(shell, "--excel")
    results = shell.the_run() / "results.csv"
    assert words(results) == _SAFE
    assert "'=name" in results.read_text("utf-8-sig").splitlines()[0]


@pytest.mark.fault(97)
def test_an_export_is_made_harmless_on_request_and_only_then(shell: Shell) -> None:
    ran(shell)
    assert words(shell.the_run() / "results.csv") == _WORDS
    assert shell("export", "--output", "as-is.csv").code == 0
    assert words(shell.folder / "as-is.csv") == _WORDS
    assert shell("export", "--output", "safe.csv", "--excel").code == 0
    assert words(shell.folder / "safe.csv") == _SAFE


@pytest.mark.fault(97)
def test_a_workbook_never_holds_a_formula(shell: Shell) -> None:
    ran(shell)
    assert shell("export", "--output", "t.xlsx", "--columns", "word").code == 0
    sheet = calamine.CalamineWorkbook.from_path(str(shell.folder / "t.xlsx")).get_sheet_by_index(0)
    assert sheet.to_python() == [["word"], *([word] for word in _WORDS)]


@pytest.mark.fault(97)
def test_it_is_documented(shell: Shell) -> None:
    assert "formula" in shell("run", "--help").out
    assert "apostrophe" in shell("export", "--help").out
