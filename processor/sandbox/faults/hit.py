"""A request that a fault hits."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from processor.sandbox.clock import Clock

# Raises ValueError when a text cannot be a parameter's value.
Reader = Callable[[str], object]


def seconds(text: str) -> float:
    """A time to wait."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def status(text: str) -> int:
    """An HTTP status of a final response."""
    value = int(text)
    if not 200 <= value <= 599:
        raise ValueError(text)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A request that a fault hits, and what would have been answered.

    Attributes:
        params: The fault's, as given.
        completion: The good answer; empty for kinds that give none.
    """

    request: web.Request
    clock: Clock
    params: Mapping[str, str]
    headers: Mapping[str, str]
    completion: dict[str, Any]


class Kind(Protocol):
    """A way to go wrong."""

    @property
    def paid(self) -> bool:
        """Whether the model gave an answer, which is then paid for."""

    @property
    def whole(self) -> bool:
        """Whether a whole response is sent."""

    @property
    def params(self) -> Mapping[str, Reader]:
        """The parameters it takes, and how each is read."""

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """Send what goes wrong, or give it back to be sent."""
