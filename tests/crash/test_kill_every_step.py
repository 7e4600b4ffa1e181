"""SIGKILL at every single step that reaches the disk, in the middle of a write where it is one."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from faults.bad_disk import UNUSABLE, compiled
from ledger_parts import settle, succeeded
from ledger_v1 import ITEMS, SUCCEEDED

from processor.exports import chunk_files
from processor.ledger.ledger import open_ledger
from processor.ledger.migrate import copy_of
from processor.ledger.schema import SCHEMA_VERSION
from processor.watch import snapshot

pytestmark = pytest.mark.skipif(bool(UNUSABLE), reason=UNUSABLE)

STEPS_MOST = 300

# Does the work in a child of its own for every step, until one is through without being killed.
_KILLED_AT = """
import os, sys
from pathlib import Path

base, first, stride = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
{work}
for step in range(first, {most}, stride):
    folder = base / str(step)
    folder.mkdir()
    prepare(folder)
    child = os.fork()
    if child == 0:
        os.environ.update(
            BAD_DISK_FILES=str(folder / "*"), BAD_DISK_AFTER=str(step),
            BAD_DISK_OPS="write,sync,truncate,create,rename",
        )
        work(folder, base / ("acknowledged " + str(step)))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    print(step)
"""

_MIGRATE = """
from ledger_v1 import make as prepare
from processor.ledger.ledger import open_ledger

def work(folder, told):
    with open_ledger(folder):
        pass
"""

_RECORD = """
from ledger_parts import item, numbered, retried, rules, settle, succeeded
from processor.exports import chunk_files, stats
from processor.ledger.ledger import open_ledger
from processor.watch import snapshot

def prepare(folder):
    pass

def work(folder, told):
    with open_ledger(folder) as ledger, told.open("w", buffering=1) as acknowledged:
        ledger.set_meta(run_id="r1", task="t", model="m", provider="openai", id_field="id")
        ledger.start_session({"provider": "openai"})
        ledger.take_in(numbered(7), rules(chunk_size=3))
        for seq in range(1, 8):
            one = item(seq, chunk_size=3)
            settle(ledger.connection, retried(one, 1), succeeded(one, attempts=2))
            print(seq, file=acknowledged)
            if seq in (3, 6, 7):
                chunk_files.write(ledger.connection, folder, [one.chunk])
        stats.write(snapshot.take(folder), reconciled=None)
        ledger.end_session(1, 0)
"""


def killed(folder: Path, work: str, *, stride: int = 1, first: int = 0) -> list[int]:
    """The steps at which the work was killed, each in the folder of its number."""
    tests = Path(__file__).parents[1]
    code = _KILLED_AT.format(work=work, most=STEPS_MOST)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(first), str(stride)],
        env={
            **os.environ,
            "PYTHONPATH": str(tests / "unit"),
            "LD_PRELOAD": str(compiled(folder)),
            "BAD_DISK_ERRNO": "0",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [int(line) for line in done.stdout.split()]


def looked_at(path: Path, query: str) -> list[tuple[int, ...]]:
    """What a ledger or a copy of one holds, whatever its schema; it is sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(query).fetchall()


def test_a_migration_leaves_the_old_ledger_or_the_new_one(tmp_path: Path) -> None:
    steps = killed(tmp_path, _MIGRATE)
    assert len(steps) > 10
    versions = set()
    for step in steps:
        path = tmp_path / str(step) / "ledger.sqlite"
        ((version,),) = looked_at(path, "PRAGMA user_version")
        versions.add(version)
        assert looked_at(path, "SELECT COUNT(*) FROM outcomes") == [(SUCCEEDED + 1,)]
        copy = copy_of(path, 1)
        assert copy.exists() or version == 1
        if copy.exists():
            assert looked_at(copy, "PRAGMA user_version") == [(1,)]
            assert looked_at(copy, "SELECT COUNT(*), SUM(succeeded) FROM outcomes") == [
                (SUCCEEDED + 1, SUCCEEDED)
            ]
        with open_ledger(path.parent) as ledger:
            counts = ledger.counts()
            assert (counts.total, counts.succeeded, counts.failed) == (ITEMS, SUCCEEDED, 1)
        assert copy.exists()
    assert versions == {1, SCHEMA_VERSION}


@pytest.mark.fault(84)
def test_recording_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    """From the first byte of the ledger to the end of the session."""
    steps = killed(tmp_path, _RECORD, stride=4)
    assert len(steps) > 15
    pending = set()
    for step in steps:
        folder, told = tmp_path / str(step), tmp_path / f"acknowledged {step}"
        acknowledged = {int(line) for line in told.read_text().split()} if told.exists() else set()
        with open_ledger(folder) as ledger:
            held = {seq for (seq,) in ledger.connection.execute("SELECT seq FROM outcomes")}
            assert acknowledged <= held <= acknowledged | {len(acknowledged) + 1}
            assert ledger.counts().total in ({7} if held else {0, 7})
            left = [one.item for one in ledger.pending()]
            assert {one.seq for one in left} == (set(range(1, 8)) - held if left else set())
            settle(ledger.connection, *(succeeded(one) for one in left))
            stale = chunk_files.stale(ledger.connection, folder, thorough=True)
            chunk_files.write(ledger.connection, folder, stale)
            assert not chunk_files.stale(ledger.connection, folder, thorough=True)
            assert snapshot.take(folder).succeeded == ledger.counts().total
        pending.add(len(left))
    assert pending == set(range(8))
