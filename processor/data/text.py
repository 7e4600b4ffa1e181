"""Text in any encoding as UTF-8 bytes, in parts that end where a line ends."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from processor.errors import InputError, UsageError

# A longer row is no row: an unclosed quote, a file without line ends. It bounds the memory.
ROW_LIMIT_BYTES = 32 << 20

_HEAD_BYTES = 4  # as many as the longest mark
# So many whole characters to a broken one are no accident, even if CP949 can read them too.
_DAMAGED_RATIO = 8
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"\x1f\x8b", "packed with gzip", "End its name in .gz."),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", "End its name in .zst."),
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "End its name in .xlsx, or unpack it."),
    (b"PAR1", "a Parquet file", "End its name in .parquet."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save it as .xlsx or CSV UTF-8."),
)


def known_encoding(name: str) -> str:
    """The codec that an encoding's name stands for.

    Raises:
        UsageError: Python knows no such text encoding.
    """
    try:
        "".encode(name)
        codec = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"unknown encoding {name!r}", way_out="Known are utf-8, cp949, euc-kr, utf-16, cp1252."
        ) from error
    # What calls itself EUC-KR holds syllables that only its superset CP949 has.
    return {"utf-8-sig": "utf-8", "euc_kr": "cp949"}.get(codec, codec)


def utf8_lines(blocks: Iterable[bytes], *, encoding: str | None, source: str) -> Iterator[bytes]:
    """Bytes of a text as UTF-8 without a byte order mark, whole lines at a time.

    With `encoding` None a byte order mark decides; without one the first part that is not plain
    ASCII does, between UTF-8 and CP949. What is taken for UTF-8 passes unchecked.

    Args:
        blocks: The text in pieces of any size.
        encoding: As `known_encoding` gives it.
        source: As the user named it, for messages.

    Raises:
        InputError: It is no text, is not in that encoding, or a line exceeds `ROW_LIMIT_BYTES`.
    """
    head, blocks = _peek(blocks)
    encoding = encoding or _marked(head)
    _refuse_foreign(head, text_is_wide=bool(encoding), source=source)
    if encoding not in {None, "utf-8"}:
        blocks = _recode(blocks, encoding, source=source)
    parts = _without_mark(_whole_lines(blocks, source=source))
    yield from parts if encoding else _recognised(parts, source=source)


def begun(parts: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The parts up to the first that is not blank, as one, and all parts."""
    rest = iter(parts)
    first = b""
    for part in rest:
        first += part
        if not part.isspace():
            break
    return first, chain([first], rest)


def recognise(text: bytes) -> str | None:
    """UTF-8 or CP949, whichever the bytes are; None when they are neither.

    UTF-8 that is damaged in places still counts as UTF-8, so that its damage is reported.
    """
    lenient = text.decode(errors="replace")
    lost = lenient.count("\ufffd")
    kept = len(lenient) - len(lenient.encode("ascii", "ignore")) - lost
    if lost == 0 or kept > _DAMAGED_RATIO * lost:
        return "utf-8"
    try:
        text.decode("cp949")
    except UnicodeDecodeError:
        return "utf-8" if kept > lost else None
    return "cp949"


def _peek(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all blocks."""
    rest = iter(blocks)
    head = b""
    for block in rest:
        head += block
        if len(head) >= _HEAD_BYTES:
            break
    return head[:_HEAD_BYTES], chain([head], rest)


def _marked(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def _refuse_foreign(head: bytes, *, text_is_wide: bool, source: str) -> None:
    for magic, what, way_out in _FOREIGN:
        if head.startswith(magic):
            raise InputError(f"is {what}", source=source, way_out=way_out)
    if b"\0" in head and not text_is_wide:
        raise InputError(
            "line 1 is not text: it begins with a NUL byte",
            source=source,
            way_out="Mend it; if the text is UTF-16, add --encoding utf-16-le.",
        )


def _recode(
    blocks: Iterable[bytes], encoding: str, *, source: str, line: int = 1
) -> Iterator[bytes]:
    """UTF-8 of blocks in another encoding; `line` is the number of their first line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in chain(blocks, [b""]):
            recoded = decoder.decode(block, final=not block).encode()
            yield recoded
            line += recoded.count(b"\n")
    except UnicodeError as error:
        if isinstance(error, UnicodeDecodeError):
            line += error.object[: error.start].decode(error.encoding, "ignore").count("\n")
        raise InputError(
            f"line {line} is not {encoding}",
            source=source,
            way_out="Name its encoding with --encoding.",
        ) from error


def _whole_lines(blocks: Iterable[bytes], *, source: str) -> Iterator[bytes]:
    """Blocks cut anew behind line ends; only the last may end without one."""
    begun: list[bytes] = []
    begun_bytes = 0
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join((*begun, block[:cut]))
            begun, begun_bytes = [], 0
        begun.append(block[cut:])
        begun_bytes += len(block) - cut
        if begun_bytes > ROW_LIMIT_BYTES:
            raise InputError(
                f"has a line of more than {ROW_LIMIT_BYTES >> 20} MB",
                source=source,
                way_out="Put each row on a line of its own.",
            )
    if begun_bytes:
        yield b"".join(begun)


def _without_mark(parts: Iterator[bytes]) -> Iterator[bytes]:
    first = next(parts, b"")
    return chain([first.removeprefix(codecs.BOM_UTF8)], parts)


def _recognised(parts: Iterator[bytes], *, source: str) -> Iterator[bytes]:
    """The parts as UTF-8, the first that is not ASCII deciding how they are read."""
    line = 1
    for part in parts:
        if part.isascii():
            yield part
            line += part.count(b"\n")
            continue
        encoding = recognise(part)
        rest = chain([part], parts)
        if encoding is None:
            raise _neither(part, line, source=source)
        yield from (
            rest if encoding == "utf-8" else _recode(rest, encoding, source=source, line=line)
        )


def _neither(part: bytes, line: int, *, source: str) -> InputError:
    first = _NOT_ASCII.search(part)
    line += part.count(b"\n", 0, first.start()) if first else 0
    return InputError(
        f"is neither UTF-8 nor CP949 from line {line} on",
        source=source,
        way_out="Name its encoding with --encoding, for instance cp1252.",
    )
