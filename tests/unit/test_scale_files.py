"""What of files must not grow with their rows: memory, for Parquet in and out."""

import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet as pq

_RUN = Path(__file__).with_name("parquet_run.py")
_MOST_MB = 200


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, str(_RUN), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def passed_through(folder: Path, rows: int) -> float:
    """Peak memory in MB of a Parquet file of that many rows that came in and went out whole."""
    folder.mkdir()
    run("make", folder / "in.parquet", str(rows))
    peak_mb = float(run("pass", folder / "in.parquet", folder / "run"))
    made, out = folder / "in.parquet", folder / "run" / "out.parquet"
    assert pq.read_table(out).equals(pq.read_table(made))
    return peak_mb


@pytest.mark.parametrize(
    ("few", "many"), [(12_000, 30_000), pytest.param(20_000, 300_000, marks=pytest.mark.slow)]
)
def test_memory_does_not_grow_with_the_rows_of_parquet(tmp_path: Path, few: int, many: int) -> None:
    small_mb = passed_through(tmp_path / "few", few)
    large_mb = passed_through(tmp_path / "many", many)
    print(f"peak {small_mb:.1f} MB, {large_mb:.1f} MB")
    assert large_mb < _MOST_MB
    assert large_mb < small_mb + 40
