"""A run that is killed again and again, and what must hold after every kill.

Items are numbered from 1 and named by their number, so that ledger, logs, files and sandbox can be
compared.
"""

import csv
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _bench import Server

from processor.ledger.calls import CALLS_NAME
from processor.ledger.database import LEDGER_NAME

_TASK = """\
name = "choose"
model = "gpt-6-luna"
prompt = "Label this text 0, 1 or 2: {{ word }}"
[output]
kind = "label"
labels = { "0" = "against", "1" = "neutral", "2" = "for" }
reask = 2
"""
_STATISTICS = "conversion_stats.json"
_CALL = "POST /v1/chat/completions"
_TICK_S = 0.002
_PATIENCE_S = 120.0
_KILLED = -9


@dataclass(slots=True)
class Victim:
    """One run folder in a working directory of its own, in front of a sandbox that forgot all.

    Attributes:
        items: How many rows there are.
        route: Options that say which lane they take.
        deadlines: That the starts are given in turn; none without any.
        unsent: Calls that were begun and never reached the sandbox, one figure a kill.
        lost: Calls that were begun and are sent again, because nothing of them was durable.
    """

    path: Path
    server: Server
    items: int
    concurrency: int
    row_bytes: int = 0
    route: Sequence[str] = ("--route", "direct")
    deadlines: Sequence[str] = ()
    starts: int = 0
    unsent: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True)
        (self.path / "choose.toml").write_text(_TASK)
        filling = "x" * self.row_bytes
        with (self.path / "rows.jsonl").open("w") as file:
            for n in range(1, self.items + 1):
                file.write(json.dumps({"id": n, "word": f"word{n}.", "filling": filling}) + "\n")
        self.server.reset()

    @property
    def out(self) -> Path:
        """The run folder."""
        return self.path / "out"

    def start(self) -> "subprocess.Popen[str]":
        """The same command, once more; but for its deadline."""
        command = [*(sys.executable, "-m", "processor", "run", "--task", "choose.toml", "--quiet")]
        command += ["--input", "rows.jsonl", "--base-url", self.server.url, "--out", "out"]
        command += self.route
        if self.deadlines:
            command += ["--deadline", self.deadlines[self.starts % len(self.deadlines)]]
        self.starts += 1
        command += ["--concurrency", str(self.concurrency), "--chunk-size", "25"]
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=self.path,
            env={**os.environ, "OPENAI_API_KEY": "sk-none"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def strike(self, moment: "Moment", rng: random.Random) -> bool:
        """Start the run, kill it at a moment; whether it was still alive then."""
        process = self.start()
        moment(self, process, rng)
        process.kill()
        _, told = process.communicate()
        if process.returncode not in (_KILLED, 0):
            raise RuntimeError(f"exit code {process.returncode}: {told}")
        return process.returncode == _KILLED

    def finish(self) -> str:
        """Let the run come to its end; what it said if that was no success."""
        process = self.start()
        _, told = process.communicate()
        return f"exit code {process.returncode}: {told}" if process.returncode else ""

    def logged(self) -> list[dict[str, Any]]:
        """Every whole line of the detailed log."""
        path = self.path / "logs" / "batch_conversion.log"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def has_logged(self, event: str) -> bool:
        """Whether the latest start has told of an event."""
        logs = sorted(self.path.glob("logs/batch_conversion_*.log"), key=_written)
        return bool(logs) and f'"event":"{event}"' in logs[-1].read_text()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ledger, without changing its files; nothing when there is none yet."""
        path = self.out / LEDGER_NAME
        if not path.exists():
            return []
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def received(self) -> int:
        """Calls of the direct lane that the sandbox has seen so far."""
        return int(self.server.stats()["by_route"].get(_CALL, 0))

    def asked(self) -> int:
        """All requests that it has seen, those about files and batches too."""
        return int(self.server.stats()["received"])

    def results(self) -> Iterator[Mapping[str, Any]]:
        """Every entry of every chunk file, in the order of the files."""
        for path in sorted(self.out.glob("conversion_results_batch_*.json")):
            yield from json.loads(path.read_text())["results"]


Moment = Callable[[Victim, "subprocess.Popen[str]", random.Random], None]
"""Returns when the process shall be killed; or has ended by itself."""


def until(process: "subprocess.Popen[str]", holds: Callable[[], bool]) -> None:
    """Until it holds, or the process has ended."""
    patience_s = time.monotonic() + _PATIENCE_S
    while process.poll() is None and not holds():
        if time.monotonic() > patience_s:
            raise TimeoutError
        time.sleep(_TICK_S)


def after(process: "subprocess.Popen[str]", seconds: float) -> None:
    """So many seconds later, or when the process has ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def harm(victim: Victim) -> Iterator[str]:
    """What must not be after a kill, a line each; counts the calls that were cut off."""
    held = {seq for (seq,) in victim.query("SELECT seq FROM outcomes")}
    yield from _ledger_harm(victim)
    yield from _log_harm(victim, held)
    yield from _file_harm(victim, held)
    begun = _begun(victim)
    unsent = begun - _received(victim) - sum(victim.unsent)
    victim.unsent.append(unsent)
    victim.lost.append(begun - _known(victim))
    if not 0 <= unsent <= victim.concurrency:
        yield f"ledger and sandbox are {unsent} calls apart, {victim.concurrency} were in flight"


def remains(victim: Victim) -> Iterator[str]:
    """What must not be when the run has ended by itself, a line each."""
    yield from _ledger_harm(victim)
    figures = json.loads((victim.out / _STATISTICS).read_text())
    if figures["reconciled"] is not True or figures["succeeded"] != victim.items:
        yield f"the statistics are {figures}"
    everything = [str(n) for n in range(1, victim.items + 1)]
    if [str(entry["id"]) for entry in victim.results()] != everything:
        yield "the chunk files do not hold every item once, in order"
    with (victim.out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        if [row["id"] for row in csv.DictReader(file)] != everything:
            yield "results.csv does not hold every item once, in order"
    received, known = _received(victim), _known(victim)
    if known - received != sum(victim.unsent):
        yield f"the ledger counts {known} calls, {sum(victim.unsent)} unsent, sandbox {received}"
    stats = victim.server.stats()
    seen = stats["items"]
    if not seen["seen"] == seen["answered"] == victim.items:
        yield f"the sandbox has answered {seen}"
    ((asked_again,),) = victim.query("SELECT COUNT(*) FROM attempts WHERE reask")
    extra = stats["paid"] - victim.items - asked_again
    if extra > sum(victim.lost):
        yield f"{extra} answers were paid for nothing, {sum(victim.lost)} calls were lost"


def _ledger_harm(victim: Victim) -> Iterator[str]:
    for (found,) in victim.query("PRAGMA integrity_check"):
        if found != "ok":
            yield found
    counts = dict(victim.query("SELECT 'items', COUNT(*) FROM items"))
    if counts.get("items", 0) not in (0, victim.items):
        yield f"{counts['items']} of {victim.items} items were imported"
    outcomes = victim.query("SELECT COUNT(*) FROM outcomes")
    counted = victim.query(
        "SELECT IFNULL(SUM(value), 0) FROM counters WHERE name IN ('succeeded', 'failed')"
    )
    if outcomes != counted:
        yield f"there are {outcomes} outcomes, {counted} were counted"


def _log_harm(victim: Victim, held: set[int]) -> Iterator[str]:
    """What was logged is in the ledger: outcomes, and calls that were not the last."""
    lines = victim.logged()
    told = {line["id"] for line in lines if line["event"] == "item"}
    if told - held:
        yield f"logged, but not in the ledger: {sorted(told - held)}"
    calls = {(line["id"], line["attempt"]) for line in lines if line["event"] in ("retry", "reask")}
    kept = set(victim.query("SELECT seq, number FROM attempts"))
    if calls - kept:
        yield f"logged calls that are not in the ledger: {sorted(calls - kept)}"


def _file_harm(victim: Victim, held: set[int]) -> Iterator[str]:
    """Files are whole, hold no item twice, and none that the ledger does not know."""
    try:
        ids = [entry["id"] for entry in victim.results()]
        if (victim.out / _STATISTICS).exists():
            json.loads((victim.out / _STATISTICS).read_text())
    except ValueError as error:
        yield f"a file is torn: {error}"
        return
    if len(ids) != len(set(ids)):
        yield "an item stands in the chunk files twice"
    if set(ids) - held:
        yield f"in a chunk file, but not in the ledger: {sorted(set(ids) - held)}"
    table = victim.out / "results.csv"
    if table.exists():
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = sum(1 for _ in csv.DictReader(file))
        if rows != victim.items:
            yield f"results.csv is torn: {rows} rows"


def _received(victim: Victim) -> int:
    """Calls that the sandbox has seen, once none is in its hands any more."""
    while victim.server.stats()["in_hand"]:
        time.sleep(_TICK_S)
    return victim.received()


def _begun(victim: Victim) -> int:
    """Calls begun so far, by the run's own account that outlives a kill."""
    page = victim.out / CALLS_NAME
    count = int.from_bytes(page.read_bytes(), "little") if page.exists() else 0
    return max(count, _known(victim))


def _known(victim: Victim) -> int:
    """Calls that the ledger knows of; those lost by earlier kills are among them."""
    found = victim.query(
        "SELECT IFNULL(SUM(value), 0) FROM counters "
        "WHERE lane = 'direct' AND name IN ('requests', 'lost')"
    )
    return int(found[0][0]) if found else 0


def _written(path: Path) -> float:
    return path.stat().st_mtime
