"""Files and batches at the provider, through the `openai` SDK.

The SDK knows the routes; everything else is done here. It is given no retries, because a create
that is sent twice is paid twice; no key and no header of its own, because it reads the environment;
no models, because servers differ (`reading`); and no deadlines, because its own are per read.
"""

import asyncio
import io
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import orjson
from msgspec.structs import replace

from processor.access import Access
from processor.batch.connection_fault import fault_of
from processor.batch.paging import Paging
from processor.batch.reading import batch_of, file_of, hides_error, page_of
from processor.batch.remote_values import RemoteBatch, RemoteError, RemoteFile, Trouble
from processor.batch.trouble import malformed, no_list, refusal, unanswered
from processor.batch.wholeness import shortcoming
from processor.errors import LedgerError
from processor.proxy import proxy_for
from processor.verdict import Fault, TransportFault

if TYPE_CHECKING:
    import httpx2

_WINDOW: Final = "24h"
_PURPOSE: Final = "batch"
_JSONL = "application/jsonl"
_FILES = "/v1/files"
_PAGE_SIZE = 100  # the most that OpenAI gives of batches
_SLOWEST_BYTES_PER_S = 50_000.0
_BLOCK_BYTES = 1 << 20
# Of the headers that the SDK makes; others tell of this computer, or come from its environment.
# By the last one the SDK knows, when the answer is there, that it was asked for it as it came.
_KEPT_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host"),
        "x-stainless-raw-response",
    }
)
_UNTOLD = frozenset({Trouble.GONE, Trouble.REFUSED})

_USER_AGENT = (b"User-Agent", b"processor")
_NO_IDS = frozenset({"", ".", ".."})

Ask = Callable[[], Awaitable[Any]]
_Told = TypeVar("_Told", RemoteFile, RemoteBatch)


class _Call:
    """A call on its way."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What the connection tells of itself; a tunnel through a proxy is not the call."""
        if event.endswith("send_request_headers.started"):
            self.sent = info["request"].method != b"CONNECT"


_CALL: ContextVar[_Call] = ContextVar("call")


class Remote:
    """Files and batches of one account.

    Use as an async context manager, inside the event loop that makes the calls. Every method makes
    one attempt; all raise `RemoteError`.

    Args:
        access: How the provider is reached.
        timeout_s: The most that a call may take; up- and downloads that long without progress.
        connect_s: How long a connection may take, below `timeout_s`.
        trust_env: Whether the proxy variables of the environment count.

    Attributes:
        calls: How many HTTP calls were made.
    """

    def __init__(
        self, access: Access, *, timeout_s: float, connect_s: float, trust_env: bool
    ) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._connect_s = connect_s
        self._proxy = proxy_for(access.base_url) if trust_env else None
        self.calls = 0

    async def __aenter__(self) -> Self:
        import httpx2  # noqa: PLC0415 - with the SDK it takes half a second
        import openai  # noqa: PLC0415 - as above

        self._headers = [
            (name.encode(), value.encode()) for name, value in self._access.sent_headers().items()
        ]
        url = urlsplit(self._access.url(_FILES, ""))
        self._http = httpx2.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            proxy=self._httpx_proxy(),
            timeout=httpx2.Timeout(None, connect=self._connect_s),
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            event_hooks={"request": [self._prepare]},
        )
        self._client = openai.AsyncOpenAI(
            api_key="set-by-us",  # every header is, in `_prepare`
            base_url=url._replace(path=url.path.removesuffix("/files"), query="").geturl(),
            default_query=dict(parse_qsl(url.query)),
            http_client=self._http,
            max_retries=0,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def upload(self, path: Path, name: str) -> RemoteFile:
        """Make a file of a local one, which is streamed.

        Raises:
            RemoteError: It failed; when in doubt, look with `files_named`.
            LedgerError: The local file cannot be read.
        """
        ask = self._client.files.with_raw_response.create
        try:
            async with self._asking(changes=True) as moved:
                with _Local(path, moved) as file:
                    answer = await ask(file=(name, file, _JSONL), purpose=_PURPOSE)
        except OSError as error:
            raise _disk(path, error) from error
        return _known(file_of(self._parsed(answer, changes=True)), changes=True)

    async def files_named(self, name: str, size: int, since_s: float) -> list[RemoteFile]:
        """The files for batches with such a name and so many bytes, or bytes untold.

        Args:
            name: As it was given to `upload`.
            size: In bytes.
            since_s: Seconds since 1970; older ones may be left out.

        Raises:
            RemoteError: GONE when there is no usable list.
        """
        entries = await self._listed(
            lambda after: self._client.files.with_raw_response.list(
                purpose=_PURPOSE, limit=_PAGE_SIZE, order="desc", **after
            ),
            Paging(since_s=since_s, page_size=_PAGE_SIZE),
            "files",
        )
        files = [file for each in entries if (file := file_of(each)) is not None]
        return [file for file in files if file.name == name and file.bytes in {size, None}]

    async def file(self, file_id: str) -> RemoteFile:
        """What the provider tells of a file; a fresh one may be GONE for a moment."""
        ask = self._client.files.with_raw_response.retrieve
        return _known(file_of(await self._answer(lambda: ask(_asked(file_id)))))

    async def create(self, file_id: str, endpoint: str, metadata: Mapping[str, str]) -> RemoteBatch:
        """Make a batch of a file.

        Args:
            file_id: Of the file with the requests.
            endpoint: Such as `/v1/chat/completions`.
            metadata: At most 16 pairs of 64 and 512 characters.

        Raises:
            RemoteError: It failed; when in doubt, look with `batches`.
        """
        ask = self._client.batches.with_raw_response.create
        parsed = await self._answer(
            lambda: ask(
                input_file_id=file_id,
                endpoint=cast("Any", endpoint),  # other servers have others
                completion_window=_WINDOW,
                metadata=dict(metadata),
            ),
            changes=True,
        )
        return _known(batch_of(parsed), changes=True)

    async def retrieve(self, batch_id: str) -> RemoteBatch:
        """What the provider tells of a batch."""
        ask = self._client.batches.with_raw_response.retrieve
        return _known(batch_of(await self._answer(lambda: ask(_asked(batch_id)))))

    async def batches(self, since_s: float, most: int | None = None) -> list[RemoteBatch]:
        """The account's batches, newest first.

        Args:
            since_s: Seconds since 1970; older ones may be left out.
            most: How many are enough; None for all.

        Raises:
            RemoteError: GONE when there is no usable list.
        """
        size = _PAGE_SIZE if most is None else min(most, _PAGE_SIZE)
        entries = await self._listed(
            lambda after: self._client.batches.with_raw_response.list(limit=size, **after),
            Paging(since_s=since_s, page_size=size, most=most),
            "batches",
        )
        found = [batch for each in entries if (batch := batch_of(each)) is not None]
        return _newest_first(found)[:most]

    async def cancel(self, batch_id: str) -> RemoteBatch:
        """Stop a batch; what was done until then is given and charged."""
        ask = self._client.batches.with_raw_response.cancel
        parsed = await self._answer(lambda: ask(_asked(batch_id)), changes=True)
        return _known(batch_of(parsed), changes=True)

    async def download(self, file_id: str, path: Path) -> int:
        """Put the content of a file into a local one, which is whole or not there.

        Returns:
            Its size in bytes.

        Raises:
            RemoteError: AGAIN when less came than there is.
            LedgerError: The disk refuses.
        """
        told = await self._told_bytes(file_id)
        beside = path.with_name(f".{path.name}.part")
        try:
            with beside.open("w+b") as file:
                await self._fetch(file_id, file)
                size = file.tell()
                file.flush()
                if lacking := shortcoming(file, told):
                    raise malformed(lacking)
                await asyncio.to_thread(os.fsync, file.fileno())
            beside.replace(path)
        except OSError as error:
            raise _disk(path, error) from error
        finally:
            beside.unlink(missing_ok=True)
        return size

    async def delete_file(self, file_id: str) -> None:
        """Delete a file; GONE when it is not there."""
        ask = self._client.files.with_raw_response.delete
        await self._answer(lambda: ask(_asked(file_id)))

    async def _fetch(self, file_id: str, file: io.BufferedRandom) -> None:
        ask = self._client.files.with_streaming_response.content
        async with self._asking(changes=False) as moved, ask(_asked(file_id)) as answer:
            async for block in answer.iter_bytes(_BLOCK_BYTES):
                moved(len(block))
                await asyncio.to_thread(file.write, block)

    async def _told_bytes(self, file_id: str) -> int | None:
        """The size that a file is said to have; some servers tell nothing of output files."""
        try:
            return (await self.file(file_id)).bytes
        except RemoteError as error:
            if error.trouble in _UNTOLD:
                return None
            raise

    async def _listed(
        self, ask: Callable[[dict[str, Any]], Awaitable[Any]], paging: Paging, what: str
    ) -> list[Mapping[str, Any]]:
        while not paging.over:
            after = {} if paging.after is None else {"after": paging.after}
            page = page_of(await self._answer(partial(ask, after)))
            if page is not None:
                paging.take(page)
            if page is None or paging.unusable:
                raise no_list(what)
        return paging.entries

    async def _answer(self, ask: Ask, *, changes: bool = False) -> Any:
        async with self._asking(changes=changes):
            answer = await ask()
        return self._parsed(answer, changes=changes)

    def _parsed(self, answer: Any, *, changes: bool) -> Any:
        """The JSON of a success; an error may hide in it."""
        body = self._hidden(answer.content)
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            parsed = None
        if isinstance(parsed, dict | list) and not hides_error(parsed):
            return parsed
        raise refusal(answer.status_code, answer.headers, body, changes=changes, now_s=time.time())

    @asynccontextmanager
    async def _asking(self, *, changes: bool) -> AsyncIterator[Callable[[int], None]]:
        """A call with its deadline; whatever goes wrong with it becomes a `RemoteError`.

        Yields:
            To be told of bytes that went one way or the other; it moves the deadline.
        """
        import httpx2  # noqa: PLC0415 - as above
        import openai  # noqa: PLC0415 - as above

        call = _Call()
        _CALL.set(call)
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                yield self._mover(deadline)
        except openai.APIStatusError as error:
            answer = error.response
            body = self._hidden(answer.content)
            failure = refusal(
                answer.status_code, answer.headers, body, changes=changes, now_s=time.time()
            )
        except TimeoutError:
            detail = f"No whole answer within {self._timeout_s:g} s"
            fault = TransportFault(fault=Fault.TIMEOUT, sent=call.sent, detail=detail)
            failure = unanswered(fault, changes=changes)
        except (openai.APIConnectionError, httpx2.HTTPError, ssl.SSLError) as error:
            fault = fault_of(error, sent=call.sent, proxied=self._proxy is not None)
            failure = unanswered(self._hiding_secrets(fault), changes=changes)
        else:
            return
        raise failure from None  # the cause may quote a secret

    def _mover(self, deadline: asyncio.Timeout) -> Callable[[int], None]:
        loop = asyncio.get_running_loop()
        begun_s, bytes_moved = loop.time(), 0

        def moved(count: int) -> None:
            nonlocal bytes_moved
            bytes_moved += count
            if not deadline.expired():
                deadline.reschedule(due_s(begun_s, loop.time(), bytes_moved, self._timeout_s))

        return moved

    async def _prepare(self, request: "httpx2.Request") -> None:
        """Send what `Access` says, whatever the environment made the SDK add."""
        self.calls += 1
        kept = [pair for pair in request.headers.raw if pair[0].decode().lower() in _KEPT_HEADERS]
        own = [pair for pair in self._headers if pair[0].decode().lower() not in _KEPT_HEADERS]
        request.headers = type(request.headers)([*kept, _USER_AGENT, *own])
        request.extensions = {**request.extensions, "trace": _CALL.get().trace}

    def _httpx_proxy(self) -> "httpx2.Proxy | None":
        import httpx2  # noqa: PLC0415 - as above

        if self._proxy is None:
            return None
        url, headers = self._proxy
        return httpx2.Proxy(str(url), headers=headers)

    def _hidden(self, body: bytes) -> bytes:
        """A careless server may echo the request."""
        for secret in self._access.secrets:
            body = body.replace(secret.encode(), b"***")
        return body

    def _hiding_secrets(self, fault: TransportFault) -> TransportFault:
        """An error may quote the bytes that it stumbled over."""
        return replace(fault, detail=self._hidden(fault.detail.encode()).decode())


class _Local(io.FileIO):
    """A local file that tells how much of it was read."""

    def __init__(self, path: Path, moved: Callable[[int], None]) -> None:
        super().__init__(path)
        self._moved = moved

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size) or b""
        self._moved(len(block))
        return block


def due_s(begun_s: float, now_s: float, bytes_moved: int, timeout_s: float) -> float:
    """When a call is given up: without progress for long, or far too slow as a whole.

    Args:
        begun_s: When it began.
        now_s: When bytes moved last.
        bytes_moved: How many until then.
        timeout_s: How long it may go without progress.
    """
    return min(now_s, begun_s + bytes_moved / _SLOWEST_BYTES_PER_S) + timeout_s


def _asked(some_id: str) -> str:
    """An id that can be a part of an address."""
    if some_id in _NO_IDS:
        message = f"{some_id!r} is no id of a file or a batch"
        raise RemoteError(message, trouble=Trouble.REFUSED, code="bad_request")
    return some_id


def _known(value: _Told | None, *, changes: bool = False) -> _Told:
    if value is None:
        raise malformed("The answer has no id", changes=changes)
    return value


def _newest_first(batches: list[RemoteBatch]) -> list[RemoteBatch]:
    if any(batch.created_at is None for batch in batches):
        return batches
    return sorted(batches, key=lambda batch: -(batch.created_at or 0))


def _disk(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"{path}: {error.strerror or error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )
