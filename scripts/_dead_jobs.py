"""How many calls a job costs that cannot succeed: 60 rows, 20 calls in flight."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from _bench import Child, Figure, serving, table, write_rows, write_task
from _rivals import NoResultError, RivalError, run as run_rival

ROWS = 60
CONCURRENCY = 20
CANARIES = 2
_WELL_ANSWERED = 30
_RIVAL_TIMEOUT_S = 40.0
_KEY = "sk-dead"
_STOPPED = 3
# What is dead, to the fault of the sandbox that says so.
CASES: Mapping[str, str] = MappingProxyType(
    {
        "dead key": "bad_key",
        "dead quota": "insufficient_quota",
        "unknown model": "model_not_found",
        "refused parameter": (
            "status:status=400,type=invalid_request_error,code=unsupported_parameter,"
            "param=temperature"
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Calls that the server received; `later` counts those after the job had died."""

    start: int
    later: int


def measure(fault: str) -> Sent:
    """Our own run."""
    return Sent(start=_ours(fault), later=_ours(_after(fault)) - _WELL_ANSWERED)


def measure_rival(name: str, fault: str) -> Sent:
    """A rival's.

    Raises:
        RivalError: It cannot be installed.
    """
    return Sent(start=_rivals(name, fault), later=_rivals(name, _after(fault)) - _WELL_ANSWERED)


def figures(rivals: Sequence[str]) -> Iterator[Figure]:
    """Measure all cases, print them beside the rivals', and hold ours to the targets."""
    ours = {case: measure(fault) for case, fault in CASES.items()}
    rows: list[Sequence[object]] = [("processor", *_cells(ours.values()))]
    for name in rivals:
        try:
            theirs = [measure_rival(name, fault) for fault in CASES.values()]
        except RivalError as error:
            rows.append((name, *([str(error)] * len(CASES))))
        else:
            rows.append((name, *_cells(theirs)))
    print(table((f"calls on {ROWS} rows: at the start / later", *CASES), rows), flush=True)
    for case, sent in ours.items():
        yield Figure(name=f"{case} from the start, calls", value=sent.start, target=CANARIES)
        yield Figure(name=f"{case} later, calls", value=sent.later, target=CONCURRENCY)


def _cells(sent: Iterable[Sent]) -> list[str]:
    return [f"{one.start} / {one.later}" for one in sent]


def _after(fault: str) -> str:
    return fault + ("," if ":" in fault else ":") + f"after={_WELL_ANSWERED}"


def _ours(fault: str) -> int:
    with tempfile.TemporaryDirectory() as place, serving("--latency-ms", "100") as server:
        folder = Path(place)
        server.set_faults(fault)
        child = Child(
            [
                *("-m", "processor", "run", "--base-url", server.url, "--route", "direct"),
                *("--task", str(write_task(folder / "task.toml"))),
                *("--input", str(write_rows(folder / "rows.jsonl", ROWS))),
                *("--concurrency", str(CONCURRENCY)),
            ],
            cwd=folder,
            env={"OPENAI_API_KEY": _KEY},
        )
        spent = child.wait()
        assert spent.exit_code == _STOPPED, f"the run ended with {spent.exit_code}"
        received: int = server.stats()["received"]
    return received


def _rivals(name: str, fault: str) -> int:
    with tempfile.TemporaryDirectory() as place, serving("--latency-ms", "100") as server:
        server.set_faults(fault)
        with suppress(NoResultError):  # what it sent is counted all the same
            run_rival(
                name,
                url=server.url,
                key=_KEY,
                rows_path=write_rows(Path(place) / "rows.jsonl", ROWS),
                concurrency=CONCURRENCY,
                timeout_s=_RIVAL_TIMEOUT_S,
            )
        received: int = server.stats()["received"]
    return received
