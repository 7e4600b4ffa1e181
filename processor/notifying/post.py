"""Errands of the process that sends messages, as the run sees them."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import processor
from processor.addressee import shown
from processor.errors import UsageError
from processor.notifying.courier import MISSING
from processor.notifying.errand import Delivery, Errand

_CHECK_MOST_S = 30.0
_START_S = 3.0  # a machine that works hard takes long to start a process
_COURIER = "processor.notifying.courier"


class Post:
    """An errand on its way; it can be ended early from another thread or by a signal.

    Args:
        errand: What is to be done.
    """

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ended = False

    def drain(self) -> None:
        """End it: what has not arrived does not."""
        with self._lock:
            self._is_ended = True
            if self._process is not None:
                self._process.kill()

    abort = drain

    async def execute(self) -> list[Delivery]:
        """`run`, beside what else the loop does; ends when it is cancelled."""
        try:
            return await asyncio.to_thread(self.run)
        except asyncio.CancelledError:
            self.drain()
            raise

    def run(self) -> list[Delivery]:
        """Do it; returns what became of every address, in their order.

        Raises:
            UsageError: The extra is not installed.
        """
        process = self._start()
        if process is None:
            return self._all([])
        try:
            said = self._answer_of(process)
        finally:
            with suppress(OSError):
                process.kill()
            process.wait()
        if process.returncode == MISSING:
            raise UsageError(said.decode())
        whole = said[: said.rfind(b"\n") + 1]  # the last one may have been cut off
        return self._all([Delivery.of(line) for line in whole.splitlines()])

    def _start(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._is_ended:
                return None
            # Of no folder but our own: what lies in the working directory is the user's.
            home = str(Path(processor.__file__).parent.parent)
            path = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", _COURIER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
                start_new_session=True,  # Ctrl-C is for the run, which ends this, too
            )
            return self._process

    def _answer_of(self, process: "subprocess.Popen[bytes]") -> bytes:
        document = self._errand.to_json()
        try:
            said, _ = process.communicate(document, timeout=self._errand.most_s + _START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        return said

    def _all(self, known: Sequence[Delivery]) -> list[Delivery]:
        by_position = {each.at: each for each in known}
        late = f"no answer within {self._errand.most_s:g} s"
        problem = "it was ended before it had an answer" if self._is_ended else late
        return [
            by_position.get(at) or Delivery(at=at, service=shown(address), problem=problem)
            for at, address in enumerate(self._errand.addresses)
        ]


def check(addresses: Sequence[str]) -> None:
    """See whether messages could be sent; sends none.

    Raises:
        UsageError: The extra is not installed, or an address is none that apprise understands.
    """
    if not addresses:
        return
    for each in Post(Errand(addresses=addresses, message=None, most_s=_CHECK_MOST_S)).run():
        if each.problem is not None:
            raise UsageError(f"--notify: apprise does not load: {each.problem}")
        if each.service is None:
            which = f" (address {each.at + 1})" if len(addresses) > 1 else ""
            raise UsageError(
                f"--notify: apprise does not understand {shown(addresses[each.at])}{which}",
                way_out="See https://appriseit.com/services/ for how addresses are written.",
            )
