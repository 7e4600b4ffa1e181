"""How alike texts are: the cosine of their TF-IDF vectors over three characters in a row.

Text is composed (NFC), folded to small letters, white space is one space. Weights are those that
scikit-learn's `TfidfVectorizer(analyzer="char", ngram_range=(3, 3))` gives: counts, times
ln((1 + texts) / (1 + texts with it)) + 1, to length 1. So 1 is for texts with the same runs, 0 for
texts without a common one. Means over pairs come from sums of vectors; no pair is looked at.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt
from unicodedata import normalize

Vector = Mapping[str, float]

LONGEST = 2_000
"""Characters at the beginning of a text that are looked at."""

_GRAM_CHARACTERS = 3


def vectors(texts: Sequence[str]) -> list[Vector]:
    """The vectors of texts, each of length 1; weights are those of these texts together."""
    counts = [Counter(_grams(text)) for text in texts]
    documents = Counter(gram for count in counts for gram in count)
    weights = {gram: log((1 + len(texts)) / (1 + seen)) + 1 for gram, seen in documents.items()}
    return [
        of_length_one({gram: n * weights[gram] for gram, n in count.items()}) for count in counts
    ]


def of_length_one(vector: Vector) -> Vector:
    """A vector in its direction; one of length 0 as it is."""
    length = sqrt(sum(value * value for value in vector.values()))
    return {gram: value / length for gram, value in vector.items()} if length else vector


def dot(one: Vector, other: Vector) -> float:
    """The product of two vectors: of length 1, their cosine."""
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other[gram] for gram, value in one.items() if gram in other)


def summed(some: Iterable[Vector]) -> Vector:
    """The sum of vectors."""
    total: dict[str, float] = {}
    for vector in some:
        for gram, value in vector.items():
            total[gram] = total.get(gram, 0.0) + value
    return total


def cosines(some: Sequence[Vector]) -> list[list[float]]:
    """The cosine of each of some vectors of length 1 with each."""
    found: list[list[float]] = []
    seen: dict[str, list[tuple[int, float]]] = {}
    for place, vector in enumerate(some):
        row = [0.0] * place
        for gram, value in vector.items():
            before = seen.setdefault(gram, [])
            for other, weight in before:
                row[other] += value * weight
            before.append((place, value))
        found.append([bounded(cosine) for cosine in row])
    for place, row in enumerate(found):
        row.append(1.0)
        row.extend(found[later][place] for later in range(place + 1, len(found)))
    return found


def to_others(some: Sequence[Vector]) -> list[float]:
    """Of each of at least two vectors of length 1, the mean cosine with the others."""
    total = summed(some)
    return [bounded((dot(vector, total) - 1) / (len(some) - 1)) for vector in some]


def bounded(cosine: float) -> float:
    """Without what rounding puts beyond the ends."""
    return min(1.0, max(0.0, cosine))


def _grams(text: str) -> list[str]:
    line = " ".join(normalize("NFC", text[:LONGEST]).lower().split())
    last = max(1, len(line) - _GRAM_CHARACTERS + 1)  # a short text is one gram
    return [line[start : start + _GRAM_CHARACTERS] for start in range(last)]
