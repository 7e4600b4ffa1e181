"""A disk that fails on demand, for the processes that a test starts.

A library loaded before C's own makes chosen operations on chosen files fail, or kill the process
in the middle of them. It is compiled once; see `bad_disk.c`.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("bad_disk.c")
_COMPILER = shutil.which("cc") or shutil.which("gcc")

UNUSABLE = "needs Linux and a C compiler" if sys.platform != "linux" or _COMPILER is None else ""
"""Why there can be no bad disk here; empty if there can."""


@dataclass(frozen=True, slots=True)
class BadDisk:
    """A compiled library, and the file whose presence makes the disk bad."""

    library: Path
    trigger: Path

    def env(
        self,
        files: str,
        *,
        ops: Sequence[str] = ("write",),
        error: int = errno.ENOSPC,
        after: int = 0,
        at_once: bool = False,
    ) -> Mapping[str, str]:
        """The environment of a process for which the files matching a glob go bad.

        Args:
            files: Matches full paths; * crosses slashes.
            ops: Of `write`, `sync`, `truncate`, `create`, `mkdir`, `rename`.
            error: The errno they fail with; 0 kills the process there.
            after: How many such operations succeed first.
            at_once: From the start; otherwise from `spoil` to `mend`.
        """
        return os.environ | {
            "LD_PRELOAD": str(self.library),
            "BAD_DISK_FILES": files,
            "BAD_DISK_OPS": ",".join(ops),
            "BAD_DISK_ERRNO": str(error),
            "BAD_DISK_AFTER": str(after),
            "BAD_DISK_WHEN": "" if at_once else str(self.trigger),
        }

    def spoil(self) -> None:
        """From now on the disk fails."""
        self.trigger.touch()

    def mend(self) -> None:
        """It works again."""
        self.trigger.unlink(missing_ok=True)


def compiled(folder: Path) -> Path:
    """The library, compiled into a folder."""
    assert _COMPILER is not None
    library = folder / "bad_disk.so"
    command = [_COMPILER, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library)]
    subprocess.run([*command, str(_SOURCE), "-ldl"], check=True)
    return library
