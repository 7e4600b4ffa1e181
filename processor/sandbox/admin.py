"""The routes below `/sandbox`, by which a test steers the server and looks into it."""

import math
from typing import Any

from aiohttp import web

from processor.sandbox import errors
from processor.sandbox.batches.desk import DESK
from processor.sandbox.clock import ManualClock
from processor.sandbox.config import ConfigError
from processor.sandbox.faults.fault import FaultError, fault_from, fault_to, parse_fault
from processor.sandbox.faults.kinds import check_fault
from processor.sandbox.front import as_json
from processor.sandbox.state import SANDBOX
from processor.sandbox.validation import parse_object


async def get_stats(request: web.Request) -> web.Response:
    """`?items=1` tells each item's count, too."""
    items = request.query.get("items", "0") not in ("", "0")
    return as_json(request.app[SANDBOX].stats.report(items=items))


async def reset_stats(request: web.Request) -> web.Response:
    """Forget all counts; every item counts as never asked."""
    request.app[SANDBOX].stats.reset()
    return as_json({})


async def get_limits(request: web.Request) -> web.Response:
    """What every model's limits let through, second by second, since they began anew."""
    return as_json({"models": request.app[SANDBOX].limits.report()})


async def get_faults(request: web.Request) -> web.Response:
    """The faults in force."""
    return as_json({"faults": [fault_to(fault) for fault in request.app[SANDBOX].faults.faults]})


async def change_faults(request: web.Request) -> web.Response:
    """`{"clear": true | "KIND", "set": [fault, …]}`: both are optional, clearing comes first.

    A fault is a flat object, or a text as on the command line. All are set, or none is.

    Raises:
        ApiError: A fault cannot be.
    """
    body = parse_object(await request.read())
    book = request.app[SANDBOX].faults
    _demand_known(body, {"clear", "set"})
    wanted, clear = body.get("set", []), body.get("clear", False)
    if not isinstance(clear, (bool, str)):
        raise errors.invalid_type("clear", "true or the name of a kind", clear)
    try:
        faults = [
            parse_fault(fault) if isinstance(fault, str) else fault_from(fault)
            for fault in (wanted if isinstance(wanted, list) else [wanted])
        ]
        for fault in faults:
            check_fault(fault)
    except FaultError as error:
        raise errors.ApiError(400, str(error)) from error
    if clear:
        book.clear(clear if isinstance(clear, str) else None)
    for fault in faults:
        book.set(fault)
    return await get_faults(request)


async def get_clock(request: web.Request) -> web.Response:
    """The time, in seconds since the start and since 1970."""
    clock = request.app[SANDBOX].clock
    return as_json({"now_s": clock.monotonic(), "time_s": clock.time()})


async def advance_clock(request: web.Request) -> web.Response:
    """`{"advance_s": 60}` moves a manual clock; answered once batches have done what is due.

    Raises:
        ApiError: The clock is the system's, or the time is none.
    """
    clock = request.app[SANDBOX].clock
    if not isinstance(clock, ManualClock):
        raise errors.ApiError(400, "The clock is the system's: start with --manual-clock.")
    body = parse_object(await request.read())
    _demand_known(body, {"advance_s"})
    seconds = body.get("advance_s", 0)
    if type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise errors.ApiError(400, "advance_s must be seconds, 0 or more.")
    clock.advance(seconds)
    await request.app[DESK].settled()
    return as_json({"now_s": clock.monotonic()})


async def change_config(request: web.Request) -> web.Response:
    """Change options by name, such as `{"rpm": 60}`; changed limits begin anew.

    Raises:
        ApiError: An option is unknown or cannot be.
    """
    try:
        request.app[SANDBOX].change(parse_object(await request.read()))
    except ConfigError as error:
        raise errors.ApiError(400, str(error)) from error
    return as_json({})


def _demand_known(body: dict[str, Any], known: set[str]) -> None:
    for name in body.keys() - known:
        raise errors.unknown_parameter(name)
