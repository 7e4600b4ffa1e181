"""An assessment as JSON."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from processor.errors import UsageError
from processor.exports import chunk_files, stats
from processor.exports.atomic import replacing_bytes
from processor.exports.place import expect_room
from processor.ledger import database, sources
from processor.quality.assessment import Assessment

FORMAT = 1
ENDING = ".json"


def of(found: Assessment) -> dict[str, Any]:
    """The assessment as JSON values; what there is nothing to say of is null."""
    values: dict[str, Any] = {"format": FORMAT, **asdict(found)}
    if found.separation is not None:
        values["separation"]["is_shown"] = found.separation.is_shown
    return values


def expect_place(path: Path, folder: Path) -> None:
    """See that the JSON can be put into a file, before the work.

    Args:
        path: Of the file.
        folder: The run's, whose input and results are not written over.

    Raises:
        UsageError: It cannot, or should not.
        LedgerError: There is no ledger, or it cannot be read.
    """
    named = f"--output {path}"
    if path.suffix != ENDING:
        raise UsageError(f"{named}: the figures are JSON", way_out=f"Name a file {ENDING}.")
    place = Path(os.path.realpath(path))
    expect_room(place, named)
    is_made = place.name == stats.STATS_NAME or chunk_files.is_one(place.name)
    if is_made and place.parent == folder.resolve():
        raise UsageError(f"{named}: is made by the run", way_out="Name another file.")
    with database.reading(folder / database.LEDGER_NAME) as connection:
        if sources.hold(connection, place):
            raise UsageError(f"{named}: is the input of this run", way_out="Name another file.")


def write(found: Assessment, path: Path) -> None:
    """Put the JSON into a file, whole or not at all.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing_bytes(path) as file:
        file.write(orjson.dumps(of(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
