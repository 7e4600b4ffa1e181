"""Files as blocks of bytes: opened, unpacked, with their failures told to the user."""

import difflib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from processor.errors import InputError

BLOCK_BYTES = 1 << 18

_NO_GZIP = "Not a gzipped file"
_PACK_AGAIN = "Copy or pack it again."


def stat_file(path: Path, *, name: str) -> os.stat_result:
    """The state of a file that is there.

    Raises:
        InputError: It is missing, or hidden from this user.
    """
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise refusal(error, path, name=name) from error


def file_blocks(path: Path, *, name: str) -> Iterator[bytes]:
    """The bytes of a file, unpacked when it ends in `.gz`.

    Raises:
        InputError: It cannot be opened, read or unpacked.
    """
    begun = False
    try:
        with _open(path) as stream:
            for block in stream_blocks(stream):
                begun = True
                yield block
    except gzip.BadGzipFile as error:
        if begun and _NO_GZIP in str(error):
            raise InputError(
                "holds something else behind its gzip data", source=name, way_out=_PACK_AGAIN
            ) from error
        raise refusal(error, path, name=name) from error
    except (OSError, EOFError, zlib.error) as error:
        raise refusal(error, path, name=name) from error


def stream_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream, as soon as they come."""
    read = getattr(stream, "read1", stream.read)
    while block := read(BLOCK_BYTES):
        yield block


def refusal(error: Exception, path: Path, *, name: str) -> InputError:
    """What the user is told when a file cannot be read."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return InputError("there is no such file", source=name, way_out=_near(path))
        case IsADirectoryError():
            return InputError("is a directory", source=name, way_out="Name a file in it.")
        case PermissionError():
            return InputError(
                "may not be read", source=name, way_out="Ask its owner for permission to read it."
            )
        case gzip.BadGzipFile() if _NO_GZIP in str(error):
            return InputError(
                "ends in .gz but is not gzip", source=name, way_out="Take .gz off its name."
            )
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            return InputError("is a broken or cut off gzip file", source=name, way_out=_PACK_AGAIN)
        case _:
            reason = getattr(error, "strerror", None) or str(error)
            return InputError(f"cannot be read: {reason}", source=name)


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb", buffering=0)


def _near(path: Path) -> str:
    """The files of the same folder that the user may have meant."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either."
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.name != path.name]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else ""
