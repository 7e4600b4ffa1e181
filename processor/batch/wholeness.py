"""Whether a file of a batch's answers came as a whole. Pure but for reading the file."""

import os
from collections.abc import Mapping
from typing import BinaryIO

import orjson

from processor.batch.reading import hides_error
from processor.provider_error import clean

_BLOCK_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"


def shortcoming(file: BinaryIO, told_bytes: int | None) -> str:
    """What is wrong with a file; empty when nothing is.

    A file may be empty. It may be larger than it is told to be, as not all servers count alike. If
    it has just the size that is told, it came as a whole however it ends: then the provider's own
    is cut off, and no other download would bring more.

    Args:
        file: At any place; it is moved.
        told_bytes: Its size as the provider says; None when not said.
    """
    size = file.seek(0, os.SEEK_END)
    if told_bytes is not None and size < told_bytes:
        return f"Only {size:,} of {told_bytes:,} bytes came"
    file.seek(0)
    head = file.read(_BLOCK_BYTES).removeprefix(_BOM).strip()
    if head and not _begins_like_answers(head):
        return f"The file holds no answers: {clean(head.decode(errors='replace'))}"
    whole = size == told_bytes or _ends_whole(file, size)
    return "" if whole else "The last line of the file is cut off"


def is_rest(headers: Mapping[str, str], begin: int) -> bool:
    """Whether an answer with a part of a file goes on at a byte, and as the file itself has it."""
    told = headers.get("content-range", "")
    plain = headers.get("content-encoding", "identity") == "identity"
    return plain and told.lower().startswith(f"bytes {begin}-")


def _begins_like_answers(head: bytes) -> bool:
    """A page, and an error in the place of the file, are none."""
    if head[:1] != b"{":
        return False
    try:
        only = orjson.loads(head)
    except orjson.JSONDecodeError:  # more than one, as it should be
        return True
    return "custom_id" in only or not hides_error(only)


def _ends_whole(file: BinaryIO, size: int) -> bool:
    r"""The last line ends in `\n`, or is JSON without it."""
    last = b""
    while size and b"\n" not in last:
        block = min(size, _BLOCK_BYTES)
        size = file.seek(size - block)
        last = file.read(block) + last
    last = last.rpartition(b"\n")[2].removeprefix(_BOM).strip()
    if not last:
        return True
    try:
        orjson.loads(last)
    except orjson.JSONDecodeError:
        return False
    return True
