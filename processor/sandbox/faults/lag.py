"""Reads that lag behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from processor.sandbox.errors import error_body
from processor.sandbox.faults.hit import Hit, Reader, seconds
from processor.sandbox.faults.places import READINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What was made a moment ago is not seen yet: left out of lists, and elsewhere not found."""

    paid: bool = True
    whole: bool = True
    places: tuple[str, ...] = READINGS
    params: Mapping[str, Reader] = field(default_factory=lambda: {"seconds": seconds})

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """What would be seen by a reader that lags behind."""
        since_s = hit.clock.time() - seconds(hit.params.get("seconds", "60"))
        told = hit.completion
        if told["object"] == "list":
            seen = [one for one in told["data"] if one["created_at"] <= since_s]
            return _response(hit, orjson.dumps({**told, "data": seen, **_ends(seen)}))
        if told["created_at"] <= since_s:
            return _response(hit, hit.sent, content_type=hit.content_type)
        message = f"No such {told['object'].capitalize()} object: {told['id']}"
        return _response(hit, error_body(message, param="id"), status=404)


def _response(
    hit: Hit, body: bytes, *, status: int = 200, content_type: str = "application/json"
) -> web.Response:
    return web.Response(body=body, status=status, content_type=content_type, headers=hit.headers)


def _ends(seen: list[dict[str, Any]]) -> dict[str, str | None]:
    return {
        "first_id": seen[0]["id"] if seen else None,
        "last_id": seen[-1]["id"] if seen else None,
    }
