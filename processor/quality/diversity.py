"""How different the answers of a run are from each other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from processor.quality import bootstrap, grams, likeness
from processor.quality.figure import Figure, share, too_few

_LONGEST_RUN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Texts among each other.

    Attributes:
        answers: How many are looked at.
        unique: Share of those that no other one equals.
        similarity: Mean over pairs; the interval is by drawing answers again.
        distinct_words: Distinct-1, -2 and -3 of words by white space, see `grams.distinct`.
        distinct_characters: The same of characters without white space.
    """

    answers: int
    unique: Figure
    similarity: Figure
    distinct_words: tuple[Figure, ...]
    distinct_characters: tuple[Figure, ...]


def measure(texts: Sequence[str], *, seed: int) -> Diversity:
    """Look at texts beside each other, in whatever order.

    Args:
        texts: All of them.
        seed: Of the interval.
    """
    texts = sorted(texts)
    words = [grams.words(text) for text in texts]
    characters = [grams.characters(text) for text in texts]
    lengths = range(1, _LONGEST_RUN + 1)
    return Diversity(
        answers=len(texts),
        unique=share(sum(n == 1 for n in Counter(texts).values()), len(texts)),
        similarity=_similarity(texts, seed),
        distinct_words=tuple(grams.distinct(words, length) for length in lengths),
        distinct_characters=tuple(grams.distinct(characters, length) for length in lengths),
    )


def _similarity(texts: Sequence[str], seed: int) -> Figure:
    if len(texts) < 2:
        return too_few(len(texts), 2, "answers")
    near = likeness.to_others(likeness.vectors(texts))
    return bootstrap.mean_of_pairs([(value, 1) for value in near], seed=seed, called="answers")
