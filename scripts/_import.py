"""Imports a query's rows into the ledger of a run, as `processor run` does before it sends.

python scripts/_import.py RUN_FOLDER URI QUERY
"""

import argparse
import asyncio
from pathlib import Path

from processor import identity
from processor.data import open_source
from processor.data.wanted import Wanted
from processor.importing import Import
from processor.ledger.ledger import open_ledger
from processor.settings import Settings
from processor.tasks.toml import load_task


def main() -> None:
    """Import as the command line says; prints how many rows were new."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("uri")
    parser.add_argument("query")
    options = parser.parse_args()
    task = load_task("mathml")
    source = open_source(options.uri, wanted=Wanted(query=options.query))
    with open_ledger(options.folder) as ledger:
        identity.keep(ledger, task, provider="sandbox", accept_change=False)
        work = Import(
            source=source,
            task=task,
            settings=Settings.of({}),
            update=False,
            problem_with=task.problem_with,
            accept=lambda _: None,
            tell=lambda _: None,
        )
        intake, _ = asyncio.run(work.run(ledger))
    print(intake.added if intake else 0)


if __name__ == "__main__":
    main()
