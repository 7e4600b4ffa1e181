"""`GET /v1/models`."""

from typing import Any

from aiohttp import web

from processor.sandbox import errors, models
from processor.sandbox.front import as_json
from processor.sandbox.state import SANDBOX

_CREATED_S = 1_750_000_000


async def list_models(request: web.Request) -> web.Response:
    """All that are known."""
    known = request.app[SANDBOX].config.models
    return as_json({"object": "list", "data": [_model(name) for name in known]})


async def retrieve_model(request: web.Request) -> web.Response:
    """One of them.

    Raises:
        ApiError: It is unknown or was shut down.
    """
    name = request.match_info["model"]
    if not models.is_known(name, request.app[SANDBOX].config.models):
        raise (errors.retired_model if models.is_retired(name) else errors.unknown_model)(name)
    return as_json(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED_S, "owned_by": "system"}
