"""A command under a terminal of its own: what stands on its screen, and what is typed."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyte
from run_bench import KEY

_PATIENCE_S = 20.0
_SLICE_S = 0.05  # what is waited for may hold although nothing is written
_OTHER_SCREEN = 1049
_READ_BYTES = 65_536


class _Screen(pyte.Screen):
    """pyte's, which knows no other screen: entering and leaving it wipe this one."""

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        super().set_mode(*modes, **kwargs)
        self._wipe(modes)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        super().reset_mode(*modes, **kwargs)
        self._wipe(modes)

    def _wipe(self, modes: Sequence[int]) -> None:
        if _OTHER_SCREEN in modes:
            self.erase_in_display(2)
            self.cursor_position()


@dataclass(slots=True)
class Terminal:
    """A process on a pseudo-terminal.

    Attributes:
        raw: All that it wrote.
    """

    process: "subprocess.Popen[bytes]"
    ours: int
    theirs: int
    screen: _Screen
    stream: pyte.ByteStream
    raw: bytearray = field(default_factory=bytearray)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without the blanks at the end of lines."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, holds: Callable[[str], object], *, within_s: float = _PATIENCE_S) -> str:
        """Read until it holds of what stands on the screen; returns that."""
        deadline_s = time.monotonic() + within_s
        while not holds(self.text):
            assert time.monotonic() < deadline_s, self.text
            self._read(_SLICE_S)
        return self.text

    def until_shown(self, words: str, *, within_s: float = _PATIENCE_S) -> str:
        return self.until(lambda text: words in text, within_s=within_s)

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        _set_size(self.ours, columns, lines)

    def hang_up(self) -> None:
        """The terminal is gone, as when a connection breaks."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self.ours)
        os.close(nowhere)

    def modes(self) -> list[Any]:
        """Of the terminal: whether it echoes, and the like."""
        return termios.tcgetattr(self.theirs)

    def end(self) -> int:
        """Read all that comes until the process ends; its exit code."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline_s, self.text
            self._read(_SLICE_S)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, most_s: float) -> bool:
        ready, _, _ = select.select([self.ours], [], [], most_s)
        if not ready:
            return False
        data = os.read(self.ours, _READ_BYTES)
        self.raw += data
        self.stream.feed(data)
        return True


@contextmanager
def terminal(
    *command: str,
    cwd: Path,
    columns: int = 80,
    lines: int = 24,
    env: Mapping[str, str | None] | None = None,
) -> Iterator[Terminal]:
    """A command on a terminal of so many columns and lines; it is ended with the context.

    Args:
        command: With its arguments.
        cwd: Working directory.
        columns: Of the terminal.
        lines: Of the terminal.
        env: What differs in the environment; None takes a variable out.
    """
    ours, theirs = pty.openpty()
    _set_size(ours, columns, lines)
    differs = {"TERM": "xterm-256color", "COLUMNS": None, "LINES": None, "NO_COLOR": None}
    wanted = {**os.environ, "OPENAI_API_KEY": KEY, **differs, **(env or {})}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={name: value for name, value in wanted.items() if value is not None},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # Ctrl-C and new sizes reach it; nothing else of this process runs meanwhile.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )
    screen = _Screen(columns, lines)
    try:
        yield Terminal(process, ours, theirs, screen, pyte.ByteStream(screen))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def colours(raw: bytes | bytearray) -> set[bytes]:
    """Codes of colours among what was written; bold and dim are none."""
    codes = {code for found in re.findall(rb"\x1b\[([\d;]+)m", raw) for code in found.split(b";")}
    return {code for code in codes if code[:1] in (b"3", b"4", b"9") and len(code) > 1}


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
