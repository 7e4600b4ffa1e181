"""A provider of files and batches that can be told to say anything; it works, but for what it says.

Every request is answered at once, every batch has ended when it is looked at for the second time.
"""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from batch_bench import Bench, bench_before, rows_in

Told = dict[str, Any]


@dataclass(slots=True)
class Provider:
    """What it has, and how what it says is changed.

    Attributes:
        files: Names and contents, by id.
        batches: As they are, by id, oldest first.
        told: Changes a batch before it is told; given the batch, the route (`create`, `list`,
            `look`) and how often it was asked for by that route.
        answer: Makes the output of a batch of the lines of its input.
        name: Makes the ids of files and batches of a kind and a number.
        cancelled: Ids of batches, for each time that it was asked.
        asked: How often each batch was told of, by route.
    """

    told: Callable[[Told, str, int], Told] = lambda batch, _, __: batch
    answer: Callable[[list[Told]], list[Told]] = lambda lines: [good(line) for line in lines]
    name: Callable[[str, int], str] = lambda kind, number: f"{kind}-{number}"
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    batches: dict[str, Told] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application(client_max_size=1 << 26)
        app.add_routes(
            [
                web.post("/v1/files", self._upload),
                web.get("/v1/files", self._list_files),
                web.get("/v1/files/{id:[^/]*}", self._file),
                web.get("/v1/files/{id:[^/]*}/content", self._content),
                web.post("/v1/batches", self._create),
                web.get("/v1/batches", self._list),
                web.get("/v1/batches/{id:[^/]*}", self._look),
                web.post("/v1/batches/{id:[^/]*}/cancel", self._cancel),
            ]
        )
        return app

    def add(self, file: str, metadata: Told | None) -> Told:
        """A new batch of a file."""
        name = self.name("batch", next(self.numbers))
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "status": "validating",
            "input_file_id": file,
            "metadata": metadata,
            "created_at": int(time.time()),
            "output_file_id": None,
            "error_file_id": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        return self.batches[name]

    def keep(self, name: str, content: bytes) -> str:
        """A new file; returns its id."""
        file = self.name("file", next(self.numbers))
        self.files[file] = (name, content)
        return file

    def complete(self, batch: Told) -> None:
        """Let a batch have its output."""
        lines = [orjson.loads(line) for line in self.files[batch["input_file_id"]][1].splitlines()]
        output = b"".join(orjson.dumps(line) + b"\n" for line in self.answer(lines))
        batch["status"] = "completed"
        batch["output_file_id"] = self.keep("out.jsonl", output)

    def _as_told(self, batch: Told, route: str) -> Told:
        if route != "create" and batch["status"] == "in_progress":
            self.complete(batch)
        elif route != "create" and batch["status"] == "validating":
            batch["status"] = "in_progress"
        key = (batch["id"], route)
        self.asked[key] = self.asked.get(key, 0) + 1
        return self.told(dict(batch), route, self.asked[key])

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        given = form["file"]
        assert isinstance(given, web.FileField)
        file = self.keep(given.filename, given.file.read())
        return _json(self._file_of(file))

    async def _list_files(self, _: web.Request) -> web.Response:
        return _json({"data": [self._file_of(file) for file in self.files], "has_more": False})

    async def _file(self, request: web.Request) -> web.Response:
        return _json(self._file_of(request.match_info["id"]))

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]][1])

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        batch = self.add(body["input_file_id"], body.get("metadata"))
        return _json(self._as_told(batch, "create"))

    async def _list(self, _: web.Request) -> web.Response:
        newest = list(self.batches.values())[::-1]
        return _json({"data": [self._as_told(each, "list") for each in newest], "has_more": False})

    async def _look(self, request: web.Request) -> web.Response:
        return _json(self._as_told(self.batches[request.match_info["id"]], "look"))

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        self.cancelled.append(batch["id"])
        batch["status"] = "cancelled"
        return _json(batch)

    def _file_of(self, file: str) -> Told:
        name, content = self.files[file]
        told = {"id": file, "object": "file", "filename": name, "purpose": "batch"}
        return {**told, "bytes": len(content), "created_at": int(time.time())}


def good(line: Told, **fields: Any) -> Told:
    """The answer to a line of an input: what was asked, said back."""
    said = line["body"]["messages"][-1]["content"]
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "a", "content": said}}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    body = {"id": "c", "model": line["body"]["model"], "choices": [choice], "usage": usage}
    response = {"status_code": 200, "request_id": "r", "body": body}
    told = {"id": "l", "custom_id": line["custom_id"], "response": response, "error": None}
    return {**told, **fields}


def _json(told: Any) -> web.Response:
    return web.Response(body=orjson.dumps(told), content_type="application/json")


@asynccontextmanager
async def hostile_bench(folder: Path, provider: Provider, *, rows: int) -> AsyncIterator[Bench]:
    """A folder with rows before such a provider."""
    rows_in(folder, rows)
    runner = web.AppRunner(provider.app())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield bench_before(url, folder)
    finally:
        await runner.cleanup()


Visit = Callable[[Bench, Provider], Awaitable[None]]
