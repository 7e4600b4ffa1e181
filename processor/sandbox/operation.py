"""The way of every request to the Files API and the Batch API that can be granted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from processor.sandbox.faults.book import Try
from processor.sandbox.faults.hit import Hit
from processor.sandbox.faults.kinds import KINDS
from processor.sandbox.front import as_json
from processor.sandbox.state import SANDBOX


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is asked.

    Attributes:
        place: Its name, as faults select it (`faults.places`).
        subject: Names what it is about: tries for the same are counted together.
        text: What faults select by.
        act: Does it, and gives the body of the answer.
        content: What is sent instead of the body; None for the body.
    """

    place: str
    subject: str
    text: str
    act: Callable[[], Awaitable[dict[str, Any]]]
    content: Path | None = None


async def operate(request: web.Request, operation: Operation) -> web.StreamResponse:
    """Do it and answer, or go wrong if so told.

    Raises:
        ApiError: It is refused.
    """
    sandbox = request.app[SANDBOX]
    number = sandbox.stats.operation(operation.place, operation.subject)
    fault = sandbox.faults.choose(
        Try(operation.subject, operation.text, number, place=operation.place)
    )
    if fault is None:
        return _response(operation, await operation.act())
    kind = KINDS[fault.kind]
    sandbox.stats.by_fault[fault.kind] += 1
    if fault.delay_s:
        await sandbox.clock.sleep(fault.delay_s)
    hit = Hit(
        request=request,
        clock=sandbox.clock,
        params=fault.params,
        headers=fault.headers,
        completion=await operation.act() if kind.paid else {},
        content=operation.content.read_bytes() if kind.paid and operation.content else None,
    )
    return await kind.respond(hit)


def _response(operation: Operation, body: dict[str, Any]) -> web.StreamResponse:
    if operation.content is None:
        return as_json(body)
    return web.FileResponse(operation.content, headers={"content-type": "application/octet-stream"})
