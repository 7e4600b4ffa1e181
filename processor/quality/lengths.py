"""How long texts are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from unicodedata import normalize

from processor.quality.figure import Figure, share


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Lengths of all texts, in characters (NFC), exact; None without texts.

    Attributes:
        texts: How many there are.
        empty: Share of those with nothing but white space.
    """

    texts: int
    least: int | None
    p5: int | None
    p50: int | None
    p95: int | None
    most: int | None
    empty: Figure


class Ruler:
    """Measures texts; takes the memory of the different lengths."""

    def __init__(self) -> None:
        self._lengths = Counter[int]()
        self._empty = 0

    def add(self, text: str) -> None:
        """Measure a text."""
        self._lengths[len(normalize("NFC", text))] += 1
        self._empty += not text.strip()

    def lengths(self) -> Lengths:
        """What was measured so far."""
        texts = self._lengths.total()
        return Lengths(
            texts=texts,
            least=percentile(self._lengths, 0.0),
            p5=percentile(self._lengths, 0.05),
            p50=percentile(self._lengths, 0.5),
            p95=percentile(self._lengths, 0.95),
            most=percentile(self._lengths, 1.0),
            empty=share(self._empty, texts),
        )


def percentile(counts: Mapping[int, int], part: float) -> int | None:
    """The least value that a part of all values is not above (nearest rank); None without any.

    Args:
        counts: How often each value was seen.
        part: 0 to 1.
    """
    rank, seen = part * sum(counts.values()), 0
    for value, count in sorted(counts.items()):
        seen += count
        if seen >= rank:
            return value
    return None
