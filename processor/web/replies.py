"""Answers in JSON, of runs that may be gone, damaged or written by an older program."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from processor.errors import LedgerError, ProcessorError, UsageError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WRONG = 400
_GONE = 404
UNREADABLE = 503
# Beyond it, neighbouring whole numbers are the same number to a page.
_EXACT = 2**53


class NoRunError(ProcessorError):
    """There is no such run, or no such item of it."""


def told(value: Any, status: int = 200) -> web.Response:
    """A value as JSON."""
    return web.Response(body=encoded(value), status=status, content_type="application/json")


def encoded(value: Any) -> bytes:
    """A value as JSON that a page can read.

    Half characters, which no text may hold, are replaced; whole numbers that a page would round
    become text.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except TypeError:
        return orjson.dumps(_mended(value))


def refused(status: int, problem: str) -> web.Response:
    """Why there is no answer."""
    return told({"error": problem}, status)


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in JSON what is wrong, whatever raised it."""
    try:
        return await handler(request)
    except ProcessorError as error:
        return refused(_status(error), str(error))
    except web.HTTPException as error:
        return refused(error.status, error.reason)


def _status(error: ProcessorError) -> int:
    if isinstance(error, NoRunError):
        return _GONE
    if isinstance(error, LedgerError):
        return UNREADABLE
    return _WRONG if isinstance(error, UsageError) else 500


def _mended(value: Any) -> Any:
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(inner) for inner in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    is_exact = not isinstance(value, int) or -_EXACT < value < _EXACT
    return value if is_exact else str(value)
