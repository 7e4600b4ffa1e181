"""Files and batches at the provider, through the `openai` SDK.

The SDK knows the routes; everything else is done here. It is given no retries, because a create
that is sent twice is paid twice; no key and no header of its own, because it reads the environment;
no models, because servers differ (`reading`); and no deadlines, because its own are per read.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

from processor.access import Access
from processor.batch.connection_fault import network_errors
from processor.batch.http_client import HttpClient
from processor.batch.paging import Paging
from processor.batch.reading import batch_of, file_of, hides_error, json_of, page_of
from processor.batch.remote_values import RemoteBatch, RemoteError, RemoteFile, Trouble
from processor.batch.transfer import Deadline, Outgoing, landing
from processor.batch.trouble import malformed, no_list, refusal, refused, unanswered
from processor.batch.wholeness import is_rest, shortcoming
from processor.verdict import Fault, TransportFault

if TYPE_CHECKING:
    import openai

_WINDOW: Final = "24h"
_PURPOSE: Final = "batch"
_FILES = "/v1/files"
_PAGE_SIZE = 100  # the most that OpenAI gives of batches
_UNTOLD = frozenset({Trouble.GONE, Trouble.REFUSED})
_BROKEN = "connection"
_NO_IDS = frozenset({"", ".", ".."})

Ask = Callable[[], Awaitable[Any]]
_Told = TypeVar("_Told", RemoteFile, RemoteBatch)


class Remote:
    """Files and batches of one account.

    Use as an async context manager, inside the event loop that makes the calls. Every method makes
    one attempt; all raise `RemoteError`.

    Args:
        access: How the provider is reached.
        timeout_s: The most that a call may take; up- and downloads that long without progress.
        connect_s: How long a connection may take, below `timeout_s`.
        trust_env: Whether proxies count, the one of `access` or the environment's.
    """

    def __init__(
        self, access: Access, *, timeout_s: float, connect_s: float, trust_env: bool
    ) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._http = HttpClient(access, connect_s=connect_s, trust_env=trust_env)

    @property
    def calls(self) -> int:
        """How many HTTP calls were made."""
        return self._http.calls

    async def __aenter__(self) -> Self:
        url = urlsplit(self._access.url(_FILES, ""))
        base_url = url._replace(path=url.path.removesuffix("/files"), query="").geturl()
        self._client = _client_class()(
            api_key="none",  # headers are made beneath the SDK
            base_url=base_url,
            default_query=dict(parse_qsl(url.query)),
            http_client=self._http.opened(base_url),
            max_retries=0,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def upload(self, path: Path, name: str) -> RemoteFile:
        """Make a file of a local one, which is streamed.

        Raises:
            RemoteError: It failed; when in doubt, look with `files_named`.
            LedgerError: The local file cannot be read.
        """
        ask = self._client.files.with_raw_response.create
        async with self._asking(changes=True) as deadline:
            with Outgoing(path, deadline) as file:
                answer = await ask(file=(name, file), purpose=_PURPOSE)
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
        """Stop a batch; what was done until then is given and charged.

        Raises:
            RemoteError: REFUSED when it has ended already.
        """
        ask = self._client.batches.with_raw_response.cancel
        try:
            parsed = await self._answer(lambda: ask(_asked(batch_id)), changes=True)
        except RemoteError as error:
            if error.status == HTTPStatus.CONFLICT:
                raise refused(str(error), status=error.status) from None
            raise
        return _known(batch_of(parsed), changes=True)

    async def download(self, file_id: str, path: Path) -> int:
        """Put the content of a file into a local one, which is whole or not there.

        Where the connection breaks it goes on, as long as every try brings more.

        Returns:
            Its size in bytes.

        Raises:
            RemoteError: AGAIN when less came than there is.
            LedgerError: The disk refuses.
        """
        told = await self._told_bytes(file_id)
        async with landing(path) as file:
            await self._fetch(file_id, file, told)
            if lacking := shortcoming(file, told):
                raise malformed(self._http.hidden(lacking.encode()).decode())
            return file.seek(0, os.SEEK_END)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file; GONE when it is not there."""
        ask = self._client.files.with_raw_response.delete
        await self._answer(lambda: ask(_asked(file_id)))

    async def _fetch(self, file_id: str, file: BinaryIO, told_bytes: int | None) -> None:
        had = -1
        while had < (has := file.seek(0, os.SEEK_END)):
            had = has
            try:
                await self._fetch_from(had, file_id, file)
            except RemoteError as error:
                if error.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and had:
                    return  # it broke right at the end
                if error.code != _BROKEN or file.tell() <= had:
                    raise
            else:
                if told_bytes is None or file.tell() >= told_bytes:
                    return

    async def _fetch_from(self, begin: int, file_id: str, file: BinaryIO) -> None:
        ask = self._client.files.with_streaming_response.content
        headers = {"Range": f"bytes={begin}-", "Accept-Encoding": "identity"} if begin else None
        asking = self._asking(changes=False, follows=True)
        async with asking as deadline, ask(_asked(file_id), extra_headers=headers) as answer:
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                file.seek(0)
                file.truncate()
            elif not is_rest(answer.headers, begin):
                raise malformed("The answer is another part of the file than was asked for")
            async for block in answer.iter_bytes():
                deadline.moved(len(block))
                await asyncio.to_thread(file.write, block)

    async def _told_bytes(self, file_id: str) -> int | None:
        """The size that a file is said to have; some servers tell nothing of output files."""
        ask = self._client.files.with_raw_response.retrieve
        try:
            told = file_of(await self._answer(lambda: ask(_asked(file_id))))
        except RemoteError as error:
            if error.trouble not in _UNTOLD:
                raise
            return None
        return told.bytes if told else None

    async def _listed(
        self, ask: Callable[[dict[str, Any]], Awaitable[Any]], paging: Paging, what: str
    ) -> list[Mapping[str, Any]]:
        while not paging.over:
            after = {} if paging.after is None else {"after": paging.after}
            try:
                page = page_of(await self._answer(partial(ask, after)))
            except RemoteError as error:
                if error.trouble is Trouble.REFUSED:  # it takes other questions than OpenAI's
                    raise no_list(what) from None
                raise
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
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return {}
        parsed = json_of(answer.content)
        if parsed is not None and not hides_error(parsed):
            return parsed
        raise self._refusal(answer, changes=changes)

    def _refusal(self, answer: Any, *, changes: bool) -> RemoteError:
        return refusal(
            answer.status_code,
            answer.headers,
            self._http.hidden(answer.content),
            changes=changes,
            now_s=time.time(),
        )

    @asynccontextmanager
    async def _asking(self, *, changes: bool, follows: bool = False) -> AsyncIterator[Deadline]:
        """A call with its deadline; whatever goes wrong with it becomes a `RemoteError`."""
        import openai  # noqa: PLC0415 - as above

        broken: tuple[type[Exception], ...] = (openai.APIConnectionError, *network_errors())
        call = self._http.begin(follows=follows)
        try:
            async with asyncio.timeout(self._timeout_s) as timer:
                yield Deadline(timer, self._timeout_s)
        except openai.APIStatusError as error:
            failure = self._refusal(error.response, changes=changes)
        except TimeoutError:
            detail = f"No whole answer within {self._timeout_s:g} s"
            fault = TransportFault(fault=Fault.TIMEOUT, sent=call.sent, detail=detail)
            failure = unanswered(fault, changes=changes)
        except broken as error:
            failure = unanswered(self._http.fault(error, call), changes=changes)
        else:
            return
        raise failure from None  # the cause may quote a secret


def _client_class() -> "type[openai.AsyncOpenAI]":
    import openai  # noqa: PLC0415 - it takes half a second

    class Client(openai.AsyncOpenAI):
        """Without the headers that the environment names."""

        @property
        def default_headers(self) -> dict[str, Any]:
            return {"Accept": "application/json", "Content-Type": "application/json"}

    return Client


def _asked(some_id: str) -> str:
    """An id that can be a part of an address."""
    if some_id in _NO_IDS:
        raise refused(f"{some_id!r} is no id of a file or a batch")
    return some_id


def _known(value: _Told | None, *, changes: bool = False) -> _Told:
    if value is None:
        raise malformed("The answer has no id", changes=changes)
    return value


def _newest_first(batches: list[RemoteBatch]) -> list[RemoteBatch]:
    if any(batch.created_at is None for batch in batches):
        return batches
    return sorted(batches, key=lambda batch: -(batch.created_at or 0))
