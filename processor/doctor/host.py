"""Whether this machine can keep what a run writes, and open what it opens."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from processor.direct.traffic import WINDOW_CEILING
from processor.doctor.finding import Finding, note, ok, wrong

_MB, _GB = 1e6, 1e9
_FREE_LEAST_BYTES = 100 * _MB
_FREE_USUAL_BYTES = _GB
_FSYNC_USUAL_MS = 50.0
_OTHER_FILES = 64  # ledger, logs, result files, and what Python opens


def examine(folder: Path, logs: Path, concurrency: int | None) -> Iterator[Finding]:
    """Disk space and durable writes for a run folder and for logs, and the bound on open files."""
    yield _disk("run folder", folder)
    yield _disk("logs", logs)
    if sys.platform != "win32":
        yield _open_files(concurrency)


def _disk(name: str, folder: Path) -> Finding:
    """Write into a folder, or into the nearest that there is, and leave nothing there."""
    try:
        place = next(
            each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()
        )
        free_bytes = shutil.disk_usage(place).free
        fsync_ms = _fsync_ms(place)
    except OSError as error:
        return wrong(
            name,
            f"{folder}: {error.strerror or error}",
            "Mend the permissions, or name another folder with --out and --logs.",
        )
    said = f"{folder}: {free_bytes / _GB:.1f} GB free, a durable write takes {fsync_ms:.0f} ms"
    if free_bytes < _FREE_LEAST_BYTES:
        return wrong(name, said, "Free some space, or name another folder.")
    if free_bytes < _FREE_USUAL_BYTES:
        return note(name, said, "A million rows with their answers take a few GB.")
    if fsync_ms > _FSYNC_USUAL_MS:
        return note(name, said, "A local disk makes a run quicker than a network's.")
    return ok(name, said)


def _fsync_ms(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(4096))
        probe.flush()
        begun_s = time.perf_counter()
        os.fsync(probe.fileno())
        return (time.perf_counter() - begun_s) * 1000


def _open_files(concurrency: int | None) -> Finding:
    import resource  # noqa: PLC0415 - not on every platform

    bound, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if bound == resource.RLIM_INFINITY:
        return ok("open files", "no bound")
    wanted = (concurrency or WINDOW_CEILING) + _OTHER_FILES
    said = f"{bound} may be open; {wanted} are wanted for {wanted - _OTHER_FILES} calls in flight"
    if bound >= wanted:
        return ok("open files", said)
    way_out = f"ulimit -n {wanted if most in (-1, resource.RLIM_INFINITY) else min(wanted, most)}"
    if concurrency is None:
        return note("open files", said, f"{way_out}, or set --concurrency.")
    return wrong("open files", said, f"{way_out}, or lower --concurrency.")
