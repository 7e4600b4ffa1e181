"""A request that a fault hits."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
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


def share(text: str) -> float:
    """A part of a whole."""
    value = float(text)
    if not 0 <= value <= 1:
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
        content: The good answer's bytes, where it is no JSON.
        content_kind: Their content type.
    """

    request: web.Request
    clock: Clock
    params: Mapping[str, str]
    headers: Mapping[str, str]
    completion: dict[str, Any]
    content: bytes | None = None
    content_kind: str = "application/octet-stream"

    @property
    def sent(self) -> bytes:
        """The good answer as it would be sent."""
        return orjson.dumps(self.completion) if self.content is None else self.content

    @property
    def content_type(self) -> str:
        """Of the good answer."""
        return "application/json" if self.content is None else self.content_kind


class Kind(Protocol):
    """A way to go wrong."""

    @property
    def paid(self) -> bool:
        """Whether the model gave an answer, which is then paid for, or what was asked was done."""

    @property
    def whole(self) -> bool:
        """Whether a whole response is sent."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it can hit; the first is where it hits by itself."""

    @property
    def params(self) -> Mapping[str, Reader]:
        """The parameters it takes, and how each is read."""

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """Send what goes wrong, or give it back to be sent."""
