"""Files and batches of the sandbox, by the client's own hands."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from processor.access import Access
from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteBatch, RemoteError, Trouble
from processor.sandbox import ManualClock, SandboxConfig, running
from processor.sandbox.faults.fault import Fault

MODEL = "gpt-6-luna"
CHAT = "/v1/chat/completions"
KEY = "sk-0123456789abcdef"


def line(number: int, **fields: Any) -> str:
    body = {"model": MODEL, "messages": [{"role": "user", "content": f"Say {number}"}], **fields}
    request = {"custom_id": f"item-{number}", "method": "POST", "url": CHAT, "body": body}
    return json.dumps(request) + "\n"


@dataclass(frozen=True, slots=True)
class Bench:
    """A sandbox whose time stands still, and a client of it."""

    remote: Remote
    clock: ManualClock
    folder: Path
    url: str

    def shard(self, *lines: str) -> Path:
        path = self.folder / "shard.jsonl"
        path.write_text("".join(lines or (line(0), line(1))))
        return path

    async def submitted(self, *lines: str, name: str = "a.jsonl") -> RemoteBatch:
        file = await self.remote.upload(self.shard(*lines), name)
        return await self.remote.create(file.id, CHAT, {"run": "r1"})

    async def ended(self, batch: RemoteBatch) -> RemoteBatch:
        """The batch, when time has gone on far enough."""
        async with ClientSession() as session:
            told = await session.post(f"{self.url[:-3]}/sandbox/clock", json={"advance_s": 5})
            assert told.status == 200
        return await self.remote.retrieve(batch.id)


def bench(
    folder: Path, visit: Callable[[Bench], Awaitable[None]], *faults: Fault, **config: Any
) -> None:
    async def main() -> None:
        clock = ManualClock()
        options = SandboxConfig(latency_ms=0, faults=faults, **config)
        async with running(options, clock) as url, remote(Access(base_url=url)) as it:
            await visit(Bench(it, clock, folder, url))

    asyncio.run(main())


@asynccontextmanager
async def remote(access: Access) -> AsyncIterator[Remote]:
    async with Remote(access, timeout_s=10, connect_s=5, trust_env=False) as it:
        yield it


async def failure(call: Awaitable[Any]) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await call
    return caught.value


def test_from_an_upload_to_the_answers(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        began_s = bench.clock.time()
        batch = await bench.submitted(line(0), line(1), line(2, temperature=9))
        assert (batch.status, batch.metadata) == ("validating", {"run": "r1"})
        assert batch.input_file_id is not None
        file = await bench.remote.file(batch.input_file_id)
        size = (tmp_path / "shard.jsonl").stat().st_size
        assert (file.name, file.bytes) == ("a.jsonl", size)
        assert await bench.remote.files_named("a.jsonl", size, began_s) == [file]
        assert await bench.remote.files_named("a.jsonl", size + 1, began_s) == []
        assert await bench.remote.files_named("b.jsonl", size, began_s) == []
        batch = await bench.ended(batch)
        assert (batch.status, batch.total, batch.completed, batch.failed) == ("completed", 3, 2, 1)
        assert [each.id for each in await bench.remote.batches(began_s)] == [batch.id]
        got = {}
        for file_id in (batch.output_file_id, batch.error_file_id):
            assert file_id is not None
            path = tmp_path / file_id
            assert await bench.remote.download(file_id, path) == path.stat().st_size
            for each in path.read_bytes().split(b"\n")[:-1]:
                answer = json.loads(each)
                got[answer["custom_id"]] = answer["response"]["status_code"]
            await bench.remote.delete_file(file_id)
            gone = await failure(bench.remote.download(file_id, path))
            assert gone.trouble is Trouble.GONE
        assert got == {"item-0": 200, "item-1": 200, "item-2": 400}
        refused = await failure(bench.remote.cancel(batch.id))
        assert (refused.trouble, refused.in_doubt) == (Trouble.REFUSED, False)

    bench(tmp_path, visit)


def test_a_batch_that_cannot_be(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.ended(await bench.submitted(line(0), line(0)))
        assert batch.status == "failed"
        assert [(each.code, each.line) for each in batch.problems] == [("duplicate_custom_id", 2)]

    bench(tmp_path, visit)


def test_a_batch_is_cancelled(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.remote.cancel((await bench.submitted()).id)
        assert batch.status == "cancelling"
        assert (await bench.ended(batch)).status == "cancelled"

    bench(tmp_path, visit)


@pytest.mark.parametrize("kind", ["lost_answer", "late_error"])
def test_an_answer_is_lost(tmp_path: Path, kind: str) -> None:
    """In doubt; what was made can be found."""

    async def visit(bench: Bench) -> None:
        path = bench.shard()
        error = await failure(bench.remote.upload(path, "a.jsonl"))
        assert (error.trouble, error.in_doubt) == (Trouble.AGAIN, True)
        (file,) = await bench.remote.files_named("a.jsonl", path.stat().st_size, 0)
        error = await failure(bench.remote.create(file.id, CHAT, {}))
        assert (error.trouble, error.in_doubt) == (Trouble.AGAIN, True)
        (batch,) = await bench.remote.batches(0)
        assert batch.input_file_id == file.id
        error = await failure(bench.remote.cancel(batch.id))
        assert (error.trouble, error.in_doubt) == (Trouble.AGAIN, True)
        assert (await bench.remote.retrieve(batch.id)).status == "cancelling"

    faults = [Fault(kind=kind, on=place) for place in ("upload", "create", "cancel")]
    bench(tmp_path, visit, *faults)


@pytest.mark.parametrize("form", ["400", "429"])
def test_too_much_is_enqueued(tmp_path: Path, form: str) -> None:
    """FAULTS.md 61."""

    async def visit(bench: Bench) -> None:
        file = await bench.remote.upload(bench.shard(*map(line, range(50))), "a.jsonl")
        error = await failure(bench.remote.create(file.id, CHAT, {}))
        assert (error.trouble, error.status) == (Trouble.QUOTA, int(form))
        assert "Limit: 10 enqueued tokens" in str(error)
        assert await bench.remote.batches(0) == []

    bench(tmp_path, visit, enqueued_tokens=10, enqueued_form=form)


def test_lists_of_many_pages(tmp_path: Path) -> None:
    """Two pages; no further back than needs be."""

    async def visit(bench: Bench) -> None:
        path = bench.shard()
        first = await bench.remote.upload(path, "first.jsonl")
        for number in range(100):
            bench.clock.advance(60)
            await bench.remote.upload(path, f"{number}.jsonl")
        size, since_s = path.stat().st_size, first.created_at
        assert since_s is not None
        before = bench.remote.calls
        assert await bench.remote.files_named("first.jsonl", size, since_s) == [first]
        assert bench.remote.calls - before == 2
        assert await bench.remote.files_named("first.jsonl", size, bench.clock.time()) == []
        assert bench.remote.calls - before == 3

    bench(tmp_path, visit)


def test_the_newest_batches(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        made = []
        for _ in range(5):
            made.append(await bench.submitted())
            bench.clock.advance(10)
        before = bench.remote.calls
        newest = await bench.remote.batches(0, 2)
        assert [each.id for each in newest] == [made[4].id, made[3].id]
        assert bench.remote.calls - before == 1

    bench(tmp_path, visit)


def test_an_account_by_key_organization_and_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `Access` says, whatever the environment holds for the SDK."""
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "of-another")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer x\nX-Theirs: x")
    account: dict[str, Any] = {"api_key": KEY, "organization": "org-ours", "project": "proj-ours"}

    async def visit(bench: Bench) -> None:
        path = bench.shard()
        async with remote(Access(base_url=bench.url, **account)) as ours:
            file = await ours.upload(path, "a.jsonl")
            assert (await ours.create(file.id, CHAT, {})).status == "validating"
        for one in account:
            wrong = account | {one: "of-another-one"}
            async with remote(Access(base_url=bench.url, **wrong)) as theirs:
                error = await failure(theirs.create(file.id, CHAT, {}))
                assert error.trouble is Trouble.FATAL
                assert error.code in {"auth", "forbidden"}
        none = await failure(bench.remote.batches(0))
        assert (none.trouble, none.code) == (Trouble.FATAL, "auth")

    bench(tmp_path, visit, **account)


@pytest.mark.parametrize(
    ("path", "version"), [("/openai/v1", None), ("/openai/v1", "preview"), ("", "2024-10-21")]
)
def test_azure(tmp_path: Path, path: str, version: str | None) -> None:
    async def visit(bench: Bench) -> None:
        root = bench.url.removesuffix("/v1")
        access = Access(
            base_url=root + path,
            api_key=None if version is None else KEY,
            headers=(("api-key", KEY),) if version is None else (),
            api_version=version,
        )
        async with remote(access) as azure:
            file = await azure.upload(bench.shard(), "a.jsonl")
            batch = await azure.create(file.id, CHAT, {})
            (found,) = await azure.batches(0)
            assert found.id == batch.id
            (same,) = await azure.files_named("a.jsonl", file.bytes or 0, 0)
            assert same.id == file.id
            assert await azure.download(file.id, tmp_path / "back") == file.bytes

    bench(tmp_path, visit, api_key=KEY)


def test_a_download_breaks_off(tmp_path: Path) -> None:
    """It goes on where it was, in the same call."""

    async def visit(bench: Bench) -> None:
        path = bench.shard(*map(line, range(400)))
        file = await bench.remote.upload(path, "a.jsonl")
        before = bench.remote.calls
        assert await bench.remote.download(file.id, tmp_path / "back") == file.bytes
        assert (tmp_path / "back").read_bytes() == path.read_bytes()
        assert bench.remote.calls - before == 3

    bench(tmp_path, visit, Fault(kind="cut_short", on="content", count=1))


LINES = 40_000
SIZE = LINES * 1_001


@pytest.mark.fault(81)
def test_memory_is_constant(tmp_path: Path) -> None:
    """Of a file of 40 MB never more than a few blocks are held, either way."""
    path = tmp_path / "shard.jsonl"
    with path.open("wb") as file:
        for _ in range(LINES):
            file.write(b"{" + b" " * 998 + b"}\n")

    async def take(request: web.Request) -> web.Response:
        size = 0
        async for block in request.content.iter_chunked(1 << 16):
            size += len(block)
        assert size > SIZE
        return web.json_response({"id": "file-1", "bytes": SIZE})

    async def give(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async def tell(_: web.Request) -> web.Response:
        return web.json_response({"id": "file-1", "bytes": SIZE})

    async def main() -> int:
        app = web.Application(client_max_size=2 * SIZE)
        app.router.add_post("/v1/files", take)
        app.router.add_get("/v1/files/file-1/content", give)
        app.router.add_get("/v1/files/file-1", tell)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with remote(Access(base_url=f"http://127.0.0.1:{port}/v1")) as it:
            await it.file("file-1")
            tracemalloc.start()
            await it.upload(path, "a.jsonl")
            assert await it.download("file-1", tmp_path / "back") == SIZE
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        await runner.cleanup()
        return peak

    assert asyncio.run(main()) < 8_000_000
