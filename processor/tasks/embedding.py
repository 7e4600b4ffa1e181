"""A vector as an answer."""

import binascii
import struct
from math import isfinite

from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item

_NUMBER_BYTES = 4
# In the last byte of a number that is infinite, is none, or is far larger than any embedding's.
_SUSPECT = (0x7F, 0xFF)


class VectorCheck:
    """Accepts vectors of finite float32 that go together: all of one length, none of them zero.

    Unlike other checks it remembers: where no length is asked for, the first vector of the run
    tells it.

    Args:
        length: How many numbers are asked for; None for as many as the model gives.
    """

    def __init__(self, length: int | None) -> None:
        self._asked = length
        self._length = length

    def expect(self, length: int) -> None:
        """Go on with vectors of this length, as an earlier start of the run got them.

        Raises:
            TaskError: Another length is asked for.
        """
        if self._asked not in {None, length}:
            raise TaskError(
                f"parameters: dimensions: {self._asked}, but the vectors of this run have "
                f"{length} numbers",
                way_out="--new starts afresh.",
            )
        self._length = length

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The vector, or what is wrong with it."""
        try:
            vector = binascii.a2b_base64(answer, strict_mode=True)
        except ValueError:
            return Invalid(problem="The vector is not base64.")
        length, rest = divmod(len(vector), _NUMBER_BYTES)
        if rest or not length:
            return Invalid(problem=f"The vector has {len(vector)} bytes, which are no float32.")
        if self._length not in {None, length}:
            wanted = "were asked for" if self._asked else "have the others of this run"
            return Invalid(problem=f"The vector has {length} numbers, but {self._length} {wanted}.")
        if not _is_finite(vector):
            return Invalid(problem="The vector holds a number that is infinite or none.")
        if not any(vector):
            return Invalid(problem="All numbers of the vector are 0.")
        self._length = length
        return Accepted(result=f"{length} float32", vector=vector)


def _is_finite(vector: bytes) -> bool:
    last = vector[_NUMBER_BYTES - 1 :: _NUMBER_BYTES]
    if not any(byte in last for byte in _SUSPECT):
        return True
    return all(isfinite(number) for (number,) in struct.iter_unpack("<f", vector))
