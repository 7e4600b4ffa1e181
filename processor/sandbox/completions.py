"""Chat completions that were stored, below `/v1/chat/completions`."""

import re
from dataclasses import replace
from typing import Any

from aiohttp import web

from processor.sandbox import errors, parameters
from processor.sandbox.front import as_json
from processor.sandbox.paging import as_list, read_page
from processor.sandbox.state import SANDBOX
from processor.sandbox.stored import Stored
from processor.sandbox.validation import check_parameters, parse_object

_MOST_LISTED = 100
_LISTED = 20
_METADATA = re.compile(r"metadata\[(.*)\]", re.DOTALL)


async def retrieve(request: web.Request) -> web.Response:
    """A completion that was stored.

    Raises:
        ApiError: There is none of this name.
    """
    return as_json(_find(request).told)


async def update(request: web.Request) -> web.Response:
    """Give it other metadata.

    Raises:
        ApiError: There is none of this name, or the metadata cannot be.
    """
    stored, body = _find(request), parse_object(await request.read())
    check_parameters(body.keys(), body, {"metadata": parameters.metadata})
    if "metadata" not in body:
        raise errors.missing_parameter("metadata")
    stored = replace(stored, metadata=body["metadata"])
    request.app[SANDBOX].completions[stored.body["id"]] = stored
    return as_json(stored.told)


async def delete(request: web.Request) -> web.Response:
    """Forget a completion.

    Raises:
        ApiError: There is none of this name.
    """
    name = _find(request).body["id"]
    del request.app[SANDBOX].completions[name]
    return as_json({"id": name, "object": "chat.completion.deleted", "deleted": True})


async def list_completions(request: web.Request) -> web.Response:
    """Those that were stored, oldest first unless asked otherwise.

    Raises:
        ApiError: The page cannot be.
    """
    wanted = {
        found[1]: value
        for name, value in request.query.items()
        if (found := _METADATA.fullmatch(name))
    }
    model = request.query.get("model")
    told = [
        stored.told
        for stored in request.app[SANDBOX].completions.values()
        if model in (None, stored.body["model"])
        and wanted.items() <= dict(stored.metadata or {}).items()
    ]
    return as_json(_page(request, told))


async def list_messages(request: web.Request) -> web.Response:
    """The messages that a completion answers.

    Raises:
        ApiError: There is none of this name, or the page cannot be.
    """
    stored = _find(request)
    told = [
        {
            "id": f"{stored.body['id']}-{place}",
            "role": turn.role,
            "content": turn.text,
            "content_parts": None,
            "refusal": None,
        }
        for place, turn in enumerate(stored.turns)
    ]
    return as_json(_page(request, told))


def _page(request: web.Request, told: list[dict[str, Any]]) -> dict[str, Any]:
    page = read_page(request.query, most=_MOST_LISTED, default=_LISTED, order="asc")
    if page.descending:
        told.reverse()
    names = [one["id"] for one in told]
    first = names.index(page.after) + 1 if page.after in names else 0
    return as_list(told[first : first + page.limit + 1], page.limit)


def _find(request: web.Request) -> Stored:
    name = request.match_info["completion"]
    stored = request.app[SANDBOX].completions.get(name)
    if stored is None:
        raise errors.ApiError(404, f"Chat completion with id '{name}' not found.")
    return stored
