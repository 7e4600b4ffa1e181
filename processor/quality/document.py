"""An assessment as JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from processor.exports.atomic import replacing_bytes
from processor.quality.assessment import Assessment

FORMAT = 1


def of(found: Assessment) -> dict[str, Any]:
    """The assessment as JSON values; what there is nothing to say of is null."""
    values: dict[str, Any] = {"format": FORMAT, **asdict(found)}
    if found.separation is not None:
        values["separation"]["is_shown"] = found.separation.is_shown
    return values


def write(found: Assessment, path: Path) -> None:
    """Put the JSON into a file, whole or not at all.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing_bytes(path) as file:
        file.write(orjson.dumps(of(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
