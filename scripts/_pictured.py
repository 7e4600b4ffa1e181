"""The run that pictures are made of: both lanes, failures, retries, formulas, a budget."""

import csv
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from _bench import Child
from _runs import until

from processor.data.generator import generate
from processor.ledger.database import LEDGER_NAME
from processor.watch import snapshot

__all__ = ["finished", "run_in"]

FOLDER = "runs/mathml-questions"
_ITEMS = 4000
_SUBJECTS = ("방정식과 부등식", "함수", "수열", "미적분", "확률과 통계", "기하")
_SERVER = (
    "--latency-ms 500 --latency-sigma 0.6 --rpm 2400 --stubborn 0.02 --in-progress-s 45 "
    "--fault server_error:rate=0.05 --fault refusal:rate=0.01 --fault rate_limit:after=300,count=6"
)
_RUN = (
    "run --task mathml --input questions.csv --sandbox --route hybrid --direct-first 1500 "
    "--shard-size 1000 --budget 1.00 --quiet"
)


@contextmanager
def run_in(place: Path) -> Iterator[tuple[Child, Path]]:
    """The run at work, and its folder; it is ended with the context.

    Args:
        place: Its working directory.
    """
    _write_questions(place / "questions.csv")
    words = [*shlex.split(_RUN), "--sandbox-args", _SERVER, "--out", FOLDER]
    child = Child(["-m", "processor", *words], cwd=place, output=place / "said.txt")
    try:
        yield child, place / FOLDER
    finally:
        child.kill()


def _write_questions(path: Path) -> None:
    """Made-up questions of Korean schools."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("question_id", "mathml", "subject", "grade"))
        writer.writeheader()
        for row in generate(_ITEMS):
            subject = _SUBJECTS[row.number % len(_SUBJECTS)]
            writer.writerow({**row.fields, "subject": subject})


def finished(child: Child, folder: Path, items: int) -> None:
    """Wait until the run has finished so many items, by whatever lane."""
    ledger = folder / LEDGER_NAME
    until(lambda: ledger.exists() and snapshot.take(folder).finished >= items, child)
