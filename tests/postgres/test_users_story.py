"""The users' database story from its first command to a server that is killed, as they type it."""

import csv
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_bench import wait_for

from postgres.cluster import Cluster, Database

SCRIPT = Path(__file__).parents[2] / "scripts" / "run_batch_conversion.sh"
MAKE = """
CREATE TABLE questions (
    question_id text PRIMARY KEY, mathml text NOT NULL, subject text, grade integer)
"""
ADD = """
INSERT INTO questions
SELECT 'q' || n, '<math><mn>' || n || '</mn><mo>+</mo><mi>x</mi></math>', 'algebra', n % 12
FROM generate_series({}, {}) AS n
"""
UNLIKE = """
SELECT COUNT(*) FROM questions AS q FULL JOIN mathml_results AS r USING (question_id)
WHERE ROW(q.mathml, q.subject, q.grade) IS DISTINCT FROM ROW(r.mathml, r.subject, r.grade)
    OR r.status IS DISTINCT FROM 'success' OR r.result IS NULL
"""


class Story:
    """A folder in which the same command is typed again and again."""

    def __init__(self, folder: Path, database: Database, *, size: int, total: int) -> None:
        self.folder = folder
        self.database = database
        self.calls = folder / "calls.log"
        self._command = [str(SCRIPT), str(size), str(total), "--sandbox"]
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *, latency_ms: int = 50) -> "subprocess.Popen[str]":
        foreign = ("OPENAI_", "AZURE_OPENAI_", "PROCESSOR_")
        known = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        sandbox = f"--latency-ms {latency_ms} --access-log {self.calls.name}"
        process = subprocess.Popen(
            [*self._command, "--sandbox-args", sandbox],
            cwd=self.folder,
            env={**known, "DATABASE_URL": self.database.uri},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def run(self) -> None:
        process = self.start()
        _, told = process.communicate()
        assert process.returncode == 0, told

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def sent(self) -> int:
        """Calls that the sandboxes of all runs have answered."""
        if not self.calls.exists():
            return 0
        return self.calls.read_text().count("POST /v1/chat/completions")

    def written(self) -> int:
        (count,) = self.database.rows("SELECT COUNT(*) FROM mathml_results")[0]
        return int(count)

    def assert_whole(self, count: int) -> None:
        """Every row is there once, as it was read and as the run folder has it."""
        assert self.database.rows(UNLIKE) == [(0,)]
        stored = dict(self.database.rows("SELECT question_id, result FROM mathml_results"))
        (out,) = (self.folder / "runs").iterdir()
        with (out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = [(row["question_id"], row["result"]) for row in csv.DictReader(file)]
        assert len(rows) == len(stored) == count
        assert dict(rows) == stored


@pytest.fixture(
    params=[
        (10, 60),
        pytest.param((100, 10_000), marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
    ids=lambda sizes: "{} at a time, {} in all".format(*sizes),
)
def story(
    request: pytest.FixtureRequest, tmp_path: Path, database: Database
) -> Iterator[tuple[Story, int]]:
    size, total = request.param
    made = Story(tmp_path, database, size=size, total=total)
    yield made, total
    made.end()


def test_the_nightly_job_and_a_server_that_is_killed_in_the_middle(
    story: tuple[Story, int], cluster: Cluster, database: Database
) -> None:
    it, total = story
    database.execute(MAKE, ADD.format(1, total))
    it.run()
    it.assert_whole(total)
    assert it.sent() == total

    database.execute(ADD.format(total + 1, total + 10))
    it.run()
    it.assert_whole(total + 10)
    assert it.sent() == total + 10

    database.execute(ADD.format(total + 11, 2 * total + 10))
    process = it.start(latency_ms=800)  # so that there is a middle
    wait_for(lambda: it.written() > total + 10)
    cluster.kill()
    answered = it.sent()
    assert answered < 2 * total + 10, "it was killed at the end, not in the middle"
    wait_for(lambda: it.sent() > answered)
    cluster.start()
    _, told = process.communicate()
    assert process.returncode == 0, told
    it.assert_whole(2 * total + 10)
    assert it.sent() == 2 * total + 10
    log = max(it.folder.glob("logs/batch_conversion_*.log")).read_text()
    assert "output_away" in log
    assert "output_back" in log
