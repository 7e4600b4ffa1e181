"""The persona job's three scenarios, typed as their users type them, with things going wrong.

    python scripts/persona_showcase.py                    a quarter of a minute
    python scripts/persona_showcase.py --latency-ms 3000  answers as slow as their users saw them

One question to 25 personas; all 275 answers directly, of which one in ten is refused and recovered;
all 275 by batch, in jobs of 50 of which one expires half-way while one line in ten fails. A local
server counts what it is asked and what it charges, whatever the client says. Then the table of 25 x
11, and the quality of the answers, both ways beside each other.

The exit code is 1 when a row is lost, doubled or paid twice.
"""

import argparse
import csv
import json
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import Child, Server, machine_line, serving, table

_QUESTION = "어디가 불편해서 방문하게 되었나요?"
_PERSONAS, _QUESTIONS = 25, 11
_ALL = _PERSONAS * _QUESTIONS
_JOB = 50
_ASK = "run --task persona --route direct"
_REFUSED = "server_error:rate=0.1,times=1"
_LINES_FAIL = "server_error:on=line,rate=0.1,times=1"
_EXPIRES = "batch_expires:share=0.5,count=1"
_LIST_PRICE = "0.1,0.01,0.5"  # US dollars per million tokens of gpt-6-luna


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is typed, and what goes wrong.

    Attributes:
        commands: Each with the exit code that it must end with.
        rows: That must have an answer in the end.
        folder: Of the run.
    """

    name: str
    commands: Sequence[tuple[str, int]]
    rows: int
    folder: str
    faults: Sequence[str] = ()


SCENARIOS = (
    Scenario(
        name="one question x 25, directly",
        commands=[(f"{_ASK} --only '질문={_QUESTION}' --out runs/one", 0)],
        rows=_PERSONAS,
        folder="runs/one",
    ),
    Scenario(
        name="all 275 directly, one in ten refused",
        commands=[
            (f"{_ASK} --retries 0 --out runs/direct", 2),
            ("retry runs/direct", 0),
            (f"{_ASK} --out runs/direct", 0),
        ],
        rows=_ALL,
        folder="runs/direct",
        faults=[_REFUSED],
    ),
    Scenario(
        name="all 275 by batch, a job expires, one line in ten fails",
        commands=[
            (f"batch submit --task persona --shard-size {_JOB} --out runs/batch", 6),
            ("batch download runs/batch --wait", 0),
        ],
        rows=_ALL,
        folder="runs/batch",
        faults=[_LINES_FAIL, _EXPIRES],
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A working directory in front of a server."""

    path: Path
    server: Server

    def type(self, command: str, *, quiet: bool = True) -> tuple[int, float, str]:
        """Type a command of `processor`; its exit code, seconds and words."""
        print(f"$ processor {command}", flush=True)
        words = shlex.split(command)
        starts = words[0] == "run" or words[:2] == ["batch", "submit"]
        words += ["--price", _LIST_PRICE] if starts else []
        words += ["--quiet"] if quiet and words[0] != "retry" else []
        said = self.path / "said.txt"
        env = {"OPENAI_BASE_URL": self.server.url, "OPENAI_API_KEY": "sk-of-the-showcase"}
        child = Child(["-m", "processor", *words], cwd=self.path, env=env, output=said)
        spent = child.wait()
        return spent.exit_code, spent.wall_s, child.said()

    def play(self, scenario: Scenario) -> tuple[list[object], bool]:
        """A line of the table of scenarios; and whether everything is as it must be."""
        self.server.reset()
        self.server.set_faults(*scenario.faults)
        seconds, good = 0.0, True
        for command, wanted in scenario.commands:
            code, took_s, said = self.type(command)
            seconds += took_s
            if code != wanted:
                print(f"exit code {code}, not {wanted}\n{said}", file=sys.stderr)
                good = False
        seen = self.server.stats()
        answered = self._answered(scenario.folder)
        good = good and answered == scenario.rows and not seen["items"]["paid_twice"]
        return [
            scenario.name,
            f"{answered} of {scenario.rows}",
            sum(seen["by_route"].values()),
            seen["by_route"].get("POST /v1/batches", 0),
            seen["paid"],
            seen["items"]["paid_twice"],
            f"${self._cost_usd(scenario.folder):.4f}",
            f"{seconds:.1f}",
        ], good

    def _answered(self, folder: str) -> int:
        """Rows with an answer in the table of results; none where one is there twice."""
        results = self.path / folder / "results.csv"
        with results.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if len({row["id"] for row in rows}) < len(rows):
            return 0
        return sum(row["status"] == "success" for row in rows)

    def _cost_usd(self, folder: str) -> float:
        """What the answers of a run would have cost."""
        figures = json.loads((self.path / folder / "conversion_stats.json").read_bytes())
        return float(figures["cost_usd"])

    def pivot(self) -> tuple[int, int]:
        """Personas and questions of the table of answers, whose cells are all filled."""
        self.type("export runs/direct --pivot 페르소나 질문 --output table.csv", quiet=False)
        with (self.path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
            _, *rows = csv.reader(file)
        filled = {len([cell for cell in row[1:] if cell]) for row in rows}
        return len(rows), min(filled, default=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all scenarios, and print what they came to; 1 when anything is not as it must be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency-ms", type=float, default=200.0, help="of an answer, the median")
    given = parser.parse_args(arguments)
    options = ["--latency-ms", str(given.latency_ms)]
    with tempfile.TemporaryDirectory() as folder, serving(*options) as server:
        return _show(Show(path=Path(folder), server=server))


def _show(show: Show) -> int:
    print(f"{machine_line()}\n", flush=True)
    played: list[tuple[list[object], Any]] = [show.play(scenario) for scenario in SCENARIOS]
    show.server.set_faults()
    shape = show.pivot()
    _, _, quality = show.type("quality runs/direct --against runs/batch", quiet=False)
    head = (
        "scenario",
        "answered",
        "HTTP calls",
        "batches",
        "paid",
        "paid twice",
        "list price",
        "seconds",
    )
    print(f"\n{table(head, [line for line, _ in played])}\n")
    print(f"table: {shape[0]} personas x {shape[1]} questions, every cell filled\n\n{quality}")
    is_whole = shape == (_PERSONAS, _QUESTIONS)
    return 0 if is_whole and all(good for _, good in played) else 1


if __name__ == "__main__":
    sys.exit(main())
