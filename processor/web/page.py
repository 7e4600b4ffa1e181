"""The page and its files, which come with the package."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from aiohttp import web

from processor.web.guard import GUARD
from processor.web.replies import NoRunError

_TOKEN = b"{{token}}"
_PAGE = "index.html"
# Not by `mimetypes`, which asks the machine and so differs between machines.
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "css": "text/css",
        "html": "text/html",
        "ico": "image/x-icon",
        "js": "text/javascript",
        "json": "application/json",
        "png": "image/png",
        "svg": "image/svg+xml",
        "webmanifest": "application/manifest+json",
    }
)
_TEXT = ("text/", "application/", "image/svg")


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    content_type: str
    charset: str | None
    tag: str


@cache
def _assets() -> Mapping[str, _Asset]:
    """All files by name; anything else has no address."""
    found = {}
    for file in files("processor.web").joinpath("static").iterdir():
        content_type = _TYPES.get(file.name.rpartition(".")[2])
        if content_type is not None and file.is_file():
            body = file.read_bytes()
            charset = "utf-8" if content_type.startswith(_TEXT) else None
            tag = hashlib.sha256(body).hexdigest()[:16]
            found[file.name] = _Asset(body, content_type, charset, tag)
    return MappingProxyType(found)


async def page(request: web.Request) -> web.Response:
    """The page, with the token that its orders need."""
    body = _assets()[_PAGE].body.replace(_TOKEN, request.app[GUARD].token.encode())
    return web.Response(body=body, content_type="text/html", charset="utf-8")


async def asset(request: web.Request) -> web.Response:
    """A file of the page; asked for again each time, sent when it changed."""
    name = request.match_info["name"]
    found = _assets().get(name)
    if found is None or name == _PAGE:
        raise NoRunError(f"there is no file {name!r}")
    is_known = any(one.value == found.tag for one in request.if_none_match or ())
    response = web.Response(
        status=304 if is_known else 200,
        body=None if is_known else found.body,
        content_type=found.content_type,
        charset=found.charset,
        headers={"Cache-Control": "no-cache"},
    )
    response.etag = found.tag
    return response
