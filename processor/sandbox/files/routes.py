"""`/v1/files`."""

from urllib.parse import quote

from aiohttp import web

from processor.sandbox.files import refusals
from processor.sandbox.files.told import file_object
from processor.sandbox.files.upload import Upload, check_upload, read_form
from processor.sandbox.front import as_json
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
    sandbox.storage.files.sweep(sandbox.clock.time())
    name = f"file-{sandbox.new_id()}"
    arrival = sandbox.storage.arrival(name)
    try:
        form = await read_form(request, arrival)
        file = _keep(name, check_upload(form, sandbox.config), sandbox)
    finally:
        # What was refused, or never came to its end.
        arrival.unlink(missing_ok=True)
    return as_json(file_object(file))


async def retrieve(request: web.Request) -> web.StreamResponse:
    """Tell of a file.

    Raises:
        ApiError: There is none of this id.
    """
    return as_json(file_object(_find(request)))


async def content(request: web.Request) -> web.StreamResponse:
    """Send a file's content, or the part of it that the header `range` names.

    Raises:
        ApiError: There is none of this id, or it may not be read.
    """
    file = _find(request)
    if file.purpose in _NOT_FOR_DOWNLOAD:
        raise refusals.not_for_download(file.purpose)
    return web.FileResponse(
        request.app[SANDBOX].storage.files.path(file.id),
        headers={
            "content-type": "application/octet-stream",
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        },
    )


async def list_files(request: web.Request) -> web.StreamResponse:
    """List files, newest first unless asked otherwise.

    Raises:
        ApiError: The page cannot be.
    """
    sandbox = request.app[SANDBOX]
    page = read_page(request.query, most=_MOST_LISTED, default=_MOST_LISTED)
    files = sandbox.storage.files.page(page, request.query.get("purpose"), sandbox.clock.time())
    return as_json(as_list([file_object(file) for file in files], page.limit))


async def delete(request: web.Request) -> web.StreamResponse:
    """Delete a file; a batch that has begun keeps its own copy of its input.

    Raises:
        ApiError: There is none of this id.
    """
    name = _find(request).id
    sandbox: Sandbox = request.app[SANDBOX]
    with sandbox.storage.transaction():
        sandbox.storage.files.delete(name)
        sandbox.storage.events.add(sandbox.clock.time(), "file deleted", name)
    return as_json({"id": name, "object": "file", "deleted": True})


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
    sandbox, name = request.app[SANDBOX], request.match_info["file"]
    file = sandbox.storage.files.get(name, sandbox.clock.time())
    if file is None:
        raise refusals.no_such_file(name)
    return file
