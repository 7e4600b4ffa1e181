"""A request that a fault hits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from processor.sandbox.clock import Clock


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
    def params(self) -> Mapping[str, type]:
        """The parameters it takes, and what type each reads as."""

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """Send what goes wrong, or give it back to be sent."""
