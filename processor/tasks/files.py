"""Files that tasks are made of: their own, and those of their schemas."""

from pathlib import Path
from typing import Any

import orjson

from processor.errors import TaskError


def read_text(path: Path, *, where: str) -> str:
    """The text of a file, with or without a byte order mark.

    Raises:
        TaskError: It cannot be read, or is no UTF-8; one line that begins with `where`.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise TaskError(f"{where}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{where}: not UTF-8, at byte {error.start}") from error


def read_schema(path: Path, *, where: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        TaskError: It cannot be read, or holds something else.
    """
    text = read_text(path, where=where)
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise TaskError(f"{where}: not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise TaskError(f"{where}: no JSON Schema: must be an object")
    return schema
