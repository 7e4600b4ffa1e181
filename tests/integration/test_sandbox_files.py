"""The Files API: every call of OpenAI's own client, and what is refused."""

import asyncio
from typing import Any

import aiohttp
import openai
import pytest
from batch_api import Bench, chat_lines, jsonl, walk

INPUT = jsonl(chat_lines(3))


def test_every_call_of_the_client() -> None:
    async def visit(bench: Bench) -> None:
        files = bench.client.files
        file = await files.create(
            file=("shard.jsonl", INPUT),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
        assert (file.object, file.purpose, file.status) == ("file", "batch", "processed")
        assert (file.filename, file.bytes) == ("shard.jsonl", len(INPUT))
        assert file.expires_at == file.created_at + 3600
        assert await files.retrieve(file.id) == file
        assert await files.wait_for_processing(file.id) == file
        assert (await files.content(file.id)).content == INPUT
        async with files.with_streaming_response.content(file.id) as response:
            assert response.headers["content-length"] == str(len(INPUT))
            assert b"".join([block async for block in response.iter_bytes()]) == INPUT
        assert [one.id async for one in files.list()] == [file.id]
        gone = await files.delete(file.id)
        assert (gone.id, gone.object, gone.deleted) == (file.id, "file", True)
        for call in (files.retrieve, files.content, files.delete):
            with pytest.raises(openai.NotFoundError, match=f"No such File object: {file.id}"):
                await call(file.id)

    walk(visit)


def test_inputs_expire_after_thirty_days_and_others_never() -> None:
    async def visit(bench: Bench) -> None:
        files = bench.client.files
        batch = await files.create(file=("a.jsonl", INPUT), purpose="batch")
        kept = await files.create(file=("a.txt", b"text"), purpose="assistants")
        assert batch.expires_at == batch.created_at + 30 * 86_400
        assert kept.expires_at is None
        await bench.advance(30 * 86_400)
        assert [one.id async for one in files.list()] == [kept.id]
        with pytest.raises(openai.NotFoundError):
            await files.content(batch.id)
        with pytest.raises(openai.BadRequestError, match="download files of purpose: assistants"):
            await files.content(kept.id)

    walk(visit)


def test_pages() -> None:
    async def visit(bench: Bench) -> None:
        files = bench.client.files
        names = [await bench.upload(INPUT, f"{number}.jsonl") for number in range(5)]
        other = await files.create(file=("a.txt", b"text"), purpose="user_data")
        assert [one.id async for one in files.list(limit=2)] == [other.id, *reversed(names)]
        assert [one.id async for one in files.list(purpose="batch", order="asc")] == names
        page = await files.list(purpose="batch", limit=2, after=names[4])
        assert ([one.id for one in page.data], page.has_more) == ([names[3], names[2]], True)
        page = await files.list(purpose="batch", limit=2, after=names[2])
        assert ([one.id for one in page.data], page.has_more) == ([names[1], names[0]], False)
        for wrong in ({"limit": 0}, {"limit": 10_001}, {"order": "up"}, {"limit": "x"}):
            with pytest.raises(openai.BadRequestError) as caught:
                await files.list(**wrong)
            assert caught.value.param in wrong
        with pytest.raises(openai.NotFoundError):
            await files.list(after="file-none")
        await bench.admin("config", {"strict_after": False})
        assert len((await files.list(after="file-none")).data) == 6

    walk(visit)


@pytest.mark.parametrize(
    ("wanted", "first", "part"),
    [
        ("bytes=0-9", 0, INPUT[:10]),
        ("bytes=10-", 10, INPUT[10:]),
        ("bytes=-5", len(INPUT) - 5, INPUT[-5:]),
        (f"bytes={len(INPUT)}-", 0, None),
    ],
)
def test_ranges(wanted: str, first: int, part: bytes | None) -> None:
    async def visit(bench: Bench) -> None:
        name = await bench.upload(INPUT)
        address = f"{bench.url}/files/{name}/content"
        async with bench.session.get(address, headers={"range": wanted}) as response:
            assert response.status == (416 if part is None else 206)
            if part is not None:
                assert await response.read() == part
                told = f"bytes {first}-{first + len(part) - 1}/{len(INPUT)}"
                assert response.headers["content-range"] == told

    walk(visit)


def form(**fields: Any) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in {"purpose": "batch", "file": ("in.jsonl", INPUT), **fields}.items():
        place = name.replace("__", "[") + ("]" if "__" in name else "")
        if isinstance(value, tuple):
            data.add_field(place, value[1], filename=value[0])
        elif value is not None:
            data.add_field(place, value)
    if not data.is_multipart:
        data.add_field("nothing", "", content_type="text/plain")
    return data


LIFE = {"expires_after__anchor": "created_at", "expires_after__seconds": "3600"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"file": None}, "'file' is a required property"),
        ({"purpose": None}, "'purpose' is a required property"),
        ({"purpose": "fun"}, "Invalid value: 'fun'. Supported values are"),
        ({"purpose": "batch_output"}, "Invalid value: 'batch_output'"),
        ({"file": ("in.txt", INPUT)}, "Must be .jsonl"),
        ({"file": ("in.jsonl.gz", INPUT)}, "Must be .jsonl"),
        ({"file": ("in.jsonl", b"")}, "Must be .jsonl"),
        ({"file": ("in.jsonl", b"{broken")}, "Must be .jsonl"),
        ({"file": ("in.jsonl", b"\xef\xbb\xbf" + INPUT)}, "Must be .jsonl"),
        ({"purpose": "x" * 2000}, "error parsing the body"),
        ({**LIFE, "expires_after__anchor": "now"}, "Invalid value: 'now'"),
        ({**LIFE, "expires_after__anchor": None}, "'expires_after.anchor'"),
        ({**LIFE, "expires_after__seconds": None}, "'expires_after.seconds'"),
        ({**LIFE, "expires_after__seconds": "3599"}, "integer below minimum value"),
        ({**LIFE, "expires_after__seconds": "2592001"}, "integer above maximum value"),
        ({**LIFE, "expires_after__seconds": "soon"}, "expected an integer"),
    ],
)
def test_uploads_that_are_refused(fields: dict[str, Any], words: str) -> None:
    async def visit(bench: Bench) -> None:
        async with bench.session.post(f"{bench.url}/files", data=form(**fields)) as response:
            told = await response.json()
        assert response.status == 400
        assert words in told["error"]["message"]
        assert told["error"]["type"] == "invalid_request_error"
        assert (await bench.client.files.list()).data == []

    walk(visit)


def test_a_first_line_that_is_too_long_for_a_call_is_not_looked_at() -> None:
    async def visit(bench: Bench) -> None:
        await bench.upload(b"{" + b"x" * 100)
        with pytest.raises(openai.BadRequestError, match="Invalid file format"):
            await bench.upload(b"{" + b"x" * 97)

    walk(visit, max_body_bytes=99)


def test_an_upload_is_a_form() -> None:
    async def visit(bench: Bench) -> None:
        for body, kind, words in (
            (b"{}", "application/json", "multipart/form-data"),
            (b"", "multipart/form-data", "error parsing"),
            (b"nothing", "multipart/form-data; boundary=x", "error parsing"),
            (b"--x\r\n\r\nno name\r\n--x--", "multipart/form-data; boundary=x", "error parsing"),
        ):
            headers = {"content-type": kind}
            address = f"{bench.url}/files"
            async with bench.session.post(address, data=body, headers=headers) as response:
                assert response.status == 400
                assert words in (await response.json())["error"]["message"]

    walk(visit)


@pytest.mark.parametrize("end", ["torn", "closed"])
def test_a_torn_upload_leaves_nothing(end: str, tmp_path: Any) -> None:
    async def visit(bench: Bench) -> None:
        host, port = bench.url.split("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        part = head.encode() + INPUT
        length = len(part) if end == "torn" else len(part) + 100
        writer.write(
            b"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
            b"content-type: multipart/form-data; boundary=x\r\n"
            + f"content-length: {length}\r\n\r\n".encode()
            + part
        )
        await writer.drain()
        if end == "torn":
            assert b" 400 " in await reader.readline()
        writer.close()
        while (await bench.admin("stats"))["in_hand"]:
            pass
        assert (await bench.client.files.list()).data == []
        assert list((tmp_path / "state" / "arrivals").iterdir()) == []

    walk(visit, state=tmp_path / "state")


def test_sizes_and_rates_have_limits() -> None:
    async def visit(bench: Bench) -> None:
        await bench.upload(INPUT)
        with pytest.raises(openai.APIStatusError) as caught:
            await bench.upload(INPUT + b"{}\n")
        assert caught.value.status_code == 413
        reply = await bench.client.files.with_raw_response.create(
            file=("b.txt", b"text"), purpose="user_data"
        )
        assert reply.headers["x-ratelimit-remaining-requests"] == "0"
        assert reply.headers["x-request-id"].startswith("req_")
        with pytest.raises(openai.RateLimitError) as limited:
            await bench.upload(INPUT)
        assert limited.value.code == "rate_limit_exceeded"
        assert int(limited.value.response.headers["retry-after"]) == 20
        await bench.advance(20)
        await bench.upload(INPUT)

    walk(visit, batch_file_bytes=len(INPUT), uploads_per_minute=3)


def test_a_name_is_no_path() -> None:
    async def visit(bench: Bench) -> None:
        for name, kept in (("../../a.jsonl", "a.jsonl"), ("C:\\x\\b.jsonl", "b.jsonl")):
            file = await bench.client.files.create(file=(name, INPUT), purpose="batch")
            assert file.filename == kept

    walk(visit)


def test_keys_and_accounts_are_checked_as_for_chat() -> None:
    async def visit(bench: Bench) -> None:
        client = bench.client
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="sk-wrong").files.list()
        with pytest.raises(openai.AuthenticationError, match="should match project"):
            await client.with_options(project="proj_other").batches.list()
        assert (await client.with_options(project="proj_mine").batches.list()).data == []

    walk(visit, api_key="sk-test", project="proj_mine")
