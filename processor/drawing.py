"""A drawing as SVG: shapes, no scripts, no references, the same text for the same shapes.

Written by the standard library. What draws charts for Python either weighs tens of megabytes
(matplotlib) or saves little more than the names of elements; every comparison and report draws
some.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

_SPACE = "http://www.w3.org/2000/svg"
Point = tuple[float, float]


class Drawing:
    """Shapes on a rectangle; lengths in pixels, from the upper left corner.

    Args:
        width: Of the whole.
        height: Of the whole.
        style: CSS of the classes of shapes; empty when it is that of the page around it.
        title: What is to be seen, for who cannot see it.
        stretched: It takes whatever room it gets, each way; without a style of its own it has none
            of text either, which would be stretched, too.

    Attributes:
        root: The whole, to be put into a page.
    """

    def __init__(
        self, width: float, height: float, *, title: str, style: str = "", stretched: bool = False
    ) -> None:
        size = {"width": _number(width), "height": _number(height)}
        if stretched:
            size = {"preserveAspectRatio": "none"}
        view = f"0 0 {_number(width)} {_number(height)}"
        self.root = ET.Element("svg", {"xmlns": _SPACE, **size, "viewBox": view, "role": "img"})
        ET.SubElement(self.root, "title").text = title
        if style:
            ET.SubElement(self.root, "style").text = style

    def rect(
        self, at: Point, size: Point, *, look: str, round_px: float = 0, title: str = ""
    ) -> None:
        """A rectangle by its upper left corner; `title` is told who points at it."""
        shape = self._add(
            "rect",
            look,
            x=_number(at[0]),
            y=_number(at[1]),
            width=_number(size[0]),
            height=_number(size[1]),
            rx=_number(round_px),
        )
        if title:
            ET.SubElement(shape, "title").text = title

    def area(self, points: Sequence[Point], *, look: str) -> None:
        """What is between points, whose last one is joined to the first."""
        told = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._add("polygon", look, points=told)

    def line(self, points: Sequence[Point], *, look: str) -> None:
        """A line from point to point."""
        told = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._add("polyline", look, points=told)

    def circle(self, at: Point, radius: float, *, look: str) -> None:
        """A circle by its centre."""
        self._add("circle", look, cx=_number(at[0]), cy=_number(at[1]), r=_number(radius))

    def text(self, at: Point, words: str, *, look: str = "", anchor: str = "start") -> None:
        """A line of text by the start, middle or end of its base line."""
        shape = self._add("text", look, x=_number(at[0]), y=_number(at[1]))
        shape.set("text-anchor", anchor)
        shape.text = words

    def done(self) -> str:
        """The whole as text."""
        ET.indent(self.root)
        return ET.tostring(self.root, encoding="unicode") + "\n"

    def _add(self, kind: str, look: str, **attributes: str) -> ET.Element:
        named = {"class": look} if look else {}
        return ET.SubElement(self.root, kind, {**attributes, **named})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
