"""FAULTS.md 89 by batch: wherever the disk fails, the same command goes on; all is paid once."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_bench import Folder, folder_before

from faults.bad_disk import UNUSABLE, BadDisk, compiled
from processor.sandbox_process import sandbox

ROWS = 1_500
OPTIONS = ("--route", "batch", "--shard-size", "500", "--grace", "1", "--quiet")

pytestmark = [
    pytest.mark.fault(89),
    pytest.mark.skipif(bool(UNUSABLE), reason=UNUSABLE),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    quick = ["--validating-s", "0.1", "--in-progress-s", "0.1", "--finalizing-s", "0.1"]
    with (
        sandbox(["--latency-ms", "0", *quick]) as url,
        folder_before(url, tmp_path, rows=ROWS) as made,
    ):
        yield made


def test_a_disk_that_fails_at_every_place_in_turn(folder: Folder, tmp_path: Path) -> None:
    disk = BadDisk(compiled(tmp_path), tmp_path / "the disk is bad")
    for files, op, error, after in (
        ("*/batches/*.jsonl.tmp", "write", errno.ENOSPC, 0),
        ("*/out/ledger.sqlite-wal", "sync", errno.EIO, 12),
        ("*/batches/.shard_*.part", "write", errno.ENOSPC, 0),
        ("*/out/ledger.sqlite-wal", "write", errno.ENOSPC, 60),
    ):
        env = disk.env(files, ops=[op], error=error, after=after, at_once=True)
        _, told = (process := folder.start(*OPTIONS, env=env)).communicate(timeout=60)
        assert process.returncode == 5, (files, told)
        assert "Traceback" not in told
        assert told.strip().split("\n")[-1].startswith("Error: ")
    code, _, told = folder.run(*OPTIONS)
    assert code == 0, told
    folder.assert_whole(ROWS)
    stats = folder.admin("stats")
    assert (stats["paid"], stats["items"]["paid_twice"]) == (ROWS, 0)
    assert not list((folder.path / "out" / "batches").iterdir())
