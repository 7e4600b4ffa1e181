"""What a reader of workbooks passes over silently: failed formulas, formulas never calculated.

Both look like empty cells to it, and a model would be asked about nothing. They are found in the
text of the sheet itself, a block at a time.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from xml.etree import ElementTree as ET

from processor.errors import InputError

_BLOCK_BYTES = 1 << 20
_MOST_ROW_BYTES = 64 << 20
_MOST_BYTES = 4 << 30
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(rb"<c\b([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_FAILED = re.compile(rb'\bt="e"')
_TEXT = re.compile(rb'\bt="str"')
_VALUE = re.compile(rb"<v[^>]*>([^<]+)</v>")


def refuse_bomb(path: Path, *, name: str) -> None:
    """Refuse a workbook that would not fit into memory.

    Raises:
        InputError: It is none, or it unpacks to gigabytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(
            "is a broken or cut off Excel workbook",
            source=name,
            way_out="Save it in Excel as .xlsx.",
        ) from error
    if size > _MOST_BYTES:
        raise InputError(
            f"unpacks to {size >> 30:,} GB", source=name, way_out="Save the sheet as CSV UTF-8."
        )


def of_sheet(path: Path, sheet: str | None) -> Mapping[int, str]:
    """What is wrong with the rows of a sheet, by their numbers; its first fault of each.

    Args:
        path: A whole workbook.
        sheet: Its name; None for the first.
    """
    found: dict[int, str] = {}
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            return found
        with archive.open(part) as stream:
            for text in _whole_rows(cast("BinaryIO", stream)):
                if b"<f" in text or b't="e"' in text:
                    _look_into(text, found)
    return found


def _look_into(text: bytes, found: dict[int, str]) -> None:
    for attributes, content in _CELL.findall(text):
        place = _PLACE.search(attributes)
        if place is None:
            continue
        value = _VALUE.search(content)
        cell, number = (place[1] + place[2]).decode(), int(place[2])
        if _FAILED.search(attributes):
            what = value[1].decode() if value else "an error"
            found.setdefault(number, f"has {what} in {cell}, where a formula failed")
        elif b"<f" in content and value is None and not _TEXT.search(attributes):
            found.setdefault(
                number,
                f"has a formula in {cell} that was never calculated: open the file in Excel and "
                "save it",
            )


def _whole_rows(stream: BinaryIO) -> Iterator[bytes]:
    """The text of a sheet, cut behind rows."""
    begun = b""
    while block := stream.read(_BLOCK_BYTES):
        begun += block
        cut = begun.rfind(b"</row>") + 1
        if not cut and len(begun) > _MOST_ROW_BYTES:
            return  # none that Excel wrote
        if cut:
            yield begun[:cut]
            begun = begun[cut:]
    yield begun


def _part_of(archive: zipfile.ZipFile, sheet: str | None) -> str | None:
    """The file within a workbook that holds a sheet; None when it is not as Excel makes them."""
    try:
        # expat itself bounds what entities grow to
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - see above
        relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ET.ParseError):
        return None
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for each in book.iter(f"{_MAIN}sheet"):
        target = targets.get(each.get(_RELATION), "")
        if "worksheets/" in target and sheet in (None, each.get("name")):
            part = str(PurePosixPath("/xl") / target).removeprefix("/")
            return part if part in archive.namelist() else None
    return None
