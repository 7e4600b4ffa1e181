"""HTTP calls over aiohttp: bytes out, bytes in, faults as values."""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from msgspec.structs import replace
from multidict import CIMultiDict
from yarl import URL

from processor.access import Access
from processor.direct.exchange import Exchange
from processor.direct.wire import Response
from processor.proxy import proxy_for
from processor.verdict import Fault, TransportFault

_JSON = "application/json"
CONNECT_S = 15.0  # a host that does not answer at all is unreachable long before the deadline


class Reply(Struct, frozen=True, gc=False):
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """A call that brought no answer; `fault` says why."""

    def __init__(self, fault: TransportFault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


class Transport:
    """One pool of connections; bounds on calls and on their time are the caller's.

    Use as an async context manager, inside the event loop that makes the calls.

    Args:
        access: How the provider is reached.
        trust_env: Whether proxies count, the one of `access` or the environment's.
        connect_s: How long a connection may take; below a call's deadline, or a call that never
            went out would look like one that may be charged.
        resolver: Looks names up instead of the system, and caches them for itself.
    """

    def __init__(
        self,
        access: Access,
        *,
        trust_env: bool,
        connect_s: float = CONNECT_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._access = access
        self._headers = CIMultiDict({hdrs.CONTENT_TYPE: _JSON, hdrs.USER_AGENT: "processor"})
        self._headers.update(access.sent_headers())
        self._secrets = [(secret.encode(), access.may_be_said(secret)) for secret in access.secrets]
        self._trust_env = trust_env
        self._resolver = resolver
        self._connect_s = connect_s
        self._proxy: URL | None = None
        self._proxy_headers: dict[str, str] = {}
        self.bytes_sent = 0
        self.bytes_received = 0

    async def __aenter__(self) -> Self:
        # aiohttp's own `trust_env` would read ~/.netrc anew at every call.
        proxy = proxy_for(self._access) if self._trust_env else None
        if proxy is not None:
            self._proxy, self._proxy_headers = proxy
            if self._access.base_url.startswith("http:"):  # no tunnel that could carry them
                self._headers.update(self._proxy_headers)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, resolver=self._resolver, use_dns_cache=self._resolver is None
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._addresses: dict[str, Exchange] = {}
        self._exchanges: dict[tuple[str, str], Exchange] = {}  # the same ones
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for exchange in self._addresses.values():
            exchange.close()
        await self._session.close()

    async def post(self, endpoint: str, body: bytes, model: str = "") -> Reply:
        """Send a JSON body and read the answer to its end.

        A redirect is not followed: most turn a POST into a GET, and none should get the key.

        Args:
            endpoint: As in `Request`, beginning with `/v1`.
            body: JSON.
            model: The one that the body names; on Azure it may be a part of the address.

        Raises:
            TransportError: No whole answer came.
        """
        self.bytes_sent += len(body)
        try:
            if self._proxy is None:
                status, headers, answer = await self._exchange(endpoint, model).post(body)
            else:
                url = self._access.url(endpoint, model)
                status, headers, answer = await self._by_session(hdrs.METH_POST, url, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(self._hiding_secrets(_fault(error))) from error
        return self._reply(status, headers, answer)

    async def get(self, endpoint: str) -> Reply:
        """Read what is at an endpoint, to its end.

        Raises:
            TransportError: No whole answer came.
        """
        try:
            response = await self._by_session(hdrs.METH_GET, self._access.url(endpoint, ""), None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(self._hiding_secrets(_fault(error))) from error
        return self._reply(*response)

    def _reply(self, status: int, headers: Mapping[str, str], answer: bytes) -> Reply:
        self.bytes_received += len(answer)
        if 300 <= status < 400 and hdrs.LOCATION in headers:
            raise TransportError(self._hiding_secrets(_redirect(status, headers[hdrs.LOCATION])))
        return Reply(status, headers, self._without_secrets(status, headers, answer))

    def _exchange(self, endpoint: str, model: str) -> Exchange:
        exchange = self._exchanges.get((endpoint, model))
        if exchange is None:
            url = self._access.url(endpoint, model)
            exchange = self._addresses.get(url)
            if exchange is None:
                exchange = Exchange(self._session, URL(url), self._headers)
                self._addresses[url] = exchange
            self._exchanges[endpoint, model] = exchange
        return exchange

    async def _by_session(self, method: str, url: str, body: bytes | None) -> Response:
        """By the session, which knows how to ask a proxy; few calls go there."""
        async with self._session.request(
            method,
            url,
            data=body,
            headers=self._headers,  # as the session's they would go to the proxy, too
            proxy=self._proxy,
            proxy_headers=self._proxy_headers,
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await response.read()

    def _without_secrets(self, status: int, headers: Mapping[str, str], answer: bytes) -> bytes:
        """A careless server may echo the request."""
        for secret, may_be_said in self._secrets:
            if secret in answer and not (may_be_said and _is_answer(status, headers)):
                answer = answer.replace(secret, b"***")
        return answer

    def _hiding_secrets(self, fault: TransportFault) -> TransportFault:
        """An error may quote the bytes that it stumbled over."""
        detail = fault.detail
        for secret, _ in self._secrets:
            detail = detail.replace(secret.decode(), "***")
        return replace(fault, detail=detail)


def _is_answer(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a model may have said what stands there."""
    return status == 200 and headers.get(hdrs.CONTENT_TYPE, "").startswith(_JSON)


def _redirect(status: int, location: str) -> TransportFault:
    target = location.partition("?")[0]
    return TransportFault(
        fault=Fault.REDIRECT, sent=True, detail=f"HTTP status {status}, to {target}"
    )


def _fault(error: Exception) -> TransportFault:
    """What an exception of aiohttp means; the more special classes come first."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        fault = Fault.PROXY_AUTH if error.status == 407 else Fault.PROXY
        return TransportFault(fault=fault, sent=False, detail=f"{error.status} {error.message}")
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _CUT_OFF):
        return TransportFault(fault=Fault.REFUSED, sent=False, detail=_detail(error))
    for kind, fault, sent in _FAULTS:
        if isinstance(error, kind):
            return TransportFault(fault=fault, sent=sent, detail=_detail(error))
    return TransportFault(fault=Fault.OTHER, sent=True, detail=_detail(error))


_FAULTS: tuple[tuple[type[Exception], Fault, bool], ...] = (
    (aiohttp.ClientConnectorCertificateError, Fault.TLS, False),
    (aiohttp.ClientConnectorSSLError, Fault.TLS, False),
    (ssl.SSLError, Fault.TLS, False),
    (aiohttp.ClientProxyConnectionError, Fault.PROXY, False),
    (aiohttp.ClientConnectorDNSError, Fault.DNS, False),
    (aiohttp.ClientConnectorError, Fault.REFUSED, False),
    (aiohttp.ConnectionTimeoutError, Fault.REFUSED, False),
    (aiohttp.ServerDisconnectedError, Fault.RESET, True),
    (aiohttp.ClientPayloadError, Fault.RESET, True),
    (aiohttp.ClientOSError, Fault.RESET, True),
    (OSError, Fault.RESET, True),
    (UnicodeError, Fault.DNS, False),  # a host name that no name server could be asked for
    (ValueError, Fault.OTHER, False),  # InvalidURL, a proxy of another kind
)

# The other side hung up during the TLS handshake: trouble with the line, not with trust.
_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def _detail(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
