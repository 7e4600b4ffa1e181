"""Whose a batch is: the run whose ledger knows it."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from processor.errors import LedgerError
from processor.ledger import database, shards
from processor.ledger.database import LEDGER_NAME


def owner(batch_id: str, folders: Iterable[Path]) -> Path | None:
    """The first of these runs that has a batch of that id; one that cannot be read has none."""
    for folder in folders:
        with suppress(LedgerError), database.reading(folder / LEDGER_NAME) as connection:
            if shards.holds(connection, batch_id):
                return folder
    return None
