"""What is wanted of a source that holds more than one table."""

from dataclasses import dataclass

__all__ = ["EVERYTHING", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows of a database or a workbook are meant.

    Attributes:
        query: A SELECT; its rows.
        table: `[schema.]name`; all its rows.
        otherwise: A SELECT for when nothing else is said; None when there is none.
        sheet: Of a workbook; None for its first.
    """

    query: str | None = None
    table: str | None = None
    otherwise: str | None = None
    sheet: str | None = None


EVERYTHING = Wanted()
