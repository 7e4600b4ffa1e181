"""The sandbox that serves one run: a process of its own, which ends with this one."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from processor.errors import UsageError

_FIRST_LINE = "listening on "


@contextmanager
def sandbox(options: Sequence[str] = ()) -> Iterator[str]:
    """Start a sandbox; yields its base URL.

    It ends when the pipe to it closes, which happens even when this process is killed. It has a
    process group of its own, so that Ctrl-C reaches the run alone and the calls in flight finish.

    Raises:
        UsageError: It did not start; its own words are on standard error.
    """
    arguments = [sys.executable, "-m", "processor", "sandbox", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*arguments, "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith(_FIRST_LINE):
            raise UsageError("the sandbox did not start", way_out="Its own words are above.")
        yield line.removeprefix(_FIRST_LINE).strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
