"""The chunk files: `conversion_results_batch_001.json` and so on."""

import re
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from processor.exports.atomic import replace, unlink
from processor.ledger import database, results
from processor.ledger.results import Result

FORMAT = 1
_HEAD_BYTES = 256
_HEAD = re.compile(rb'"succeeded":(\d+)')
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
            content = _content(number, results.of_chunk(connection, number))
            replace(folder / name_of(number), content)
            notes.append((len(content), zlib.crc32(content), number))
        if notes:
            with database.transaction(connection):
                connection.executemany(
                    "UPDATE chunks SET file_bytes = ?, file_crc32 = ? WHERE number = ?", notes
                )


def remove(folder: Path, numbers: Sequence[int]) -> None:
    """Remove the files of chunks that will be others; they are written again when complete.

    Raises:
        LedgerError: The disk refuses.
    """
    for number in numbers:
        unlink(folder / name_of(number))


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


def ahead(connection: sqlite3.Connection, folder: Path) -> list[int]:
    """Numbers of open chunks whose file holds more successes than the ledger.

    There may be a file: a chunk whose failures were made pending again keeps its own until then.
    """
    with database.guard(folder / database.LEDGER_NAME):
        rows = connection.execute(
            "SELECT number, succeeded FROM chunks WHERE items > succeeded + failed"
        ).fetchall()
    return [
        number for number, succeeded in rows if _successes(folder / name_of(number)) > succeeded
    ]


def strays(connection: sqlite3.Connection, folder: Path) -> list[Path]:
    """Chunk files that the ledger has no chunk for."""
    with database.guard(folder / database.LEDGER_NAME):
        (last,) = connection.execute("SELECT IFNULL(MAX(number), 0) FROM chunks").fetchone()
    found = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir())
    return [path for path, match in found if match and not _is_one_of(last, match)]


def is_one(name: str) -> bool:
    """Whether a file of this name is one."""
    return _NAME.fullmatch(name) is not None


def orphaned(folder: Path) -> bool:
    """Whether chunk files lie in a folder that has no ledger."""
    try:
        if (folder / database.LEDGER_NAME).exists() or not folder.is_dir():
            return False
        return any(is_one(path.name) and path.is_file() for path in folder.iterdir())
    except OSError:  # opening its ledger tells what is wrong with the folder
        return False


def _content(number: int, items: Sequence[Result]) -> bytes:
    """A line an item, so that `grep` finds items, and it is JSON all the same."""
    succeeded = sum(item.status == "success" for item in items)
    head = {
        "format": FORMAT,
        "batch": number,
        "items": len(items),
        "succeeded": succeeded,
        "failed": len(items) - succeeded,
    }
    lines = b",\n".join(orjson.dumps(_entry(item)) for item in items)
    return b'%b,"results":[\n%b\n]}\n' % (orjson.dumps(head)[:-1], lines)


def _entry(item: Result) -> dict[str, Any]:
    if item.status == "failed":
        return {
            "id": _id(item.id),
            "status": "failed",
            "error": {"code": item.code, "message": item.message, "retryable": item.retryable},
            "fields": orjson.Fragment(item.fields_json),
            "lane": item.lane,
            "provider": item.provider,
            "attempts": item.attempts,
        }
    entry: dict[str, Any] = {
        "id": _id(item.id),
        "status": item.status,
        "result": item.result,
        "check": item.check,
        "fields": orjson.Fragment(item.fields_json),
        "lane": item.lane,
        "provider": item.provider,
        "model": item.model,
        "attempts": item.attempts,
        "latency_ms": None if item.latency_ms is None else round(item.latency_ms, 1),
        "usage": {
            "prompt_tokens": item.prompt_tokens,
            "completion_tokens": item.completion_tokens,
            "cached_tokens": item.cached_tokens,
        },
    }
    if item.notes:
        entry["notes"] = item.notes
    return entry


def _id(key: str | int) -> str | orjson.Fragment:
    return key if isinstance(key, str) else orjson.Fragment(str(key))  # of any length


def _is_one_of(last: int, name: re.Match[str]) -> bool:
    number = int(name[1])
    return 1 <= number <= last and name_of(number) == name[0]


def _successes(path: Path) -> int:
    """How many the head of a file tells of; 0 without a file."""
    try:
        with path.open("rb") as file:
            told = _HEAD.search(file.read(_HEAD_BYTES))
    except OSError:
        return 0
    return int(told[1]) if told else 0


def _is_whole(path: Path, size: int | None, crc32: int | None) -> bool:
    try:
        if size is None or path.stat().st_size != size:
            return False
        return crc32 is None or zlib.crc32(path.read_bytes()) == crc32
    except OSError:
        return False
