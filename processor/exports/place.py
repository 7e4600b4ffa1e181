"""Whether a file can be put in its place, found out before there is anything to put there."""

import os
from pathlib import Path

from processor.errors import UsageError


def expect_room(path: Path, named: str) -> None:
    """See that a file can be written there.

    Args:
        path: Of the file, links followed.
        named: Option and file as they were typed, for the message.

    Raises:
        UsageError: It cannot: no folder, no permission, or something else is there.
    """
    try:
        problem, way_out = _obstacle(path)
    except OSError as error:  # such as a name that is too long
        problem, way_out = error.strerror or str(error), "Name another file."
    if problem:
        raise UsageError(f"{named}: {problem}", way_out=way_out)


def _obstacle(path: Path) -> tuple[str, str]:
    """Why a file cannot be put in its place, and the way out; nothing where it can.

    Raises:
        OSError: It cannot even be looked at.
    """
    folder, way_out = path.parent, "Name another file, or mend its permissions."
    if path.is_dir():
        return "is a directory", "Name a file in it."
    if not folder.is_dir():
        return f"there is no folder {folder}", "Make it, or name another."
    if path.exists() and not path.is_file():
        return "is no regular file", way_out
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} may not be written", way_out
    return "", ""
