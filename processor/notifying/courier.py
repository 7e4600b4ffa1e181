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
from typing import BinaryIO

from processor.errors import UsageError
from processor.extras import extra
from processor.notifying.errand import Delivery, Errand

EXTRA = "notify"
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
    done = queue.SimpleQueue[Delivery]()

    def deliver(at: int, service: Service | None) -> None:
        if service is None:
            done.put(Delivery(at=at, service=None))
            return
        problem = service.send(errand.message) if errand.message is not None else None
        done.put(Delivery(at=at, service=service.name, problem=problem))

    found = services(errand.addresses)
    for at, service in enumerate(found):
        threading.Thread(target=deliver, args=(at, service), daemon=True).start()
    for _ in found:
        try:
            delivery = done.get(timeout=max(0.0, ends_s - time.monotonic()))
        except queue.Empty:
            break
        out.write(delivery.to_json())
        out.flush()
    return 0


if __name__ == "__main__":
    main()
