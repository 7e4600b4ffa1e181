"""Orders to a run that works, passed on; what became of them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from processor.errors import UsageError
from processor.ledger import control, database
from processor.ledger.control import Order
from processor.web.replies import told
from processor.web.shared import SHARED, folder_of

_JSON = "application/json"
_SHOWN = 50


async def give(request: web.Request) -> web.Response:
    """Pass an order on: `{"order": "concurrency 20"}`; answers with its number."""
    order = Order.parse(_words(await request.read(), request.content_type))
    number = await request.app[SHARED].search(control.ask, folder_of(request), order)
    return told({"number": number})


async def orders(request: web.Request) -> web.Response:
    """The latest orders, the newest first."""
    found = await request.app[SHARED].look(_orders, folder_of(request))
    return told(found)


def _orders(folder: Path) -> list[dict[str, Any]]:
    with database.reading(folder / database.LEDGER_NAME) as connection:
        return [asdict(asked) for asked in control.latest(connection, _SHOWN)]


def _words(body: bytes, content_type: str) -> list[str]:
    try:
        order = json.loads(body) if content_type == _JSON else {}
        words = order["order"]
    except (ValueError, TypeError, KeyError, RecursionError):
        words = None
    if not isinstance(words, str):
        raise UsageError('an order is sent as JSON: {"order": "pause"}')
    return words.split()
