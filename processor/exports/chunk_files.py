"""The chunk files: `conversion_results_batch_001.json` and so on."""

import re
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.exports.atomic import replace
from processor.ledger import database, results
from processor.ledger.results import Result

FORMAT = 1
_NAME = re.compile(r"conversion_results_batch_(\d{3,})\.json")


def name_of(number: int) -> str:
    """The file name of a chunk."""
    return f"conversion_results_batch_{number:03d}.json"


def write(connection: sqlite3.Connection, folder: Path, numbers: Sequence[int]) -> None:
    """Write the files of complete chunks, then note in the ledger what they hold.

    No fsync: a file that a power failure spoils no longer fits its note, and is written again when
    the run is resumed.

    Raises:
        LedgerError: The disk refuses.
    """
    notes = []
    with database.guard(folder / database.LEDGER_NAME):
        for number in numbers:
            content = _content(number, results.of_chunk(connection, number)).encode()
            replace(folder / name_of(number), content)
            notes.append((len(content), zlib.crc32(content), number))
        if notes:
            with database.transaction(connection):
                connection.executemany(
                    "UPDATE chunks SET file_bytes = ?, file_crc32 = ? WHERE number = ?", notes
                )


def stale(connection: sqlite3.Connection, folder: Path, *, thorough: bool) -> list[int]:
    """Numbers of complete chunks whose file is missing or not what the ledger says.

    Args:
        connection: The ledger.
        folder: The run's folder.
        thorough: Read every file and compare its checksum; otherwise only its size.
    """
    with database.guard(folder / database.LEDGER_NAME):
        rows = connection.execute(
            "SELECT number, file_bytes, file_crc32 FROM chunks WHERE succeeded + failed = items"
        ).fetchall()
    return [
        number
        for number, size, crc32 in rows
        if not _is_whole(folder / name_of(number), size, crc32 if thorough else None)
    ]


def strays(connection: sqlite3.Connection, folder: Path) -> list[Path]:
    """Chunk files that the ledger has no chunk for."""
    with database.guard(folder / database.LEDGER_NAME):
        (last,) = connection.execute("SELECT IFNULL(MAX(number), 0) FROM chunks").fetchone()
    found = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir())
    return [path for path, match in found if match and not _is_one_of(last, match)]


def orphaned(folder: Path) -> bool:
    """Whether chunk files lie in a folder that has no ledger."""
    if (folder / database.LEDGER_NAME).exists() or not folder.is_dir():
        return False
    return any(_NAME.fullmatch(path.name) and path.is_file() for path in folder.iterdir())


def _content(number: int, items: Sequence[Result]) -> str:
    """A line an item, so that `grep` finds items, and it is JSON all the same."""
    succeeded = sum(item.status == "success" for item in items)
    head = {
        "format": FORMAT,
        "batch": number,
        "items": len(items),
        "succeeded": succeeded,
        "failed": len(items) - succeeded,
    }
    lines = ",\n".join(jsontext.dumps(_entry(item)).strip() for item in items)
    return f'{jsontext.dumps(head)[:-1]},"results":[\n{lines}\n]}}\n'


def _entry(item: Result) -> dict[str, Any]:
    if item.status == "failed":
        return {
            "id": item.id,
            "status": "failed",
            "error": {"code": item.code, "message": item.message, "retryable": item.retryable},
            "fields": item.fields,
            "lane": item.lane,
            "provider": item.provider,
            "attempts": item.attempts,
        }
    entry: dict[str, Any] = {
        "id": item.id,
        "status": item.status,
        "result": item.result,
        "check": item.check,
        "fields": item.fields,
        "lane": item.lane,
        "provider": item.provider,
        "model": item.model,
        "attempts": item.attempts,
        "latency_ms": round(item.latency_ms or 0.0, 1),
        "usage": {
            "prompt_tokens": item.prompt_tokens,
            "completion_tokens": item.completion_tokens,
            "cached_tokens": item.cached_tokens,
        },
    }
    if item.notes:
        entry["notes"] = item.notes
    return entry


def _is_one_of(last: int, name: re.Match[str]) -> bool:
    number = int(name[1])
    return 1 <= number <= last and name_of(number) == name[0]


def _is_whole(path: Path, size: int | None, crc32: int | None) -> bool:
    try:
        if size is None or path.stat().st_size != size:
            return False
        return crc32 is None or zlib.crc32(path.read_bytes()) == crc32
    except OSError:
        return False
