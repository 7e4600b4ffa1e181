"""What this process has used of the machine."""

import re
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK_KB = re.compile(rb"VmHWM:\s+(\d+) kB")
_NOW_KB = re.compile(rb"VmRSS:\s+(\d+) kB")


def cpu_s() -> float:
    """Seconds of CPU, all threads, user and system."""
    return time.process_time()


def peak_rss_mb() -> float:
    """The most memory it held at once, in MB of a million bytes; 0 where that cannot be told.

    On Linux not from getrusage, whose figure begins with the parent's at the time of the fork.
    """
    told = _status_mb(_PEAK_KB)
    return _peak_by_getrusage_mb() if told is None else told


def rss_mb() -> float:
    """The memory it holds now, in MB of a million bytes; 0 where that cannot be told."""
    return _status_mb(_NOW_KB) or 0.0


def _status_mb(line: re.Pattern[bytes]) -> float | None:
    """A figure of Linux; None elsewhere."""
    try:
        found = line.search(_STATUS.read_bytes())
    except OSError:
        return None
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _peak_by_getrusage_mb() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource  # noqa: PLC0415 - not on every platform

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
