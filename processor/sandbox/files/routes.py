"""`/v1/files`."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from processor.sandbox.files import refusals
from processor.sandbox.files.told import file_object
from processor.sandbox.files.upload import Upload, check_upload, read_form
from processor.sandbox.front import admit
from processor.sandbox.operation import Operation, operate
from processor.sandbox.paging import as_list, read_page
from processor.sandbox.state import SANDBOX, Sandbox
from processor.sandbox.storage.files import StoredFile

_MOST_LISTED = 10_000
_NOT_FOR_DOWNLOAD = frozenset(("assistants", "user_data", "vision"))


async def create(request: web.Request) -> web.StreamResponse:
    """Take a file in.

    Raises:
        ApiError: It is refused.
    """
    sandbox = request.app[SANDBOX]
    admit(request, sandbox.limits.of_uploads(sandbox.clock.monotonic()))
    sandbox.storage.files.sweep(sandbox.clock.time())
    name = f"file-{sandbox.new_id()}"
    arrival = sandbox.storage.arrival(name)
    try:
        upload = check_upload(await read_form(request, arrival), sandbox.config)

        async def act() -> dict[str, Any]:
            return file_object(_keep(name, upload, sandbox))

        return await operate(
            request,
            Operation(place="upload", subject=upload.name, text=upload.name, act=act),
        )
    finally:
        # What was refused, or never came to its end.
        arrival.unlink(missing_ok=True)


async def retrieve(request: web.Request) -> web.StreamResponse:
    """Tell of a file.

    Raises:
        ApiError: There is none of this id.
    """
    return await operate(request, _reading("file", _find(request)))


async def content(request: web.Request) -> web.StreamResponse:
    """Send a file's content, or the part of it that the header `range` names.

    Raises:
        ApiError: There is none of this id, or it may not be read.
    """
    file = _find(request)
    if file.purpose in _NOT_FOR_DOWNLOAD:
        raise refusals.not_for_download(file.purpose)
    path = request.app[SANDBOX].storage.files.path(file.id)
    return await operate(request, replace(_reading("content", file), content=path))


async def list_files(request: web.Request) -> web.StreamResponse:
    """List files, newest first unless asked otherwise.

    Raises:
        ApiError: The page cannot be.
    """
    sandbox = request.app[SANDBOX]
    page = read_page(request.query, most=_MOST_LISTED, default=_MOST_LISTED)
    now_s = sandbox.clock.time()
    if page.after is not None and sandbox.config.strict_after:
        _existing(page.after, sandbox)
    files = sandbox.storage.files.page(page, request.query.get("purpose"), now_s)

    async def act() -> dict[str, Any]:
        return as_list([file_object(file) for file in files], page.limit)

    return await operate(request, Operation(place="files", subject="", text="", act=act))


async def delete(request: web.Request) -> web.StreamResponse:
    """Delete a file; a batch that has begun keeps its own copy of its input.

    Raises:
        ApiError: There is none of this id.
    """
    file, sandbox = _find(request), request.app[SANDBOX]

    async def act() -> dict[str, Any]:
        with sandbox.storage.transaction():
            sandbox.storage.files.delete(file.id)
            sandbox.storage.events.add(sandbox.clock.time(), "file deleted", file.id)
        return {"id": file.id, "object": "file", "deleted": True}

    return await operate(request, replace(_reading("delete", file), act=act))


def _reading(place: str, file: StoredFile) -> Operation:
    async def act() -> dict[str, Any]:
        return file_object(file)

    return Operation(place=place, subject=file.id, text=f"{file.id} {file.name}", act=act)


def _keep(name: str, upload: Upload, sandbox: Sandbox) -> StoredFile:
    """Let an upload that arrived be found."""
    storage, now_s = sandbox.storage, sandbox.clock.time()
    file = StoredFile(
        id=name,
        purpose=upload.purpose,
        name=upload.name,
        bytes=upload.bytes,
        created_s=now_s,
        expires_s=None if upload.life_s is None else now_s + upload.life_s,
    )
    storage.arrival(name).rename(storage.files.path(name))
    with storage.transaction():
        storage.files.add(file)
        storage.events.add(now_s, "file uploaded", name, name=file.name, bytes=file.bytes)
    return file


def _find(request: web.Request) -> StoredFile:
    return _existing(request.match_info["file"], request.app[SANDBOX])


def _existing(name: str, sandbox: Sandbox) -> StoredFile:
    file = sandbox.storage.files.get(name, sandbox.clock.time())
    if file is None:
        raise refusals.no_such_file(name)
    return file
