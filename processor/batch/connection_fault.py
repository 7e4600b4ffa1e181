"""What it means when a connection of `httpx2` fails."""

import socket
import ssl
from collections.abc import Iterator

from processor.verdict import Fault, TransportFault

# The other side hung up during the TLS handshake: trouble with the line, not with trust.
_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def network_errors() -> tuple[type[Exception], ...]:
    """What `httpx2` raises when a connection fails; while a file is read, as it is."""
    import httpx2  # noqa: PLC0415 - comes with the SDK, which takes half a second

    return httpx2.HTTPError, ssl.SSLError


def fault_of(error: BaseException, *, sent: bool, proxied: bool) -> TransportFault:
    """The fault behind an exception, which libraries have wrapped several times.

    Args:
        error: As it was raised.
        sent: Whether the request was on its way.
        proxied: Whether there is a proxy, to which then the connection goes.
    """
    chain = list(_chain(error))
    fault = _fault(chain, sent=sent)
    if proxied and not sent and fault in {Fault.REFUSED, Fault.DNS}:
        fault = Fault.PROXY
    words = next((text for each in reversed(chain) if (text := _words(each))), "")
    return TransportFault(fault=fault, sent=sent, detail=words or type(error).__name__)


def _fault(chain: list[BaseException], *, sent: bool) -> Fault:
    import httpx2  # noqa: PLC0415 - as above

    for each in chain:
        if isinstance(each, ssl.SSLError) and not isinstance(each, _CUT_OFF):
            return Fault.TLS
        if isinstance(each, socket.gaierror):
            return Fault.DNS
        if isinstance(each, httpx2.ProxyError):
            return Fault.PROXY_AUTH if str(each).startswith("407") else Fault.PROXY
        if isinstance(each, httpx2.TooManyRedirects):
            return Fault.REDIRECT
    if not sent:
        return Fault.REFUSED
    timed_out = any(isinstance(each, httpx2.TimeoutException) for each in chain)
    return Fault.TIMEOUT if timed_out else Fault.RESET


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else ""
