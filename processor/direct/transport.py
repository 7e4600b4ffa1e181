"""HTTP calls over aiohttp: bytes out, bytes in, faults as values."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs

from processor.verdict import Fault, TransportFault

_KEEPALIVE_S = 60
_MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
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
        base_url: Such as `https://api.openai.com/v1`, without a slash at the end.
        api_key: Sent as a bearer token; None sends none.
        trust_env: Whether the proxy variables of the environment count.
    """

    def __init__(self, base_url: str, api_key: str | None, *, trust_env: bool) -> None:
        self._base_url = base_url
        self._headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.USER_AGENT: "processor"}
        if api_key is not None:
            self._headers[hdrs.AUTHORIZATION] = f"Bearer {api_key}"
        self._trust_env = trust_env
        self.bytes_sent = 0
        self.bytes_received = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(self, endpoint: str, body: bytes) -> Reply:
        """Send a JSON body and read the answer to its end.

        Args:
            endpoint: As in `Request`, beginning with `/v1`.
            body: JSON.

        Raises:
            TransportError: No whole answer came.
        """
        self.bytes_sent += len(body)
        try:
            async with self._session.post(
                self._base_url + endpoint.removeprefix("/v1"),
                data=body,
                max_redirects=_MAX_REDIRECTS,
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(_fault(error)) from error
        self.bytes_received += len(answer)
        return Reply(response.status, response.headers, answer)


def _fault(error: Exception) -> TransportFault:
    """What an exception of aiohttp means; the more special classes come first."""
    for kind, fault, sent in _FAULTS:
        if isinstance(error, kind):
            return TransportFault(fault=fault, sent=sent, detail=_detail(error))
    if isinstance(error, aiohttp.ClientHttpProxyError):
        fault = Fault.PROXY_AUTH if error.status == 407 else Fault.PROXY
        return TransportFault(fault=fault, sent=False, detail=f"{error.status} {error.message}")
    return TransportFault(fault=Fault.OTHER, sent=True, detail=_detail(error))


_FAULTS: tuple[tuple[type[Exception], Fault, bool], ...] = (
    (aiohttp.ClientConnectorCertificateError, Fault.TLS, False),
    (aiohttp.ClientConnectorSSLError, Fault.TLS, False),
    (ssl.SSLError, Fault.TLS, False),
    (aiohttp.ClientProxyConnectionError, Fault.PROXY, False),
    (aiohttp.ClientConnectorDNSError, Fault.DNS, False),
    (aiohttp.ClientConnectorError, Fault.REFUSED, False),
    (aiohttp.ConnectionTimeoutError, Fault.REFUSED, False),
    (aiohttp.TooManyRedirects, Fault.TOO_MANY_REDIRECTS, False),
    (aiohttp.ServerDisconnectedError, Fault.RESET, True),
    (aiohttp.ClientPayloadError, Fault.RESET, True),
    (aiohttp.ClientOSError, Fault.RESET, True),
    (aiohttp.InvalidURL, Fault.OTHER, False),
    (OSError, Fault.RESET, True),
)


def _detail(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
