"""One file with what support needs to see of a run: no key, no password, no row and no answer."""

import os
import platform
import sqlite3
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import orjson

from processor import __version__, inventory, jsontext
from processor.doctor import installation, log_parts
from processor.doctor.contents import Contents
from processor.doctor.finding import Finding, as_json
from processor.doctor.redaction import Redactor
from processor.errors import LedgerError, UsageError
from processor.exports import stats
from processor.exports.atomic import replacing_bytes
from processor.ledger import counters, database
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_META_LEFT_OUT = frozenset({"labels", "samples"})
_ABOUT = """\
What `processor doctor --bundle` packed, for support.

versions.json           Python, system, packages
settings.json           every setting and where it came from; secrets masked
doctor.json             what the checks found
conversion_stats.json   the figures of the run
ledger.json             the ledger's meta, counters, starts; no rows, no answers
run.log                 the run's own log, its end where it is long
detail.log              the end of the detailed log, as far as it is the run's

Ids of rows are hashed: the same id has the same hash. Keys, passwords and values of headers are
replaced by ***, what a message quotes of a row or an answer by ….
"""


def write(
    path: Path,
    *,
    folder: Path | None,
    logs: Path,
    settings: Sequence[inventory.Entry],
    findings: Sequence[Finding],
    secrets: Iterable[str],
) -> list[str]:
    """Pack a bundle; returns the names of what is in it.

    Args:
        path: A zip file that is not there yet.
        folder: Of the run; None when there is none.
        logs: Folder of the logs.
        settings: Masked.
        findings: Of the checks.
        secrets: To be removed from everything.

    Raises:
        UsageError: The file is there already.
        LedgerError: It cannot be written, or the ledger not be read.
    """
    if os.path.exists(path):  # noqa: PTH110 - of a name that is too long, writing it tells
        raise UsageError(f"{path} is there already", way_out="Name another file with --bundle.")
    redactor = Redactor(secrets)
    parts = {
        "versions.json": _versions(),
        "settings.json": [inventory.as_json(entry) for entry in settings],
        "doctor.json": [as_json(finding) for finding in findings],
        **_of_run(folder, logs),
    }
    texts = {name: _text(name, redactor.value(part)) for name, part in parts.items()}
    texts["contents.txt"] = _ABOUT
    with replacing_bytes(path) as file:
        if sys.platform != "win32":  # before there is anything in it
            os.fchmod(file.fileno(), 0o600)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, text in texts.items():
                packed.writestr(name, redactor.exactly(text))
    return list(texts)


def _of_run(folder: Path | None, logs: Path) -> dict[str, Any]:
    try:
        return (
            _of_ledger(folder, logs) if folder is not None else {"run.log": log_parts.newest(logs)}
        )
    except OSError as error:
        raise LedgerError(
            f"{logs}: {error.strerror or error}", way_out="Mend the permissions of the logs."
        ) from error


def _of_ledger(folder: Path, logs: Path) -> dict[str, Any]:
    ledger = folder / database.LEDGER_NAME
    try:
        shot = snapshot.take(folder)
        with database.reading(ledger) as connection:
            contents = Contents(connection)
            described = _ledger(connection, contents)
            figures = stats.as_json(_without_words(shot, contents))
            own, detail = log_parts.of_run(logs, shot.run_id, contents)
    except LedgerError as error:
        return {"ledger.json": {"error": str(error)}}
    return {
        "conversion_stats.json": figures,
        "ledger.json": described,
        "run.log": own,
        "detail.log": detail,
    }


def _versions() -> dict[str, Any]:
    try:
        packages = installation.packages()
    except PackageNotFoundError:
        packages = {}
    return {
        "processor": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
        "packages": packages,
    }


def _without_words(shot: Snapshot, contents: Contents) -> Snapshot:
    """A snapshot whose stop quotes no row."""
    session = shot.session
    if session is None or session.stop_message is None:
        return shot
    message = contents.hidden_in_stop(session.stop_message)
    return replace(shot, session=replace(session, stop_message=message))


def _ledger(connection: sqlite3.Connection, contents: Contents) -> dict[str, Any]:
    """What a ledger tells of itself without its rows."""
    cursor = connection.execute("SELECT * FROM sessions ORDER BY number")
    names = [column[0] for column in cursor.description]
    sessions = [dict(zip(names, row, strict=True)) for row in cursor]
    for session in sessions:
        session["settings"] = jsontext.loads(session["settings"])
        if session["stop_message"]:
            session["stop_message"] = contents.hidden_in_stop(session["stop_message"])
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return {
        "schema": version,
        "meta": {name: value for name, value in meta.items() if name not in _META_LEFT_OUT},
        "counters": counters.read(connection),
        "sessions": sessions,
        "sources": [uri for (uri,) in connection.execute("SELECT uri FROM sources")],
    }


def _text(name: str, value: Any) -> str:
    """JSON, or for a log JSON lines."""
    if name.endswith(".json"):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    return "".join(f"{orjson.dumps(event).decode()}\n" for event in value)
