"""`/v1/batches`."""

from dataclasses import replace

from aiohttp import web

from processor.sandbox import azure, errors
from processor.sandbox.batches import refusals
from processor.sandbox.batches.batch import CANCELLED, CANCELLING, Batch, Pace
from processor.sandbox.batches.creation import WINDOW, Creation, check_creation
from processor.sandbox.batches.desk import DESK
from processor.sandbox.batches.told import batch_object
from processor.sandbox.front import as_json
from processor.sandbox.paging import as_list, read_page
from processor.sandbox.state import SANDBOX, Sandbox
from processor.sandbox.validation import parse_object

_MOST_LISTED = 100
_LISTED = 20


async def create(request: web.Request) -> web.StreamResponse:
    """Take a batch in; its input is looked at later.

    Raises:
        ApiError: It is refused.
    """
    sandbox = request.app[SANDBOX]
    if request.content_type != "application/json":
        raise errors.wrong_content_type(request.content_type)
    creation = check_creation(parse_object(await request.read()), azure=azure.speaks(request))
    batch = _new_batch(creation, sandbox, azure=azure.speaks(request))
    storage = sandbox.storage
    if storage.files.get(batch.input_file_id, batch.created_s) is not None:
        storage.keep_input(batch.id, batch.input_file_id)
    with storage.transaction():
        storage.batches.add(batch)
        storage.events.add(batch.created_s, "batch created", batch.id, file=batch.input_file_id)
    request.app[DESK].start(batch.id)
    return as_json(batch_object(batch))


async def retrieve(request: web.Request) -> web.StreamResponse:
    """Tell of a batch.

    Raises:
        ApiError: There is none of this id.
    """
    return as_json(batch_object(_find(request)))


async def list_batches(request: web.Request) -> web.StreamResponse:
    """List batches, newest first.

    Raises:
        ApiError: The page cannot be.
    """
    page = read_page(request.query, most=_MOST_LISTED, default=_LISTED)
    batches = request.app[SANDBOX].storage.batches.page(page)
    return as_json(as_list([batch_object(batch) for batch in batches], page.limit))


async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a batch: what was answered by now is kept, and charged.

    Raises:
        ApiError: There is none of this id, or it has ended in another way.
    """
    batch = _find(request)
    if batch.status in (CANCELLING, CANCELLED):
        return as_json(batch_object(batch))
    if batch.ended:
        raise refusals.cannot_cancel(batch.status)
    await request.app[DESK].stop(batch.id)
    batch, sandbox = _find(request), request.app[SANDBOX]
    now_s, storage = sandbox.clock.time(), sandbox.storage
    batch = replace(batch, status=CANCELLING, reached={**batch.reached, CANCELLING: now_s})
    with storage.transaction():
        storage.batches.put(batch)
        storage.events.add(now_s, f"batch {CANCELLING}", batch.id)
    request.app[DESK].start(batch.id)
    return as_json(batch_object(batch))


def _new_batch(creation: Creation, sandbox: Sandbox, *, azure: bool) -> Batch:
    config = sandbox.config
    return Batch(
        id=f"batch_{sandbox.new_id()}",
        created_s=sandbox.clock.time(),
        endpoint=creation.endpoint,
        input_file_id=creation.input_file_id,
        window=WINDOW,
        pace=Pace(
            validating_s=config.validating_s,
            in_progress_s=config.in_progress_s,
            finalizing_s=config.finalizing_s,
            cancelling_s=config.cancelling_s,
            window_s=None if azure else config.window_s,
        ),
        output_id=f"file-{sandbox.new_id()}",
        error_id=f"file-{sandbox.new_id()}",
        output_life_s=creation.output_life_s,
        metadata=creation.metadata,
        azure=azure,
    )


def _find(request: web.Request) -> Batch:
    name = request.match_info["batch"]
    batch = request.app[SANDBOX].storage.batches.get(name)
    if batch is None:
        raise refusals.no_such_batch(name)
    return batch
