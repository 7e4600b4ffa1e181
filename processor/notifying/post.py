"""Errands of the process that sends messages, as the run sees them."""

import asyncio
import os
import subprocess
import sys
import threading
import time
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
_ENDED = "it was ended before it had an answer"
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
        """Do it; returns what became of every address, in their order."""
        begun_s = time.monotonic()
        try:
            process = self._start()
        except OSError as error:  # no memory, no processes left
            return self._all([], f"the process that sends cannot be started: {error.strerror}")
        if process is None:
            return self._all([], _ENDED)
        try:
            said = self._answer_of(process)
        finally:
            with suppress(OSError):
                process.kill()
            process.wait()
        if process.returncode == MISSING:
            return self._all([], said.decode())
        whole = said[: said.rfind(b"\n") + 1]  # the last one may have been cut off
        known = [Delivery.of(line) for line in whole.splitlines()]
        return self._all(known, self._reason(time.monotonic() - begun_s))

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

    def _reason(self, took_s: float) -> str:
        """Why there is nothing known of an address."""
        if self._is_ended:
            return _ENDED
        most_s = self._errand.most_s
        return f"no answer within {most_s:g} s" if took_s >= most_s else "it cannot be sent there"

    def _all(self, known: Sequence[Delivery], reason: str) -> list[Delivery]:
        by_position = {each.at: each for each in known}
        return [
            by_position.get(at) or Delivery(at=at, service=shown(address), problem=reason)
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
            raise UsageError(f"--notify: {each.problem}")
        if each.service is None:
            which = f" (address {each.at + 1})" if len(addresses) > 1 else ""
            raise UsageError(
                f"--notify: apprise does not understand {shown(addresses[each.at])}{which}",
                way_out="See https://appriseit.com/services/ for how addresses are written.",
            )
