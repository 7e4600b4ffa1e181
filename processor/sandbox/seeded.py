"""Chance that repeats: numbers drawn from a seed and a name, whatever the order of the draws."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def draw(seed: int, *name: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the name."""
    text = "\x1f".join((str(seed), *map(str, name)))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)


def pick(choices: Sequence[T], seed: int, *name: object) -> T:
    """One of the choices, as `draw` decides."""
    return choices[int(draw(seed, *name) * len(choices))]
