"""The process that sends messages: `python -m processor.notifying.courier`.

It is one of its own so that nothing that a service does can hold up a run: an errand has its time,
and what hangs then ends with the process. Neither do a run's memory and logs hear of apprise, which
notes addresses when it is asked to note much.

An errand comes on standard input, a line for each address goes to standard output.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from processor.errors import UsageError
from processor.extras import extra
from processor.notifying.errand import Delivery, Errand

EXTRA = "notify"
Result = TypeVar("Result")

_REPORT_SHARE = 0.5  # of the time of an errand
MISSING = 3  # exit code: the extra is not installed; its error is on standard output


def main() -> None:
    """Do one errand and end, whatever is still under way."""
    out = _own_output()
    code = _do(Errand.of(sys.stdin.buffer.read()), out)
    out.flush()
    os._exit(code)


def _own_output() -> BinaryIO:
    """Standard output, for us alone: what others print goes nowhere."""
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return out


def _do(errand: Errand, out: BinaryIO) -> int:
    ends_s = time.monotonic() + errand.most_s
    try:
        with extra(EXTRA):
            from processor.notifying.apprise import Service, services  # noqa: PLC0415 - heavy
    except UsageError as error:
        out.write(str(error).encode())
        return MISSING
    found = services(errand.addresses)
    takes_files = any(service is not None and service.takes_files for service in found)
    report = _report(errand) if takes_files else None

    def deliver(at: int, service: Service | None) -> Delivery:
        if service is None:
            return Delivery(at=at, service=None)
        word = errand.message
        problem = None if word is None else service.send(word, report)
        return Delivery(at=at, service=service.name, problem=problem)

    done = queue.SimpleQueue[Delivery | None]()
    for at, service in enumerate(found):
        _beside(partial(deliver, at, service), done)
    for _ in found:
        delivery = _next(done, ends_s - time.monotonic())
        if delivery is not None:
            out.write(delivery.to_json())
            out.flush()
    return 0


def _report(errand: Errand) -> bytes | None:
    """The report of the run; None where none is wanted, or it takes too long."""
    if errand.report_of is None:
        return None
    from processor.reporting import gathering, writing  # noqa: PLC0415 - heavy

    folder = Path(errand.report_of)

    def make() -> bytes:
        found = gathering.gather(folder, content=errand.content)
        return writing.text(found, "html").encode()

    made = queue.SimpleQueue[bytes | None]()
    _beside(make, made)
    return _next(made, _REPORT_SHARE * errand.most_s)


def _beside(work: Callable[[], Result], done: "queue.SimpleQueue[Result | None]") -> None:
    """Do something in a thread of its own, which need not end; None is what failed."""

    def do() -> None:
        result = None
        try:
            result = work()
        finally:
            done.put(result)

    threading.Thread(target=do, daemon=True).start()


def _next(done: "queue.SimpleQueue[Result | None]", most_s: float) -> Result | None:
    try:
        return done.get(timeout=max(0.0, most_s))
    except queue.Empty:
        return None


if __name__ == "__main__":
    main()
