"""The benchmarks run; the one whose figures no busy machine can spoil must reach its targets."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(name: str, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(SCRIPTS / name), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_dead_jobs_cost_two_calls_or_those_in_flight(tmp_path: Path) -> None:
    done = run("benchmark_direct.py", "--only", "dead", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| dead key from the start, calls | 2.00 | ≤ 2.00 | yes |" in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "benchmark_batch.py",
        "benchmark_data.py",
        "benchmark_direct.py",
        "benchmark_limits.py",
        "benchmark_scale.py",
        "benchmark_watch.py",
        "kill_test.py",
    ],
)
def test_every_script_tells_what_it_measures(tmp_path: Path, name: str) -> None:
    done = run(name, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"scripts/{name}" in done.stdout


def test_small_jobs_take_few_calls_and_little_memory_by_batch(tmp_path: Path) -> None:
    done = run("benchmark_batch.py", "--items", "2000", cwd=tmp_path)
    assert "| ≤ 27.00 | yes |" in done.stdout, done.stderr
    assert "| settled |" in done.stdout


def test_the_ways_of_the_cpu_benchmark_send_every_row(tmp_path: Path) -> None:
    arguments = ("--only", "cpu", "--quick")
    done = run("benchmark_direct.py", *arguments, cwd=tmp_path)
    assert "| ours-asyncio |" in done.stdout, done.stderr
    assert "| CPU a request, uvloop" in done.stdout


def test_every_row_comes_out_of_a_database_and_goes_back(tmp_path: Path) -> None:
    done = run("benchmark_data.py", "--rows", "3000", cwd=tmp_path)
    assert "3,000 rows in" in done.stdout, done.stderr
    assert "| rows written to a new table |" in done.stdout
    assert "| peak memory of reading |" in done.stdout


def test_the_log_of_a_watched_run_does_not_grow(tmp_path: Path) -> None:
    done = run("benchmark_watch.py", "--quick", "--only", "run", cwd=tmp_path)
    lines = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if "|" in line}
    assert "CPU a request of a run, watched / not" in lines, done.stderr
    assert "| yes |" in lines["write-ahead log, watched / before"], done.stdout
