"""The routes below `/sandbox` that tell of files and batches."""

from typing import Any

from aiohttp import web

from processor.sandbox import errors
from processor.sandbox.batches.batch import Batch
from processor.sandbox.batches.desk import DESK
from processor.sandbox.batches.told import batch_object
from processor.sandbox.front import as_json
from processor.sandbox.state import SANDBOX, Sandbox


async def get_batches(request: web.Request) -> web.Response:
    """Every batch, oldest first, as the API tells it; with what its clients cannot see."""
    sandbox = request.app[SANDBOX]
    return as_json({"batches": [_told(batch, sandbox) for batch in sandbox.storage.batches.all()]})


async def get_charges(request: web.Request) -> web.Response:
    """What was charged for lines, by batch; and what was charged in more than one batch."""
    storage = request.app[SANDBOX].storage
    return as_json(storage.charges.report(batch.id for batch in storage.batches.all()))


async def get_events(request: web.Request) -> web.Response:
    """What happened to files and batches, in order; `?after=5` only what came behind number 5.

    Raises:
        ApiError: `after` is no number.
    """
    after = request.query.get("after", "0")
    if not after.isdecimal():
        raise errors.invalid_type("after", "an integer", after)
    return as_json({"events": request.app[SANDBOX].storage.events.after(int(after))})


async def forget(request: web.Request) -> web.Response:
    """Forget all files and batches, what was charged for them, and what happened."""
    await request.app[DESK].close()
    request.app[SANDBOX].storage.forget()
    return as_json({})


def _told(batch: Batch, sandbox: Sandbox) -> dict[str, Any]:
    return {
        **batch_object(batch),
        "lines_done": batch.done,
        "enqueued_tokens": batch.tokens,
        "charges": sandbox.storage.charges.of(batch.id),
        "faults": [fault.kind for fault in batch.faults],
    }
