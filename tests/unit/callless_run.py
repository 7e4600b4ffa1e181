"""A run whose calls are made up, as a process: `python callless_run.py FOLDER ITEMS`.

Import, pending items, outcomes, chunk files, tables and the comparison at the end, as `Run` does
them; prints the process's peak memory in MB.
"""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ledger_parts import price, rules, succeeded, vitals

from processor import machine
from processor.columns import Column
from processor.exports import chunk_files, reconciliation, tables
from processor.items import Row
from processor.ledger.commit import Commit
from processor.ledger.ledger import Ledger, open_ledger
from processor.watch import snapshot

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Numbers:
    """Rows that are made as they are read."""

    count: int
    name: str = "numbers"
    uri: str = "numbers"

    def columns(self) -> Sequence[Column]:
        return ()

    def stamp(self) -> str:
        return str(self.count)

    def rows(self) -> Iterator[Row]:
        for number in range(1, self.count + 1):
            yield Row(number=number, fields={"id": number, "text": f"text {number} " * 10})


def finish_all(ledger: Ledger) -> None:
    """Give every item an outcome, as many at once as a lane holds."""

    def follow_up(commit: Commit, connection: sqlite3.Connection) -> None:
        complete = [chunk.number for chunk in commit.chunks if chunk.complete]
        chunk_files.write(connection, ledger.folder, complete)

    def fail(error: BaseException) -> None:
        raise error

    pending = ledger.pending()
    with ledger.writing(
        session=1, price=price, vitals=vitals, on_commit=follow_up, on_failure=fail
    ) as writer:
        while some := list(islice(pending, _AT_ONCE)):
            for one in some:
                writer.record(succeeded(one.item))
            writer.flush().result()


def main(folder: Path, count: int) -> float:
    """Peak memory in MB."""
    with open_ledger(folder) as ledger:
        ledger.start_session({"provider": "openai"})
        ledger.take_in(Numbers(count), rules(chunk_size=100))
        finish_all(ledger)
        connection = ledger.connection
        assert chunk_files.stale(connection, folder, thorough=True) == []
        tables.write_all(connection, folder, reviews=True, bom=True)
        shot = snapshot.take(folder)
        assert reconciliation.differences(connection, folder, shot) == []
        assert shot.succeeded == count
    return machine.peak_rss_mb()


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
