"""Files as blocks of bytes: opened, unpacked, with their failures told to the user."""

import difflib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from processor import packing
from processor.errors import InputError

BLOCK_BYTES = 1 << 18

_NOT_PACKED = ("Not a gzipped file", "Unknown frame descriptor")
_BROKEN = (OSError, EOFError, zlib.error, packing.ZstandardError)
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


def uri_of(path: Path) -> str:
    """An absolute path as text; links are kept, so that a link moved on stays the same source.

    A folder's name may be of another encoding than UTF-8.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def stamp_of(path: Path, *, name: str) -> str | None:
    """Path, size and time of the last change; None for a pipe.

    Raises:
        InputError: There is no such file.
    """
    state = stat_file(path, name=name)
    if not S_ISREG(state.st_mode):
        return None
    return f"{uri_of(path)} {state.st_size} {state.st_mtime_ns}"


def regular_stamp(path: Path, *, name: str) -> str:
    """The same, of a format that is not read from its beginning to its end.

    Raises:
        InputError: There is no such file, or it is a pipe.
    """
    stamp = stamp_of(path, name=name)
    if stamp is None:
        raise InputError("is no regular file", source=name, way_out="Save it as a file first.")
    return stamp


def file_blocks(path: Path, *, name: str) -> Iterator[bytes]:
    """The bytes of a file, unpacked when it ends in `.gz` or `.zst`.

    Raises:
        InputError: It cannot be opened, read or unpacked.
    """
    begun = False
    try:
        with packing.unpacking(path) as stream:
            for block in stream_blocks(stream):
                begun = True
                yield block
    except _BROKEN as error:
        if begun and _is_foreign(error):
            raise InputError(
                f"holds something else behind its {_kind(path)} data",
                source=name,
                way_out=_PACK_AGAIN,
            ) from error
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
        case gzip.BadGzipFile() | packing.ZstandardError() if _is_foreign(error):
            ending = path.suffix.lower()
            return InputError(
                f"ends in {ending} but is not {_kind(path)}",
                source=name,
                way_out=f"Take {ending} off its name.",
            )
        case EOFError() | zlib.error() | gzip.BadGzipFile() | packing.ZstandardError():
            return InputError(
                f"is a broken or cut off {_kind(path)} file", source=name, way_out=_PACK_AGAIN
            )
        case _:
            reason = getattr(error, "strerror", None) or str(error)
            return InputError(f"cannot be read: {reason}", source=name)


def _is_foreign(error: Exception) -> bool:
    """Whether what was to be unpacked was never packed."""
    return any(words in str(error) for words in _NOT_PACKED)


def _kind(path: Path) -> str:
    return "Zstandard" if path.suffix.lower() == packing.ZSTANDARD else "gzip"


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
