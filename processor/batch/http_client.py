"""The HTTP client beneath the SDK: it sends what `Access` says, and nothing else.

The SDK takes keys and accounts from the environment, and tells much of this computer. So whatever
it makes is cut down here to what a call cannot do without, right before it goes out.
"""

import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from processor.access import Access
from processor.batch.connection_fault import fault_of
from processor.batch.trouble import redirect, unanswered
from processor.proxy import proxy_for
from processor.verdict import Fault, TransportFault

if TYPE_CHECKING:
    import httpx2

Header = tuple[bytes, bytes]

_MOST_REDIRECTS = 5
_USER_AGENT: Header = (b"user-agent", b"processor")
# By the last one the SDK knows, when the answer is there, that it was asked for it as it came.
_KEPT = frozenset(
    {
        *(b"accept", b"accept-encoding", b"connection", b"content-length", b"content-type"),
        *(b"host", b"range", b"x-stainless-raw-response"),
    }
)


class Call:
    """A call on its way.

    Args:
        follows: Whether it may be sent on to another address.

    Attributes:
        sent: Whether the provider may have got any of it.
    """

    __slots__ = ("follows", "sent")

    def __init__(self, *, follows: bool) -> None:
        self.follows = follows
        self.sent = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What the connection tells of itself; a tunnel through a proxy is not the call."""
        if event.endswith("send_request_headers.started"):
            self.sent = info["request"].method != b"CONNECT"


_CALL: ContextVar[Call] = ContextVar("call")


class HttpClient:
    """What goes over the wire.

    Args:
        access: How the provider is reached.
        connect_s: How long a connection may take.
        trust_env: Whether proxies count, the one of `access` or the environment's.

    Attributes:
        calls: How many HTTP calls were made.
    """

    def __init__(self, access: Access, *, connect_s: float, trust_env: bool) -> None:
        self._secrets = [secret.encode() for secret in access.secrets]
        self._headers = _own_headers(access)
        self._connect_s = connect_s
        self._proxy = proxy_for(access) if trust_env else None
        self.calls = 0

    def opened(self, url: str) -> "httpx2.AsyncClient":
        """A client, to be closed by the caller.

        Args:
            url: Of the provider; the key goes nowhere else.

        Raises:
            RemoteError: No name server could be asked for it.
        """
        import httpx2  # noqa: PLC0415 - with the SDK it takes half a second

        try:
            self._home = _origin(httpx2.URL(url))
        except httpx2.InvalidURL as error:
            fault = TransportFault(fault=Fault.DNS, sent=False, detail=str(error))
            raise unanswered(fault, changes=False) from error
        return httpx2.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            proxy=self._via(),
            timeout=httpx2.Timeout(None, connect=self._connect_s),
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            event_hooks={"request": [self._prepare], "response": [_check_redirect]},
        )

    def begin(self, *, follows: bool) -> Call:
        """The call that this task makes next."""
        call = Call(follows=follows)
        _CALL.set(call)
        return call

    def fault(self, error: BaseException, call: Call) -> TransportFault:
        """What an exception means; it may quote the bytes that it stumbled over."""
        fault = fault_of(error, sent=call.sent, proxied=self._proxy is not None)
        return replace(fault, detail=self.hidden(fault.detail.encode()).decode())

    def hidden(self, body: bytes) -> bytes:
        """A body without secrets: a careless server may echo the request."""
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        return body

    def _via(self) -> "httpx2.Proxy | None":
        import httpx2  # noqa: PLC0415 - as above

        if self._proxy is None:
            return None
        url, headers = self._proxy
        return httpx2.Proxy(str(url), headers=headers)

    async def _prepare(self, request: "httpx2.Request") -> None:
        self.calls += 1
        headers = [pair for pair in request.headers.raw if pair[0].lower() in _KEPT]
        headers += self._headers if _origin(request.url) == self._home else [_USER_AGENT]
        request.headers = type(request.headers)(headers)
        request.extensions = {**request.extensions, "trace": _CALL.get().trace}


async def _check_redirect(response: "httpx2.Response") -> None:
    """Only the content of a file may be somewhere else."""
    if response.has_redirect_location and not _CALL.get().follows:
        raise redirect(response.status_code, response.headers["location"])


def _own_headers(access: Access) -> list[Header]:
    told = {name.lower().encode(): value.encode() for name, value in access.sent_headers().items()}
    named = dict([_USER_AGENT]) | told
    return [pair for pair in named.items() if pair[0] not in _KEPT]


def _origin(url: "httpx2.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
