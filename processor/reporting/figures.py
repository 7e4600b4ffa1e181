"""Figures as a report writes them: a name, the exact value, and words."""

from processor.console import words
from processor.quality.figure import Figure as Measured
from processor.reporting.document import Code, Figure, Line

_LITTLE = 0.0005  # of a share, which would be written as 0.0%


def count(name: str, value: int) -> Figure:
    """`2,980`."""
    return Figure(name, value, f"{value:,}")


def share(name: str, value: float | None) -> Figure:
    """`98.0%`; of very little `<0.1%`."""
    is_little = value is not None and 0 < value < _LITTLE
    return Figure(name, value, "<0.1%" if is_little else words.share(value))


def usd(name: str, value: float | None) -> Figure:
    """`$0.0162`."""
    return Figure(name, value, words.money(value))


def seconds(name: str, value: float | None) -> Figure:
    """`4m12s`."""
    return Figure(name, value, words.duration(value))


def milliseconds(name: str, value: float | None) -> Figure:
    """`41 ms`."""
    return Figure(name, value, words.milliseconds(value))


def per_s(name: str, value: float | None) -> Figure:
    """`35.2/s`."""
    return Figure(name, value, words.rate(value))


def size(name: str, value: float) -> Figure:
    """`1.2 MB`."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= bytes_:
            return Figure(name, value, f"{value / bytes_:,.1f} {unit}")
    return Figure(name, value, f"{value:.0f} B")


def coded(text: str) -> Line:
    """A sentence of ours, in which what is typed stands between backticks."""
    return tuple(
        Code(part) if place % 2 else part for place, part in enumerate(text.split("`")) if part
    )


def measured(name: str, figure: Measured, *, is_share: bool = True) -> Figure:
    """A measure of quality."""
    if not is_share and figure.value is not None:
        return Figure(name, figure.value, f"{figure.value + 0.0:.3f}")
    return share(name, figure.value)


def interval(figure: Measured, *, is_share: bool = True) -> str:
    """`96.8–99.6%`, or why there is none."""
    if figure.low is None or figure.high is None:
        return figure.note or "–"
    if is_share:
        return f"{words.share(figure.low).removesuffix('%')}–{words.share(figure.high)}"
    return f"{figure.low:.3f}–{figure.high:.3f}"
