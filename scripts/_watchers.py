"""Those who watch a run as people do: a terminal, and a page's stream of events."""

import ctypes
import fcntl
import http.client
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

__all__ = ["Page", "Terminal", "Watcher", "cpu_s", "each_ms", "page", "seen", "stopped", "terminal"]

_LINES, _COLUMNS = 50, 200
_READ_BYTES = 65_536
_FRAME = b"\x1b[H"  # each drawing begins at the upper left
_LOOK = b"event: look\n"
_POLL_S = 0.02
_STARTED = 2
_LONGEST_S = 60.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def cpu_s(pid: int) -> float:
    """CPU that a process has used so far, all threads, user and system, to the nanosecond.

    Raises:
        ProcessLookupError: There is none.
    """
    clock = ctypes.c_int()
    if _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(pid)
    return time.clock_gettime(clock.value)


class Watcher(Protocol):
    """Whoever watches, in a process of its own."""

    @property
    def pid(self) -> int:
        """Of the process."""

    @property
    def seen(self) -> int:
        """How often it has shown how the run stands."""


@dataclass(slots=True)
class _Counted:
    seen: int = 0


class Terminal(_Counted):
    """`processor monitor` on a terminal of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__()
        self.pid = process.pid


class Page(_Counted):
    """`processor monitor --web`, and one who follows the events of a run.

    Attributes:
        url: Of the page.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        super().__init__()
        self.pid, self.url = process.pid, url


@contextmanager
def terminal(folder: Path, *, every_s: float = 1.0) -> Iterator[Terminal]:
    """Watch a run on a terminal of 200 columns until the end of the context."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "processor", "monitor", "--stay", "--every", str(every_s), folder],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    it = Terminal(process)
    reader = threading.Thread(target=_read_frames, args=(ours, it), name="terminal", daemon=True)
    reader.start()
    try:
        yield it
    finally:
        _end(process)
        reader.join()
        os.close(ours)


def _read_frames(descriptor: int, it: Terminal) -> None:
    while True:
        try:
            data = os.read(descriptor, _READ_BYTES)
        except OSError:  # its other end is closed
            return
        it.seen += data.count(_FRAME)


@contextmanager
def page(folder: Path, *, follows: bool = True) -> Iterator[Page]:
    """Serve a run as a page until the end of the context, and follow it as one browser does."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "processor", "monitor", "--web", "--port", "0", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    it = Page(process, process.stdout.readline().decode().strip())
    client = threading.Thread(target=_follow, args=(it, folder.name), name="browser", daemon=True)
    if follows:
        client.start()
    try:
        yield it
    finally:
        _end(process)
        process.stdout.close()
        if follows:
            client.join()


def _follow(it: Page, run: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(it.url).netloc)
    try:
        connection.request("GET", f"/api/runs/{quote(run)}/events")
        for line in connection.getresponse():
            it.seen += line == _LOOK
    except (OSError, http.client.HTTPException):
        pass  # the server has ended
    finally:
        connection.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait()


def each_ms(watcher: Watcher, times: int) -> float:
    """CPU of one showing, of so many that come next, in ms."""
    seen(watcher, _STARTED)
    before, before_s = watcher.seen, cpu_s(watcher.pid)
    seen(watcher, before + times)
    return (cpu_s(watcher.pid) - before_s) / (watcher.seen - before) * 1e3


def seen(watcher: Watcher, times: int = _STARTED) -> None:
    """Wait until it has shown how the run stands so often; by default until its start is over."""
    end_s = time.monotonic() + _LONGEST_S
    while watcher.seen < times:
        if time.monotonic() > end_s:
            raise SystemExit("a watcher shows nothing")
        time.sleep(_POLL_S)


@contextmanager
def stopped(*watchers: Watcher) -> Iterator[None]:
    """Let them stand still until the end of the context.

    They read for a thousandth of the time, so that hardly ever one stands still while it reads.
    """
    try:
        for watcher in watchers:
            os.kill(watcher.pid, signal.SIGSTOP)
        yield
    finally:
        for watcher in watchers:
            os.kill(watcher.pid, signal.SIGCONT)
