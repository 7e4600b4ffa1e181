"""The users' database job from Python, as they call it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Shell

from postgres.cluster import Database
from processor import BatchMathMLProcessor, ProcessorError

SCRIPTS = Path(__file__).parents[2] / "scripts"
TABLE = """
CREATE TABLE questions (
    question_id text PRIMARY KEY, mathml text, subject text, grade integer)
"""
ROWS = """
INSERT INTO questions
SELECT 'q' || n, '<math><mn>' || n || '</mn></math>', 'algebra', n FROM generate_series(1, 25) n
"""


@pytest.fixture
def questions(database: Database, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Database:
    database.execute(TABLE, ROWS, "INSERT INTO questions VALUES ('q0', NULL, 'none', 1)")
    monkeypatch.setenv("DATABASE_URL", database.uri)
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    return database


@pytest.mark.usefixtures("questions")
def test_it_is_called_as_users_call_it(shell: Shell) -> None:
    processor = BatchMathMLProcessor("sk-of-the-users", batch_size=10)
    processor.wait_time = 0
    loaded = processor.load_data_from_database(limit=15)
    assert [row["question_id"] for row in loaded][:2] == ["q1", "q10"]
    assert len(loaded) == 15
    assert loaded[0] == {
        "question_id": "q1", "mathml": "<math><mn>1</mn></math>", "subject": "algebra", "grade": 1,
    }  # fmt: skip
    assert len(processor.load_data_from_database()) == 25
    report = processor.process(loaded, out="out")
    assert (report.total, report.succeeded) == (15, 15)
    assert {row["question_id"]: row["result"] for row in report.rows()}["q10"] == "10"
    assert (report.folder / "conversion_results_batch_002.json").exists()
    assert list((shell.folder / "logs").glob("batch_conversion_*.log"))


def test_without_items_it_takes_the_table_and_resumes(questions: Database, shell: Shell) -> None:
    processor = BatchMathMLProcessor("sk-of-the-users")
    assert processor.process().total == 25
    questions.execute("INSERT INTO questions VALUES ('q99', '<math><mi>x</mi></math>', 'a', 1)")
    assert processor.process().total == 26
    assert shell.stats()["paid"] == 26


def test_without_a_database_it_says_how_to_name_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    with pytest.raises(ProcessorError, match="DATABASE_URL not found"):
        BatchMathMLProcessor().load_data_from_database()


@pytest.mark.usefixtures("questions")
def test_the_script_converts_from_any_folder(shell: Shell) -> None:
    ended = subprocess.run(
        [sys.executable, str(SCRIPTS / "batch_mathml_processor.py"), "10", "--limit", "12"],
        cwd=shell.folder,
        env={**os.environ, "OPENAI_API_KEY": "sk-of-the-users"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "12 of 12 converted" in ended.stdout
    assert shell.stats()["paid"] == 12
