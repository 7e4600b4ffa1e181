"""Those who read a ledger while a run writes it; each until it is killed.

python scripts/_readers.py snapshots RUN_FOLDER     looks at the figures, as a monitor does
python scripts/_readers.py chunks RUN_FOLDER        reads the results of one chunk after another
python scripts/_readers.py holds RUN_FOLDER         reads once and keeps its transaction open
"""

import argparse
import itertools
import time
from pathlib import Path

from processor.ledger import database, results
from processor.watch import snapshot

_EVERY_S = 0.2


def snapshots(folder: Path) -> None:
    """As `processor status` and its like."""
    while True:
        snapshot.take(folder)
        time.sleep(_EVERY_S)


def chunks(folder: Path) -> None:
    """As somebody who looks at answers."""
    for turn in itertools.count():
        with database.reading(folder / database.LEDGER_NAME) as connection:
            (last,) = connection.execute("SELECT MAX(number) FROM chunks").fetchone()
            results.of_chunk(connection, turn % last + 1)
        time.sleep(_EVERY_S)


def holds(folder: Path) -> None:
    """As a database browser that was left open in the middle of a query."""
    with database.reading(folder / database.LEDGER_NAME) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM chunks").fetchone()
        while True:
            time.sleep(_EVERY_S)


KINDS = {"snapshots": snapshots, "chunks": chunks, "holds": holds}


def main() -> None:
    """Read as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    KINDS[options.kind](options.folder)


if __name__ == "__main__":
    main()
