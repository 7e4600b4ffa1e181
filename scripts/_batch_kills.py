"""A run by batch that is killed behind a step while something else goes wrong, and what must hold.

What is counted is the sandbox's: its batches, its charges. The run may tell what it likes.
"""

import json
import math
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from _batch_victim import END, STEPS

from processor.batch.steps import Step
from processor.batch.until import Until
from processor.ledger.database import LEDGER_NAME
from processor.report import EXIT_AT_PROVIDER
from processor.sandbox_process import sandbox

_TASK = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
_KEY = "sk-of-a-victim"
_KILLED = -9
_SPEED = 20.0
_LAG_S = 1.3  # the sandbox tells whole seconds: an entry is hidden for 0.3 s at least
_GRACE_S = _SPEED * (_LAG_S + 1.0)
_DAY_S = 86_400.0
_HASTY_S = 4.0  # of grace, where nothing lags
_BAD_ROWS = 2
_NO_BATCH = frozenset({"failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstance:
    """What goes wrong besides.

    Attributes:
        faults: Of the sandbox.
        grace_s: How long batches are looked for, by the run's clock.
        clock_off_s: By how much the run's clock is ahead of the sandbox's.
        between_s: How much later, by the run's clock, each start is than the one before.
        settings: Of the run, besides.
    """

    name: str
    faults: tuple[str, ...] = ()
    grace_s: float = _HASTY_S
    clock_off_s: float = 0.0
    between_s: float = 0.0
    settings: Mapping[str, object] = field(default_factory=dict)


_CHANGES = ("upload", "create")
_LOST = tuple(f"lost_answer:on={place},count=1" for place in (*_CHANGES, "content", "batches"))
_LISTS_LAG = tuple(f"lag:on={place},seconds={_LAG_S}" for place in ("batches", "files"))
_LAGS = (*_LISTS_LAG, *(f"lag:on={place},seconds={_LAG_S}" for place in ("file", "batch")))
NOTHING = Circumstance(name="nothing else")
CIRCUMSTANCES = (
    NOTHING,
    Circumstance(
        name="request lost",
        faults=tuple(
            f"reset:on={place},count=1" for place in (*_CHANGES, "content", "batches", "files")
        ),
    ),
    Circumstance(name="answer lost", faults=_LOST),
    Circumstance(name="list lags", faults=_LAGS, grace_s=_GRACE_S),
    Circumstance(name="answer lost, list lags", faults=(*_LOST, *_LAGS), grace_s=_GRACE_S),
    Circumstance(
        name="list lags, a day between starts",
        faults=_LISTS_LAG,
        grace_s=_GRACE_S,
        clock_off_s=-_DAY_S,
        between_s=_DAY_S,
    ),
    Circumstance(name="a budget", settings={"budget_usd": 100.0, "price": "1,2"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run.

    Attributes:
        kills: Behind which steps its starts are killed, one start each, and at which time that it
            is taken; a clean start follows.
        rows: Of its table.
        shard_rows: Of a shard.
        until: How long the starts stay that are killed.
    """

    kills: tuple[tuple[Step, int], ...]
    circumstance: Circumstance = NOTHING
    rows: int = 13
    shard_rows: int = 5
    until: Until = Until.SETTLED


def single(step: Step, circumstance: Circumstance = NOTHING, *, which: int = 1) -> Case:
    """A run that is killed once."""
    kills = ((step, which),)
    if step is Step.PART_SETTLED:  # answers are recorded a thousand at a time
        return Case(kills=kills, circumstance=circumstance, rows=2_100, shard_rows=1_050)
    return Case(kills=kills, circumstance=circumstance)


def relay(circumstance: Circumstance) -> Case:
    """A run of which every start is killed, each behind the next step of the protocol."""
    kills = tuple((step, 1) for step in Step)
    return Case(kills=kills, circumstance=circumstance, rows=3_200, shard_rows=1_050)


def submissions(circumstance: Circumstance) -> Case:
    """A run whose starts only make batches, each killed behind the next step of that."""
    steps = list(Step)
    kills = tuple((step, 1) for step in steps[: steps.index(Step.BATCH_KEPT) + 1])
    return Case(kills=kills, circumstance=circumstance, rows=18, until=Until.SUBMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """What became of a case.

    Attributes:
        kills: How many starts were killed where they were to be.
        batches: That the sandbox made.
        live: Of these, how many neither failed nor were cancelled.
        paid: Answers that the sandbox charged.
        twice: Rows of which it charged more than one.
        wall_s: How long it took.
        found: What is wrong, a line each.
    """

    kills: int
    batches: int
    live: int
    paid: int
    twice: int
    wall_s: float
    found: Sequence[str]


class Stage:
    """A sandbox, and a process that starts victims in front of it.

    Args:
        url: Of the sandbox.
        nursery: That runs `_batch_victim`.
    """

    def __init__(self, url: str, nursery: "subprocess.Popen[str]") -> None:
        self._url = url
        self._nursery = nursery
        self._began_s = time.time()

    def suffer(self, case: Case, folder: Path) -> Tale:
        """Kill a run as a case says, and let it come to its end."""
        self._forget()
        return self._told(case, folder)

    def hand_over(self, step: Step, folder: Path) -> Tale:
        """Leave batches at the sandbox, and kill a run elsewhere that takes them over."""
        self._forget()
        case = single(step)
        _fill(case, first := folder / "first")
        self._go_wrong(case.circumstance)
        code = self._start(self._asked(case, first, until=Until.SUBMITTED))
        tale = self._told(case, folder / "second")
        left = [] if code == EXIT_AT_PROVIDER else [f"the first start ended with {code}"]
        return replace(tale, found=[*left, *tale.found])

    def _told(self, case: Case, folder: Path) -> Tale:
        began_s = time.perf_counter()
        _fill(case, folder)
        found = [*self._kill(case, folder)]
        kills = len(case.kills) - len(found)
        seen = self._admin("stats?items=1")
        batches = self._admin("batches")["batches"]
        found += [*_of_end(folder), *_of_ledger(case, folder / "out", seen)]
        found += [*_of_provider(case, seen, batches), *_of_faults(case.circumstance, seen)]
        return Tale(
            kills=kills,
            batches=len(batches),
            live=sum(batch["status"] not in _NO_BATCH for batch in batches),
            paid=seen["paid"],
            twice=seen["items"]["paid_twice"],
            wall_s=time.perf_counter() - began_s,
            found=found,
        )

    def _forget(self) -> None:
        self._began_s = time.time()
        self._admin("forget", {})
        self._admin("stats/reset", {})

    def _go_wrong(self, circumstance: Circumstance) -> None:
        bad = [f"server_error:on=line,times=1,match=word{n}." for n in range(1, _BAD_ROWS + 1)]
        self._admin("faults", {"clear": True, "set": [*circumstance.faults, *bad]})

    def _kill(self, case: Case, folder: Path) -> Iterator[str]:
        off_s = case.circumstance.clock_off_s
        for kill in (*case.kills, None):
            self._go_wrong(case.circumstance)
            until = case.until if kill else Until.SETTLED
            code = self._start(self._asked(case, folder, kill=kill, off_s=off_s, until=until))
            off_s += case.circumstance.between_s
            if kill and (code != _KILLED or _last_step(folder) != kill[0]):
                yield f"{kill[0]} was not reached: a start ended with {code}"

    def _asked(
        self,
        case: Case,
        folder: Path,
        *,
        kill: tuple[Step, int] | None = None,
        off_s: float = 0.0,
        until: Until = Until.SETTLED,
    ) -> Mapping[str, Any]:
        return {
            "folder": str(folder),
            "url": self._url,
            "anchor_s": self._began_s,
            "off_s": off_s,
            "speed": _SPEED,
            "kill": kill,
            "until": until,
            "settings": {
                "api_key": _KEY,
                "grace_s": case.circumstance.grace_s,
                "shard_size": case.shard_rows,
                **case.circumstance.settings,
            },
        }

    def _start(self, told: Mapping[str, Any]) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(told) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def _admin(self, route: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self._url.removesuffix('/v1')}/sandbox/{route}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
            return json.load(answer)


@contextmanager
def stage() -> Iterator[Stage]:
    """A sandbox whose batches take no time, and victims in front of it."""
    quick = [f"--{name}-s" for name in ("validating", "in-progress", "finalizing", "cancelling")]
    options = [word for name in quick for word in (name, "0.02")]
    with ExitStack() as stack:
        url = stack.enter_context(sandbox(["--latency-ms", "0", *options]))
        nursery = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, str(Path(__file__).with_name("_batch_victim.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        yield Stage(url, nursery)
        assert nursery.stdin is not None
        nursery.stdin.close()


def _fill(case: Case, folder: Path) -> None:
    """A task and a table."""
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text(_TASK)
    rows = ({"id": n, "word": f"word{n}."} for n in range(1, case.rows + 1))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _last_step(folder: Path) -> str:
    """That any start has taken."""
    return (folder / STEPS).read_text().rpartition("\n")[0].rpartition("\n")[2]


def _of_end(folder: Path) -> Iterator[str]:
    """What the last start told."""
    if not (folder / END).exists():
        yield "no start came to its end"
        return
    end = json.loads((folder / END).read_text())
    if end["exit_code"] or end["stop"]:
        yield f"exit code {end['exit_code']}: {end['stop']}"
    yield from end["differences"]
    if not math.isclose(end["spent_usd"], end["cost_usd"]):
        yield f"{end['spent_usd']} USD count as spent, answers cost {end['cost_usd']}"


def _of_ledger(case: Case, out: Path, seen: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in the ledger, beside what the sandbox counts."""
    with closing(sqlite3.connect(out / LEDGER_NAME)) as connection:

        def one(query: str) -> Any:
            return connection.execute(query).fetchone()[0]

        if one("PRAGMA integrity_check") != "ok":
            yield "the ledger is not sound"
        if (rows := one("SELECT COUNT(*) FROM outcomes WHERE succeeded")) != case.rows:
            yield f"{rows} of {case.rows} rows succeeded"
        if left := one("SELECT COUNT(*) FROM shard_items"):
            yield f"{left} items are in shards still"
        if left := one("SELECT COUNT(*) FROM shards WHERE state NOT IN ('settled', 'dropped')"):
            yield f"{left} shards are not settled"
        sums = [one(f"SELECT SUM({name}) FROM outcomes") for name in ("attempts", "prompt_tokens")]
    lines = sum(item["received"] for item in seen["per_item"].values())
    for name, ours, theirs in (
        ("requests", sums[0], lines),
        ("prompt tokens", sums[1], seen["paid_tokens"]["prompt"]),
    ):
        if ours != theirs:
            yield f"{name}: the ledger counts {ours}, the sandbox {theirs}"
    if left := [path.name for path in (out / "batches").iterdir()]:
        yield f"files are left: {left}"


def _of_provider(
    case: Case, seen: Mapping[str, Any], batches: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What is wrong at the sandbox."""
    items = seen["items"]
    if (seen["paid"], items["paid_twice"], items["answered"]) != (case.rows, 0, case.rows):
        yield f"paid {seen['paid']} answers, {items['paid_twice']} twice, for {case.rows} rows"
    live = [batch for batch in batches if batch["status"] not in _NO_BATCH]
    of_shard = Counter(batch["metadata"]["sha256"] for batch in live)
    yield from (f"{count} live batches of one shard" for count in of_shard.values() if count > 1)
    if len(batches) != len(live):
        yield f"{len(batches) - len(live)} batches were made too many"
    shards = -(-case.rows // case.shard_rows)
    if not shards <= len(of_shard) <= shards + _BAD_ROWS:  # bad rows go again, together or not
        yield f"{len(of_shard)} shards became batches, of {shards} and what goes again"


def _of_faults(circumstance: Circumstance, seen: Mapping[str, Any]) -> Iterator[str]:
    """What did not go wrong."""
    kinds = {fault.partition(":")[0] for fault in circumstance.faults}
    yield from (f"nothing was hit by {kind}" for kind in kinds - seen["by_fault"].keys())
