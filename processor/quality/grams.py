"""Texts in pieces: words by white space, characters without it, and runs of either.

Words of Korean carry their particles, so that few are equal; its characters are syllables. Both
are looked at, because neither tells all.
"""

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import normalize

from processor.quality.figure import Figure


def words(text: str) -> list[str]:
    """What stands between white space, composed (NFC)."""
    return normalize("NFC", text).split()


def characters(text: str) -> str:
    """All characters but white space, composed (NFC)."""
    return "".join(words(text))


def runs(tokens: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """Every run of so many tokens."""
    for start in range(len(tokens) - length + 1):
        yield tuple(tokens[start : start + length])


def distinct(texts: Iterable[Sequence[str]], length: int) -> Figure:
    """Distinct-n (Li et al. 2016): how many runs of tokens are different, of all there are.

    It falls as more text is counted, so that only figures of about the same `n` compare; it has
    no interval, because cases drawn again are repetitions.

    Args:
        texts: Each as tokens; no run spans two.
        length: Tokens of a run.
    """
    found, n = set[tuple[str, ...]](), 0
    for tokens in texts:
        before = n
        n = before + max(0, len(tokens) - length + 1)
        found.update(runs(tokens, length))
    if not n:
        return Figure(value=None, n=0, note="no text is long enough")
    return Figure(value=len(found) / n, n=n)
