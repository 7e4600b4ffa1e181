"""Who may ask: pages of this server, and programs of its user; no page of anybody else.

A page of another site can make a browser send requests to the loopback interface, and a name that
it owns can be made to lead there. Neither knows the token, and neither can hide where it is from.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from processor.web.neighbours import Neighbours, own_users
from processor.web.replies import refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN_HEADER = "X-Token"  # noqa: S105 - its name
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80
_READS = frozenset({"GET", "HEAD"})
# What a browser says of who asks; "none" is somebody who typed the address.
_OWN_SITE = frozenset({"same-origin", "none"})
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
        "object-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


class Guard:
    """The rules of one server.

    Args:
        port: Where it listens.

    Attributes:
        token: What its page carries, and nobody else knows.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        ends = (f":{port}", "") if port == _HTTP_PORT else (f":{port}",)
        self._hosts = frozenset(f"{name}{end}" for name in _NAMES for end in ends)
        self._neighbours = Neighbours(own_users())
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def problem(self, request: web.Request) -> str | None:
        """Why a request is refused; None when it is not."""
        headers = request.headers
        if request.transport is not None and self._neighbours.is_stranger(request.transport):
            return "this server belongs to another user of this machine"
        if headers.get("Host", "").lower() not in self._hosts:
            return "this address is not the server's own; a tunnel must keep its port"
        origin = headers.get("Origin")
        if origin is not None and origin not in self._origins:
            return "a page of another site asks"
        if request.path != "/" and headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
            return "a page of another site asks"
        if request.method not in _READS and not self._knows_token(headers):
            return "the token of the page is missing or old; load the page again"
        return None

    def _knows_token(self, headers: Mapping[str, str]) -> bool:
        given = headers.get(TOKEN_HEADER, "")
        return hmac.compare_digest(given.encode(errors="replace"), self.token.encode())


GUARD = web.AppKey("guard", Guard)


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer nobody but those who may ask."""
    problem = request.app[GUARD].problem(request)
    return refused(403, problem) if problem is not None else await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Let a browser do with an answer what the page needs, and nothing else."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.popall("Server", None)
