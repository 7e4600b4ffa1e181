"""What a process says that it used."""

import subprocess
import sys

from processor import machine


def test_cpu_grows_with_work() -> None:
    before_s = machine.cpu_s()
    sum(number * number for number in range(300_000))
    assert machine.cpu_s() > before_s


def test_peak_memory_is_the_process_s_own() -> None:
    """A small child of a large parent is small."""
    ballast = bytearray(120_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    told = subprocess.run(
        [sys.executable, "-c", "from processor.machine import peak_rss_mb; print(peak_rss_mb())"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert 3 < float(told.stdout) < 60
    assert machine.peak_rss_mb() > 120
