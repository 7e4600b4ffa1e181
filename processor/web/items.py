"""The items of a run, a page at a time."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from processor.ledger.database import LEDGER_NAME
from processor.ledger.results import Result
from processor.watch.items import Status, Wanted, find
from processor.web.questions import number, one_of
from processor.web.replies import told
from processor.web.shared import SHARED, folder_of
from processor.web.values import short

_FARTHEST = 2**53
_MOST_ITEMS = 200
_MOST_TEXT = 200
_SHORT, _SHORT_FIELD, _FIELDS = 200, 80, 12


async def items(request: web.Request) -> web.Response:
    """Items that are looked for."""
    wanted = _wanted(request)
    after = number(request, "after", 0, least=-_FARTHEST, most=_FARTHEST)
    most = number(request, "most", 50, least=1, most=_MOST_ITEMS)
    path = folder_of(request) / LEDGER_NAME
    return told(await request.app[SHARED].search(_found, path, wanted, after, most))


def _found(path: Path, wanted: Wanted, after: int, most: int) -> Mapping[str, Any]:
    found = find(path, wanted, after=after, most=most)
    lines = [_line(result) for result in found.items]
    return {"items": lines, "next": found.next, "complete": found.complete}


def _wanted(request: web.Request) -> Wanted:
    status = one_of(request, "status", Status.ALL, tuple(Status))
    codes = tuple(code for code in request.query.get("code", "").split(",") if code)
    return Wanted(
        status=Status(status),
        codes=codes,
        lane=request.query.get("lane") or None,
        text=request.query.get("text", "").strip()[:_MOST_TEXT],
    )


def _line(result: Result) -> Mapping[str, Any]:
    fields = islice(result.fields().items(), _FIELDS)
    return {
        "seq": result.seq,
        "id": str(result.id),
        "status": result.status,
        "code": result.code,
        "message": short(result.message, _SHORT),
        "check": result.check,
        "lane": result.lane,
        "attempts": result.attempts,
        "latency_ms": result.latency_ms,
        "cost_usd": result.cost_usd,
        "result": short(result.result, _SHORT),
        "fields": {name: short(value, _SHORT_FIELD) for name, value in fields},
    }
