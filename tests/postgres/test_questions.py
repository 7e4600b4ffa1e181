"""The users' database job from Python, as they call it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Shell

from postgres.cluster import Database
from processor import BatchMathMLProcessor, ProcessorError, RunReport

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


def test_what_it_reads_from_the_database_goes_back(questions: Database, shell: Shell) -> None:
    processor = BatchMathMLProcessor("sk-of-the-users", limit=10)
    report = processor.process(out="out")
    (handover,) = report.handovers
    assert handover.name.endswith("table mathml_results")
    assert (handover.delivered.inserted, handover.problem) == (10, None)
    stored = questions.rows("SELECT question_id, result FROM mathml_results")
    assert dict(stored) == {row["question_id"]: row["result"] for row in report.rows()}
    assert processor.process(out="out", write_back=False).handovers == []
    assert questions.rows("SELECT count(*) FROM mathml_results") == [(10,)]
    (caught_up,) = processor.process(out="out").handovers
    assert caught_up.delivered.inserted == 15
    assert shell.stats()["paid"] == 25


def test_what_a_program_holds_goes_where_it_says(questions: Database) -> None:
    questions.execute("ALTER TABLE questions ADD latex text")
    processor = BatchMathMLProcessor("sk-of-the-users")
    report = processor.process(
        processor.load_data_from_database(limit=5),
        outputs=questions.uri,
        output_table="questions",
        write_columns={"result": "latex"},
        write="success",
    )
    (handover,) = report.handovers
    assert handover.delivered.updated == report.succeeded
    told = {row["question_id"]: row["result"] for row in report.rows() if row["result"]}
    stored = questions.rows("SELECT question_id, latex FROM questions WHERE latex IS NOT NULL")
    assert dict(stored) == told


def test_an_output_that_refuses_is_told(questions: Database) -> None:
    questions.execute("ALTER TABLE questions ADD latex text CHECK (latex <> '7')")
    (handover,) = (
        BatchMathMLProcessor("sk-of-the-users", skip_invalid=True)
        .process(table="questions", write_columns={"result": "latex"})
        .handovers
    )
    assert (handover.delivered.updated, handover.delivered.refused_rows) == (24, 1)
    assert "q7" in (handover.problem or "")


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE ON questions FOR EACH ROW WHEN (NEW.question_id > 'q2')
EXECUTE FUNCTION full_disk()
"""


def test_what_an_output_did_not_take_waits_for_the_next_call(questions: Database) -> None:
    questions.execute("ALTER TABLE questions ADD latex text", *FULL.split(";\n"))
    processor = BatchMathMLProcessor("sk-of-the-users", skip_invalid=True, output_patience_s=0)

    def go() -> RunReport:
        into = {"result": "latex"}
        return processor.process(out="out", table="questions", write_columns=into)

    report = go()
    (handover,) = report.handovers
    assert (report.exit_code, report.succeeded) == (5, 25)
    assert handover.delivered.updated + handover.waiting == 25
    assert handover.waiting  # those after q2, and whatever was to be written together with them
    waited = handover.waiting
    with pytest.raises(ProcessorError, match="no space left"):
        report.raise_for_outputs()
    questions.execute("DROP TRIGGER full_disk ON questions")
    (handover,) = go().raise_for_outputs().handovers
    assert (handover.delivered.updated, handover.waiting) == (waited, 0)


@pytest.mark.usefixtures("questions")
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"table": "none"}, "none"),
        ({"table": "questions", "query": "SELECT 1"}, "a query and a table were named"),
        ({"write_columns": {"result": "absent"}, "table": "questions"}, "absent"),
        ({"write_columns": {"result": "x", "check": "x"}, "table": "questions"}, "one column"),
    ],
)
def test_what_the_database_cannot_take_is_refused(
    shell: Shell, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ProcessorError, match=problem):
        BatchMathMLProcessor("sk-of-the-users", skip_invalid=True).process(out="out", **options)
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "out").exists()


def test_without_a_database_it_says_how_to_name_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    with pytest.raises(ProcessorError, match="DATABASE_URL not found"):
        BatchMathMLProcessor().load_data_from_database()


def test_the_script_converts_from_any_folder(questions: Database, shell: Shell) -> None:
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
    assert questions.rows("SELECT count(*) FROM mathml_results") == [(12,)]
    assert shell.stats()["paid"] == 12
