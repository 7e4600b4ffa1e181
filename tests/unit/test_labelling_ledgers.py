"""Ledgers that a labelling job is looked for in."""

from pathlib import Path

import pytest
from ledger_v1 import make

from processor.errors import LedgerError, UsageError
from processor.labelling import ledgers
from processor.ledger import database, lock
from processor.ledger.database import LEDGER_NAME


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run, where runs are looked for."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/news-articles-123456")
    folder.mkdir(parents=True)
    return folder


def test_a_job_of_an_older_program_is_looked_into(folder: Path) -> None:
    make(folder)
    assert database.is_older(folder / LEDGER_NAME)
    with pytest.raises(UsageError, match="batch_1"):
        ledgers.find("batch_1", None)
    assert not database.is_older(folder / LEDGER_NAME)


def test_an_older_ledger_that_is_held_is_told(folder: Path) -> None:
    make(folder)
    with lock.hold(folder), pytest.raises(LedgerError, match="older"):
        ledgers.find("batch_1", None)


def test_a_ledger_that_cannot_be_read_is_no_unknown_batch(folder: Path) -> None:
    (folder / LEDGER_NAME).write_bytes(b"no database")
    with pytest.raises(LedgerError, match=LEDGER_NAME):
        ledgers.find("batch_1", None)
