"""The job that every rival gets, and what it has to show for it.

Runs in the rival's environment: the standard library and nothing else.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

SYSTEM = "You answer in one short sentence."
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question."""

    id: str
    prompt: str

    @property
    def messages(self) -> list[Any]:
        """As the chat completions API takes them."""
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": self.prompt}]


@dataclass(slots=True, kw_only=True)
class Job:
    """Rows to ask about, and the answers so far.

    Attributes:
        rows: The questions.
        url: Base URL of the API.
        key: Its key.
        model: The model to name.
        concurrency: Calls in flight.
        timeout_s: Seconds after which the work ends with what there is.
    """

    rows: Sequence[Row]
    url: str
    key: str
    model: str
    concurrency: int
    timeout_s: float
    _distribution: str
    _answers: dict[str, str] = field(default_factory=dict)
    _begun_cpu_s: float = 0.0
    _begun_s: float = 0.0

    def keep(self, row: Row, answer: object) -> None:
        """Count the row as answered, if what the rival gave back is text."""
        if isinstance(answer, str) and answer.strip():
            self._answers[row.id] = answer

    @contextmanager
    def measured(self) -> Iterator[None]:
        """The work itself; importing the rival and building its client come before it."""
        signal.signal(signal.SIGALRM, lambda *_: self._end(finished=False))
        signal.setitimer(signal.ITIMER_REAL, self.timeout_s)
        self._begun_s = time.perf_counter()
        self._begun_cpu_s = time.process_time()
        yield
        self._end(finished=True)

    def _end(self, *, finished: bool) -> NoReturn:
        """Print what came of it and leave at once, whatever the rival still has running."""
        cpu_s = time.process_time() - self._begun_cpu_s
        result = {
            "version": version(self._distribution),
            "answered": len(self._answers),
            "lost": len(self.rows) - len(self._answers),
            "cpu_s": cpu_s,
            "wall_s": time.perf_counter() - self._begun_s,
            "finished": finished,
        }
        os.write(1, b"\n" + json.dumps(result).encode() + b"\n")
        os._exit(0)


def main(work: Callable[[Job], None], *, distribution: str) -> None:
    """Give a rival the job of the command line.

    Args:
        work: Asks about every row within `job.measured()`, and keeps the answers.
        distribution: The rival's name on PyPI.
    """
    sys.addaudithook(_stay_home)
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--concurrency", required=True, type=int)
    parser.add_argument("--timeout", required=True, type=float)
    options = parser.parse_args()
    work(
        Job(
            rows=_read(options.rows),
            url=options.url,
            key=os.environ["OPENAI_API_KEY"],
            model=options.model,
            concurrency=options.concurrency,
            timeout_s=options.timeout,
            _distribution=distribution,
        )
    )


def _read(path: Path) -> list[Row]:
    lines = path.read_text("utf-8").split("\n")
    return [_row(json.loads(line)) for line in lines if line]


def _row(fields: dict[str, Any]) -> Row:
    prompt = f"Say something about {fields['topic']}, please, number {fields['number']}."
    return Row(id=str(fields["id"]), prompt=prompt)


def _stay_home(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection but those within this machine, telemetry's first of all."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in _LOOPBACK:
            raise ConnectionRefusedError(f"not outside this machine: {address[0]}")
    elif event == "socket.getaddrinfo" and arguments[0] not in (*_LOOPBACK, None):
        raise ConnectionRefusedError(f"not outside this machine: {arguments[0]}")
