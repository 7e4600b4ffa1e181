"""Reports as files.

A run writes none by itself: it would be made anew at every start of a nightly job, and it shows
rows and answers, which is for people to decide. Who asks for a notification gets it with that.
"""

from pathlib import Path

from processor.errors import UsageError
from processor.exports.atomic import replacing
from processor.exports.place import expect_room
from processor.reporting import html, markdown
from processor.reporting.composing import compose
from processor.reporting.gathering import Findings, gather

REPORT_NAME = "report.html"
FORMATS = {"html": html.written, "md": markdown.written}


def write(folder: Path, path: Path | None = None, *, content: bool = True) -> Path:
    """Write the report of a run as HTML; returns the file.

    Args:
        folder: The run's.
        path: Where to; by default `report.html` in the run's folder.
        content: Whether it shows a sample of rows, answers and messages.

    Raises:
        LedgerError: There is no ledger, it cannot be read, or the disk refuses.
    """
    path = folder / REPORT_NAME if path is None else path
    put(text(gather(folder, content=content), "html"), path)
    return path


def expect_place(path: Path, form: str) -> None:
    """See that a report can be put into a file, before the work.

    Args:
        path: Of the file, which has the ending of its form: no other file of a run has it, no
            input, and no device.
        form: Of the report, as `text` has it.

    Raises:
        UsageError: It cannot, or should not.
    """
    named = f"--output {path}"
    if path.suffix != f".{form}":
        raise UsageError(f"{named}: is no .{form}", way_out=f"Name a file .{form}; see --format.")
    expect_room(path, named)


def text(found: Findings, form: str) -> str:
    """A report as `html` or `md`."""
    return FORMATS[form](compose(found))


def put(told: str, path: Path) -> None:
    """Put a report into a file, whole or not at all.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing(path) as file:
        file.write(told)
