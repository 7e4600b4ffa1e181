"""Vectors of texts: equal for equal texts, near for near ones, of length 1."""

from array import array
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from math import sqrt

_GRAM_CHARS = 3
_PLACES = 8  # that a gram has a say in
_EARLY_PLACES = 2  # of these: the sooner the likelier, so that short vectors tell much, too
_NUDGED = 8  # numbers at the beginning
_NUDGE = 0.0005
_COMMON_WEIGHT = 0.05  # what all vectors have in common, beside what is the text's own


def vector_of(text: str, seed: int, model: str, *, numbers: int, of: int) -> list[float]:
    """The vector of a text.

    Every three characters in a row add to some of its numbers, so that texts with many of them in
    common are near each other. A shorter vector is the beginning of the longer one, made as long
    as 1 again.

    Args:
        text: Equal texts have equal vectors.
        seed: Of the sandbox.
        model: Another model has other vectors.
        numbers: How many are wanted.
        of: How many the model's own vectors have.
    """
    values = list(_common(seed, model, of))
    # Other texts have other vectors, be they ever so short.
    for place, byte in enumerate(blake2b(text.encode(), digest_size=_NUDGED).digest()):
        values[place] += _NUDGE * byte
    for gram, count in _grams(text).items():
        for place, sign in _places(f"{seed}\x1f{model}\x1f{gram}", of):
            values[place] += sign * count
    return _of_length_one(values[:numbers])


def to_bytes(values: list[float]) -> bytes:
    """Little-endian float32."""
    numbers = array("f", values)
    if _BIG_ENDIAN:
        numbers.byteswap()
    return numbers.tobytes()


_BIG_ENDIAN = array("H", b"\x01\x00")[0] != 1


def _grams(text: str) -> Counter[str]:
    line = f" {' '.join(text.casefold().split())} "
    last = max(1, len(line) - _GRAM_CHARS + 1)
    return Counter(line[at : at + _GRAM_CHARS] for at in range(last))


@lru_cache(maxsize=4096)
def _places(name: str, of: int) -> tuple[tuple[int, int], ...]:
    digest = blake2b(name.encode(), digest_size=4 * _PLACES).digest()
    draws = [int.from_bytes(digest[at : at + 4], "little") for at in range(0, len(digest), 4)]
    early = [int(of ** (draw / 2**32)) - 1 for draw in draws[:_EARLY_PLACES]]
    places = [*early, *(draw % of for draw in draws[_EARLY_PLACES:])]
    return tuple(zip(places, (1 - (draw >> 16 & 2) for draw in draws), strict=True))


@lru_cache(maxsize=16)
def _common(seed: int, model: str, numbers: int) -> tuple[float, ...]:
    """No number of it is 0, so that no beginning of a vector is."""
    name = f"{seed}\x1f{model}".encode()
    signs = b"".join(
        blake2b(name, digest_size=64, salt=block.to_bytes(16, "little")).digest()
        for block in range(-(-numbers // 64))
    )
    return tuple(_COMMON_WEIGHT * (1 + byte / 255) * (-1) ** byte for byte in signs[:numbers])


def _of_length_one(values: list[float]) -> list[float]:
    norm = sqrt(sum(value * value for value in values))
    return [value / norm for value in values]
