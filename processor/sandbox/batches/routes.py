"""`/v1/batches`."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from processor.sandbox import azure, errors
from processor.sandbox.batches import enqueue, refusals
from processor.sandbox.batches.batch import Batch, Pace, Status
from processor.sandbox.batches.creation import WINDOW, Creation, check_creation
from processor.sandbox.batches.desk import DESK
from processor.sandbox.batches.fates import fated
from processor.sandbox.batches.told import batch_object
from processor.sandbox.faults.book import Try
from processor.sandbox.faults.places import LIFE
from processor.sandbox.front import admit
from processor.sandbox.operation import Operation, operate
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
    is_azure = azure.speaks(request)
    if request.content_type != "application/json":
        raise errors.wrong_content_type(request.content_type)
    creation = check_creation(parse_object(await request.read()), azure=is_azure)
    admit(request, sandbox.limits.of_creations(sandbox.clock.monotonic()))
    storage = sandbox.storage
    file = storage.files.get(creation.input_file_id, sandbox.clock.time())
    batch = _new_batch(creation, sandbox, azure=is_azure)
    if file is not None and file.purpose == "batch":
        storage.keep_input(batch.id, file.id)
    try:
        batch = await enqueue.measured(batch, sandbox)
        named = file.name if file else ""
        return await operate(request, _creation_of(batch, named, request.app))
    finally:
        if storage.batches.get(batch.id) is None:
            storage.input(batch.id).unlink(missing_ok=True)


def _creation_of(batch: Batch, file_name: str, app: web.Application) -> Operation:
    sandbox = app[SANDBOX]
    text = " ".join((file_name, *(batch.metadata or {}).values()))

    async def act() -> dict[str, Any]:
        enqueue.check_room(batch, sandbox)
        tries = sandbox.stats.operation(LIFE, batch.input_file_id)
        fates = sandbox.faults.choose_all(Try(batch.input_file_id, text, tries, place=LIFE))
        sandbox.stats.by_fault.update(fault.kind for fault in fates)
        made = fated(batch, fates)
        if made.id != batch.id and sandbox.storage.input(batch.id).exists():
            sandbox.storage.input(batch.id).rename(sandbox.storage.input(made.id))
        with sandbox.storage.transaction():
            sandbox.storage.batches.add(made)
            sandbox.storage.events.add(
                made.created_s, "batch created", made.id, file=made.input_file_id
            )
        app[DESK].start(made.id)
        return batch_object(made)

    return Operation(place="create", subject=batch.input_file_id, text=text, act=act)


def _text(batch: Batch) -> str:
    """What faults select by."""
    return " ".join((batch.id, batch.input_file_id, *(batch.metadata or {}).values()))


async def retrieve(request: web.Request) -> web.StreamResponse:
    """Tell of a batch.

    Raises:
        ApiError: There is none of this id.
    """
    return await operate(request, _reading("batch", _find(request)))


async def list_batches(request: web.Request) -> web.StreamResponse:
    """List batches, newest first.

    Raises:
        ApiError: The page cannot be.
    """
    sandbox = request.app[SANDBOX]
    page = read_page(request.query, most=_MOST_LISTED, default=_LISTED)
    if page.after is not None and sandbox.config.strict_after:
        _existing(page.after, sandbox)

    async def act() -> dict[str, Any]:
        batches = sandbox.storage.batches.page(page)
        return as_list([batch_object(batch) for batch in batches], page.limit)

    return await operate(request, Operation(place="batches", subject="", text="", act=act))


async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a batch: what was answered by now is kept, and charged.

    Raises:
        ApiError: There is none of this id, or it has ended in another way.
    """
    batch = _find(request)
    if batch.ended and batch.status != Status.CANCELLED:
        raise refusals.cannot_cancel(batch.status)

    async def act() -> dict[str, Any]:
        if batch.status in (Status.CANCELLING, Status.CANCELLED):
            return batch_object(batch)
        return batch_object(await request.app[DESK].cancel(batch.id))

    return await operate(request, replace(_reading("cancel", batch), act=act))


def _reading(place: str, batch: Batch) -> Operation:
    async def act() -> dict[str, Any]:
        return batch_object(batch)

    return Operation(place=place, subject=batch.id, text=_text(batch), act=act)


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
    return _existing(request.match_info["batch"], request.app[SANDBOX])


def _existing(name: str, sandbox: Sandbox) -> Batch:
    batch = sandbox.storage.batches.get(name)
    if batch is None:
        raise refusals.no_such_batch(name)
    return batch
