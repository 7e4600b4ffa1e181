"""A report as a document: sections of blocks, whatever it is written as.

What the parts say is plain text throughout: whoever writes a document escapes all of it. What comes
from rows, answers and providers is told apart from the report's own words: `Foreign`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.etree import ElementTree as ET

Tone = Literal["good", "doubt", "bad", "calm", "none"]
"""What a mark or a colour is to say; never said by a colour alone."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the run; one name has one value in all of a document.

    Attributes:
        name: As in the snapshot, lanes and codes after a dot: `lanes.direct.cost_usd`.
        value: In the snapshot's units; None when it is not known.
        words: What people read.
    """

    name: str
    value: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """What somebody else wrote: a row, an answer, a provider's message."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """What is typed, or stands in files as it stands here."""

    text: str


Part: TypeAlias = str | Figure | Foreign | Code
Line: TypeAlias = Sequence[Part]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph.

    Attributes:
        look: `lead` for the first words of a report, `note` for small print.
    """

    line: Line
    look: Literal["lead", "text", "note"] = "text"


@dataclass(frozen=True, slots=True)
class Card:
    """A figure in large, what it is, and what it is to be measured by."""

    name: str
    figure: Figure
    note: Line = ()
    tone: Tone = "none"


@dataclass(frozen=True, slots=True)
class Cards:
    """Some figures beside each other.

    Attributes:
        title: What they are together; the main figures of a report have none.
    """

    cards: Sequence[Card]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole.

    Attributes:
        of_all: 0 to 1.
    """

    name: str
    figure: Figure
    of_all: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Shares:
    """A whole and its parts."""

    title: str
    shares: Sequence[Share]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        filled: 0 to 1, how strongly it is marked where cells are compared at a glance.
    """

    line: Line
    tone: Tone = "none"
    filled: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below heads; the first cell of a row says what the row is.

    Attributes:
        title: What it shows.
        heads: Of the columns.
        rows: As many cells each as there are heads.
        numbers: Which columns are aligned as numbers are.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, 0 to 1, and what is there."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Key:
    """A line of a chart: its look, what it is."""

    look: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing between two axes, whose words stand beside it, not in it.

    Attributes:
        title: What is drawn.
        drawing: An SVG element without text, which is stretched to the room there is.
        across: Ticks of the axis below, from the left.
        up: Ticks of the axis at the side, from below.
        keys: What is what, where there is more than one line.
        told: What is to be seen, for who does not see it.
        spark: The same in a line of text.
    """

    title: str
    drawing: ET.Element
    across: Sequence[Tick]
    up: Sequence[Tick]
    keys: Sequence[Key]
    told: Line
    spark: str = ""


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts beside each other, where there is room."""

    charts: Sequence[Chart]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Terms, and what there is to say of each."""

    pairs: Sequence[tuple[str, Line]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command to type."""

    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a specimen: what was given, or what came of it.

    Attributes:
        formula: The text drawn, as a MathML element that is safe to show; None if it is none.
    """

    name: str
    text: str
    formula: ET.Element | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    """An item shown whole.

    Attributes:
        name: Its id.
        state: In a word, with the tone that goes with it.
        told: What else there is to say: lane, attempts, time, cost.
        fields: Columns of the row that are not among the sides, and their values.
        notes: Of its check, or why it failed.
    """

    name: str
    state: str
    tone: Tone
    told: Line
    sides: Sequence[Side]
    fields: Sequence[tuple[str, str]] = ()
    notes: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Specimens:
    """Items shown whole, one below the other."""

    specimens: Sequence[Specimen]


Block: TypeAlias = Prose | Cards | Shares | Table | Charts | Pairs | Command | Specimens


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a head.

    Attributes:
        name: Unique in its document: letters and hyphens.
    """

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Attributes:
        kicker: What kind of document it is.
        state: How the run stands, in a word or two.
        about: What the run is.
        head: Blocks before the first section.
        foot: Who made it, when, of what.
    """

    kicker: str
    title: str
    state: str
    tone: Tone
    about: Line
    head: Sequence[Block]
    sections: Sequence[Section]
    foot: Line


def cells(*lines: Part | Line) -> list[Cell]:
    """A row of a table, of what stands in its cells."""
    return [Cell(_line(one)) for one in lines]


def _line(one: Part | Line) -> Line:
    return (one,) if isinstance(one, (str, Figure, Foreign, Code)) else one
