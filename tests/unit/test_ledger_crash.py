"""A process that writes is killed at a random moment; what it acknowledged is there."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_parts import ledger_of

from processor.ledger import database
from processor.ledger.ledger import open_ledger
from processor.watch import snapshot

ITEMS = 5_000

_WRITE = """
import sys
from pathlib import Path
from ledger_parts import asked_again, item, price, retried, succeeded, vitals
from processor.exports import chunk_files
from processor.ledger.ledger import open_ledger

folder = Path(sys.argv[1])

def on_commit(commit, connection):
    for record in commit.records:
        if hasattr(record, "accepted"):
            print(record.item.seq)
    sys.stdout.flush()
    done = [chunk.number for chunk in commit.chunks if chunk.complete]
    chunk_files.write(connection, folder, done)

with open_ledger(folder) as ledger:
    session = ledger.start_session({"provider": "openai"})
    with ledger.writing(session=session, price=price, vitals=vitals, on_commit=on_commit,
                        on_failure=print) as writer:
        for one in ledger.pending():
            seq = one.item.seq
            if seq % 3 == 0:
                writer.record(retried(one.item, one.attempts + 1))
            writer.record(succeeded(one.item, attempts=one.attempts + 1 + (seq % 3 == 0)))
            if seq % 25 == 0:
                writer.flush().result()
"""


def killed_at(folder: Path, acknowledged_most: int) -> set[int]:
    """What a writing process acknowledged before it was killed, soon after so many lines."""
    acknowledged = set()
    with subprocess.Popen(
        [sys.executable, "-c", _WRITE, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
        env={"PYTHONPATH": str(Path(__file__).parent)},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.add(int(line))
            if len(acknowledged) == acknowledged_most:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return acknowledged


@pytest.mark.parametrize("seed", range(3))
def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with ledger_of(tmp_path, ITEMS):
        pass
    acknowledged: set[int] = set()
    for _ in range(2):
        acknowledged |= killed_at(tmp_path, rng.randint(1, 400))
        with database.reading(tmp_path / "ledger.sqlite") as connection:
            held = {seq for (seq,) in connection.execute("SELECT seq FROM outcomes")}
        assert acknowledged <= held
        shot = snapshot.take(tmp_path)
        assert (shot.succeeded, shot.pending) == (len(held), ITEMS - len(held))
        assert shot.session is not None
        assert shot.session.exit_code is None
        with open_ledger(tmp_path) as ledger:
            assert {one.item.seq for one in ledger.pending()} == set(range(1, ITEMS + 1)) - held
            assert ledger.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_import_leaves_nothing(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from ledger_parts import Table, rules
from processor.ledger.ledger import open_ledger

def rows():
    for n in range(50_000):
        yield {"id": n, "text": "x" * 1_000}
    os.kill(os.getpid(), signal.SIGKILL)

with open_ledger(Path(sys.argv[1])) as ledger:
    ledger.take_in(Table(rows()), rules())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.returncode == -signal.SIGKILL
    with open_ledger(tmp_path) as ledger:
        assert ledger.counts().total == 0
        assert list(ledger.pending()) == []
