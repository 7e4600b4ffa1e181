"""The users' notebook, run from its first cell to its last in a real kernel."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from python_calamine import CalamineWorkbook

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
NOTEBOOK = SCRIPTS / "create_patients_answer.ipynb"


def texts(cell: Any) -> str:
    """What is below a cell, as text."""
    found = []
    for output in cell.outputs:
        assert output.output_type != "error", output
        found.append(output.get("text") or output["data"]["text/plain"])
    return "".join(found)


def executed(folder: Path) -> dict[str, str]:
    """What the notebook shows, by the beginning of each cell of code."""
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=90, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.source: texts(cell) for cell in code}


def test_it_runs_to_its_end_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    shown = executed(tmp_path)

    def below(words: str) -> str:
        (text,) = (text for source, text in shown.items() if words in source)
        return text

    assert "샌드박스(무료)" in below("from processor import")
    assert "succeeded=25, failed=0, pending=0" in below("QUESTION")
    assert "succeeded=275, failed=0, pending=0" in below('-all")')
    assert "(25, 11)" in below("pivot_table")
    assert "25 rows written" in below("--pivot")
    before, after = below("--retries 0"), below("processor retry")
    assert "275 of 275 finished" in before
    assert " 0 failed" not in before
    assert "275 succeeded, 0 failed" in after
    assert below("detach=True").count("'batch_") == 3
    assert below("check_batch_status(batch_id)").count(": completed, ") == 3
    assert "sandbox-persona-batch.xlsx: 275 rows (275 succeeded, 0 failed)" in below(
        "print(download_"
    )
    assert "275 answers of 25 페르소나 to 11 questions" in below("processor quality")
    sheet = CalamineWorkbook.from_path(
        tmp_path / "runs" / "sandbox-persona.xlsx"
    ).get_sheet_by_index(0)
    assert (sheet.height, sheet.width) == (26, 12)
    stats = [
        json.loads((tmp_path / "runs" / f"sandbox-{name}" / "conversion_stats.json").read_text())
        for name in ("persona-one", "persona-all", "recovery", "persona-batch")
    ]
    assert [each["reconciled"] for each in stats] == [True] * 4


def test_git_holds_no_outputs() -> None:
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_a_script_uses_the_conda_environment_that_is_active(tmp_path: Path) -> None:
    conda = tmp_path / "conda" / "bin"
    conda.mkdir(parents=True)
    python = conda / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    find = f'source "{SCRIPTS}/_env.sh" && ensure_env sandbox && printf %s "$PYTHON"'
    found = subprocess.run(
        ["bash", "-c", find],
        env={"PATH": "/usr/bin:/bin", "CONDA_PREFIX": str(conda.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == str(python)


def test_the_conda_environment_asks_for_extras_that_there_are() -> None:
    (line,) = (
        line.strip()
        for line in (SCRIPTS / "environment.yml").read_text().splitlines()
        if "--editable" in line
    )
    extras = line.partition("[")[2].rstrip("]").split(",")
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert line.startswith("- --editable ..[")
    assert set(extras) <= set(known)
