"""Packed files: gzip, and Zstandard, which the standard library has from Python 3.14 on."""

import gzip
import sys
from pathlib import Path
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP = ".gz"
ZSTANDARD = ".zst"
ENDINGS = (GZIP, ZSTANDARD)
ZstandardError = zstd.ZstdError


def split(name: str) -> tuple[str, str]:
    """The ending that tells a file's format, and the one that tells how it is packed, or none."""
    path = Path(name.lower())
    if path.suffix in ENDINGS:
        return Path(path.stem).suffix, path.suffix
    return path.suffix, ""


def unpacking(path: Path) -> BinaryIO:
    """A file's bytes, unpacked as its name's ending says.

    Raises:
        OSError: It cannot be opened.
    """
    match path.suffix.lower():
        case ".gz":
            return cast("BinaryIO", gzip.open(path, "rb"))
        case ".zst":
            return cast("BinaryIO", zstd.open(path, "rb"))
        case _:
            return path.open("rb", buffering=0)


def packing(stream: BinaryIO, ending: str) -> BinaryIO:
    """What packs on its way into a stream, which stays open; the same bytes each time.

    Args:
        stream: Takes the packed bytes.
        ending: One of `ENDINGS`.
    """
    if ending == GZIP:
        return cast("BinaryIO", gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0))
    return cast("BinaryIO", zstd.ZstdFile(stream, "wb"))
