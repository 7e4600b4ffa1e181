"""The files that the rows of a run come from, by the URIs of its sources."""

import glob
import os
import sqlite3
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

_SHEET = "#"
_ANY_DEPTH = "**"


def hold(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a file is read by a run, or would be read by its next start once it is there.

    Args:
        connection: The ledger.
        path: Absolute.
    """
    uris = [uri for (uri,) in connection.execute("SELECT uri FROM sources")]
    return any(means(uri, path) for uri in uris)


def means(uri: str, path: Path) -> bool:
    """Whether a source's URI stands for a file: by its name, a link to it, a pattern, a sheet.

    Args:
        uri: As `Source.uri`.
        path: Absolute.
    """
    names = {uri, uri.rpartition(_SHEET)[0] or uri}
    return any(os.path.isabs(name) and _is_of(name, path) for name in names)  # noqa: PTH117 - text


def _is_of(name: str, path: Path) -> bool:
    if name == str(path):
        return True
    try:
        return os.path.samefile(name, path)  # noqa: PTH121 - text
    except (OSError, ValueError):  # one of them is not there
        return glob.has_magic(name) and _fits(path.parts, Path(name).parts)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path is of a pattern, as `glob` reads it: `**` is any number of folders."""
    if not pattern:
        return not parts
    first, rest = pattern[0], pattern[1:]
    if first == _ANY_DEPTH:
        return any(_fits(parts[depth:], rest) for depth in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], first) and _fits(parts[1:], rest)
