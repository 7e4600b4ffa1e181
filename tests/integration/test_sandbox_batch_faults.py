"""What goes wrong with files and batches on request."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
import openai
import pytest
from batch_api import Bench, chat_line, chat_lines, jsonl, walk

from processor.sandbox.faults.fates import FATES
from processor.sandbox.faults.fault import parse_fault
from processor.sandbox.faults.kinds import check_fault, place_of
from processor.sandbox.faults.places import CALL

TEN = [f"c{place}" for place in range(10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A batch of ten lines, a while later, with the bytes of its files.

    Attributes:
        told: As it came over the wire.
    """

    told: Any
    output: bytes | None
    error: bytes | None

    @property
    def names(self) -> list[str]:
        """Whose answers stand in the output, sorted."""
        return sorted(line["custom_id"] for line in parsed(self.output))


def parsed(raw: bytes | None) -> list[Any]:
    """The lines of a file."""
    assert raw is not None
    return [json.loads(line) for line in raw.split(b"\n")[:-1]]


async def ended(bench: Bench, lines: list[dict[str, Any]]) -> Ended:
    batch = await bench.submit(lines)
    await bench.advance(5)
    async with bench.session.get(f"{bench.url}/batches/{batch.id}") as reply:
        told = await reply.json()

    async def read(name: str | None) -> bytes | None:
        if not name:
            return None
        try:
            return (await bench.client.files.content(name)).content
        except openai.NotFoundError:
            return None

    return Ended(
        told=told,
        output=await read(told["output_file_id"]),
        error=await read(told["error_file_id"]),
    )


def _errors(told: Any) -> tuple[Any, ...]:
    (error,) = told["errors"]["data"]
    return (error["code"], error["message"], error["line"], error["param"])


def _counts(told: Any) -> tuple[int, ...]:
    return tuple(told["request_counts"].values())


def _first(raw: bytes | None) -> Any:
    return parsed(raw)[0]


# Each fault with what then holds, and with what kinds it takes part in besides its own.
CASES: dict[str, Callable[[Ended], bool]] = {
    "batch_fails:code=token_limit_exceeded,message=no,line=3,param=x": lambda end: (
        (end.told["status"], *_errors(end.told)) == ("failed", "token_limit_exceeded", "no", 3, "x")
    ),
    "batch_stuck:status=validating": lambda end: end.told["status"] == "validating",
    "batch_stuck:share=0.8": lambda end: (
        (end.told["status"], *_counts(end.told)) == ("in_progress", 10, 8, 0)
    ),
    "batch_stuck:status=finalizing,seconds=9": lambda end: end.told["status"] == "finalizing",
    "batch_stuck:seconds=3": lambda end: end.told["status"] == "completed",
    "batch_expires:share=0.1": lambda end: (
        (end.told["status"], *_counts(end.told), len(end.names), len(parsed(end.error)))
        == ("expired", 10, 1, 0, 1, 9)
    ),
    "batch_cancels:share=0.4": lambda end: (
        (end.told["status"], *_counts(end.told), len(end.names)) == ("cancelled", 10, 4, 0, 4)
    ),
    "told": lambda end: end.told["status"] == "paused",
    "told:while=in_progress": lambda end: end.told["status"] == "completed",
    "told:field=request_counts,value=null": lambda end: end.told["request_counts"] is None,
    "told:field=metadata,value=absent": lambda end: "metadata" not in end.told,
    'told:field=completion_window,value="1d"': lambda end: end.told["completion_window"] == "1d",
    'told:field=output_file_id,value=""': lambda end: end.told["output_file_id"] == "",
    "plain_ids": lambda end: (
        str(UUID(end.told["id"])) == end.told["id"]
        and str(UUID(end.told["output_file_id"])) == end.told["output_file_id"]
        and end.names == TEN
    ),
    "no_file": lambda end: (
        (end.told["status"], end.told["output_file_id"], end.error) == ("completed", None, None)
    ),
    "empty_file": lambda end: end.output == b"",
    "empty_file:file=error": lambda end: end.error == b"" and end.names == TEN,
    "file_gone": lambda end: end.told["output_file_id"] is not None and end.output is None,
    "lines_missing:lines=3": lambda end: len(set(end.names)) == len(end.names) == 7,
    "lines_twice:lines=2": lambda end: len(end.names) == 12 and sorted(set(end.names)) == TEN,
    "lines_strange": lambda end: end.names == [*TEN, "stranger-0"],
    "lines_contradicted": lambda end: (
        end.names == TEN and _first(end.error)["error"]["code"] == "server_error"
    ),
    "lines_without_success": lambda end: (
        _first(end.output)["response"] == {"status_code": 0, "request_id": "", "body": None}
        and end.names == TEN
    ),
    'lines_without_success:lines=10,status=429,body={"error":null}': lambda end: (
        {line["response"]["status_code"] for line in parsed(end.output)} == {429}
    ),
    "cut_mid_line": lambda end: (
        len(parsed(end.output)) == 9 and not (end.output or b"\n").endswith(b"\n")
    ),
    "line_separators": lambda end: (
        len((end.output or b"").decode().splitlines()) > 10 and end.names == TEN
    ),
    "bodies_as_text": lambda end: (
        json.loads(_first(end.output)["response"]["body"])["object"] == "chat.completion"
    ),
    "crlf": lambda end: (end.output or b"").count(b"\r\n") == 10,
    "blank_lines": lambda end: (end.output or b"").count(b"}\n\n") == 10,
    "byte_order_mark": lambda end: (end.output or b"").startswith(b"\xef\xbb\xbf{"),
    "bare_errors": lambda end: end.error is None,  # ten good lines have none
}


@pytest.mark.parametrize("fault", CASES)
def test_a_batch_goes_wrong(fault: str) -> None:
    async def visit(bench: Bench) -> None:
        end = await ended(bench, chat_lines(10))
        assert CASES[fault](end), end
        kind = fault.partition(":")[0]
        assert (await bench.admin("stats"))["by_fault"] == {kind: 1}

    walk(visit, fault)


def test_every_fate_is_in_the_table() -> None:
    assert {fault.partition(":")[0] for fault in CASES} == FATES.keys()


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("no_response", {"id", "custom_id", "error"}),
        ("type", {"id", "custom_id", "response", "error"}),
        ("both", {"id", "custom_id", "error"}),
    ],
)
def test_errors_as_other_servers_tell_them(how: str, left: set[str]) -> None:
    async def visit(bench: Bench) -> None:
        end = await ended(bench, [*chat_lines(1), chat_line("bad", temperature=2)])
        line = _first(end.error)
        assert line.keys() == left
        name = "code" if how == "no_response" else "type"
        assert line["error"][name] == "unsupported_value"

    walk(visit, f"bare_errors:how={how}")


def test_faults_of_one_batch_come_together_and_leave_the_next_alone() -> None:
    async def visit(bench: Bench) -> None:
        end = await ended(bench, chat_lines(10))
        assert (end.told["status"], len(end.names)) == ("expired", 3)
        assert (end.error, end.told["request_counts"]) == (None, None)
        end = await ended(bench, chat_lines(10))
        assert (end.told["status"], end.names) == ("completed", TEN)

    walk(
        visit,
        "batch_expires:share=0.2,count=1",
        "lines_twice:count=1",
        "no_file:file=error,count=1",
        "told:field=request_counts,value=null,count=1",
    )


def test_faults_select_batches_by_name_and_metadata() -> None:
    async def visit(bench: Bench) -> None:
        for name, metadata, status in (
            ("a-1.jsonl", {}, "failed"),
            ("a-2.jsonl", {}, "completed"),
            ("b.jsonl", {"shard": "seven"}, "expired"),
        ):
            file = await bench.upload(chat_lines(2), name)
            batch = await bench.done(await bench.create(file, metadata=metadata))
            assert batch.status == status

    walk(visit, "batch_fails:match=a-1", "batch_expires:match=seven")


@pytest.mark.parametrize(
    ("fault", "status", "codes"),
    [
        ("server_error:on=line,match=question 1", 500, {None}),
        ("rate_limit:on=line,match=question 1", 429, {"rate_limit_exceeded"}),
        ("bad_gateway:on=line,match=question 1", 502, set()),
    ],
)
def test_a_line_fails_once_and_is_answered_in_the_next_batch(
    fault: str, status: int, codes: set[str | None]
) -> None:
    async def visit(bench: Bench) -> None:
        end = await ended(bench, chat_lines(3))
        assert (end.names, _counts(end.told)) == (["c0", "c2"], (3, 2, 1))
        (bad,) = parsed(end.error)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("c1", status)
        body = bad["response"]["body"]
        assert isinstance(body, dict) == bool(codes)
        assert {body["error"]["code"]} == codes if codes else body.startswith("<!DOCTYPE")
        assert (await ended(bench, chat_lines(3))).names == ["c0", "c1", "c2"]
        assert (await bench.admin("charges"))["items_charged_twice"]["count"] == 2

    walk(visit, f"{fault},times=1")


def test_an_answer_of_a_line_is_spoiled() -> None:
    async def visit(bench: Bench) -> None:
        end = await ended(bench, chat_lines(2))
        reasons = [
            line["response"]["body"]["choices"][0]["finish_reason"] for line in parsed(end.output)
        ]
        assert sorted(reasons) == ["length", "stop"]

    walk(visit, "length:on=line,match=question 0")


async def _created(bench: Bench) -> list[str]:
    return [batch["id"] for batch in (await bench.admin("batches"))["batches"]]


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("lost_answer:on=create", openai.APIConnectionError, 1),
        ("late_error:on=create", openai.InternalServerError, 1),
        ("reset_in_body:on=create", openai.APIConnectionError, 1),
        ("reset:on=create", openai.APIConnectionError, 0),
        ("server_error:on=create", openai.InternalServerError, 0),
        ('status:status=422,body={"detail":"no"},on=create', openai.UnprocessableEntityError, 0),
        ("insufficient_quota:on=create", openai.RateLimitError, 0),
    ],
)
def test_a_creation_in_doubt(fault: str, error: type[Exception], made: int) -> None:
    async def visit(bench: Bench) -> None:
        file = await bench.upload(chat_lines(1))
        with pytest.raises(error):
            await bench.create(file)
        assert len(await _created(bench)) == made
        listed = [one.input_file_id async for one in bench.client.batches.list()]
        assert listed == [file] * made
        await bench.create(file)

    walk(visit, f"{fault},count=1")


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("lost_answer:on=upload", 1),
        ("late_error:on=upload", 1),
        ("reset:on=upload", 0),
        ("bad_gateway:on=upload", 0),
    ],
)
def test_an_upload_in_doubt(fault: str, made: int) -> None:
    async def visit(bench: Bench) -> None:
        with pytest.raises((openai.APIConnectionError, openai.InternalServerError)):
            await bench.upload(chat_lines(1), "run-1.jsonl")
        files = [(one.filename, one.bytes) async for one in bench.client.files.list()]
        assert files == [("run-1.jsonl", len(jsonl(chat_lines(1))))] * made

    walk(visit, f"{fault},count=1")


def test_lists_lag_behind_and_fresh_files_are_not_found() -> None:
    async def visit(bench: Bench) -> None:
        client = bench.client
        old = await bench.submit(chat_lines(1))
        await bench.advance(100)
        await bench.go_wrong("lag:on=batches,seconds=30", "lag:on=files", "lag:on=file,seconds=2")
        new = await bench.submit(chat_lines(1))
        assert [one.id async for one in client.batches.list()] == [old.id]
        assert new.input_file_id not in {one.id async for one in client.files.list()}
        with pytest.raises(openai.NotFoundError, match="No such File object"):
            await client.files.retrieve(new.input_file_id)
        await client.batches.retrieve(new.id)
        await bench.advance(2)
        await client.files.retrieve(new.input_file_id)
        await bench.advance(28)
        assert [one.id async for one in client.batches.list()] == [new.id, old.id]

    walk(visit)


def test_polls_and_cancels_fail_for_a_while() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(chat_lines(1))
        await bench.go_wrong("server_error:on=batch,count=2", "conflict:on=cancel,count=1")
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                await bench.client.batches.retrieve(batch.id)
        with pytest.raises(openai.ConflictError):
            await bench.client.batches.cancel(batch.id)
        assert (await bench.client.batches.retrieve(batch.id)).status == "validating"

    walk(visit)


@pytest.mark.parametrize(
    ("fault", "received"),
    [
        ("reset_in_body:on=content,share=0.9", None),
        ("cut_short:on=content,share=0.9", 0.9),
        ("empty:on=content", 0.0),
        ("drip:on=content,seconds=0", 1.0),
        ("lag:on=content,seconds=0", 1.0),
    ],
)
def test_a_download_dies(fault: str, received: float | None) -> None:
    raw = jsonl(chat_lines(2))

    async def visit(bench: Bench) -> None:
        name = await bench.upload(raw)
        async with bench.session.get(f"{bench.url}/files/{name}/content") as response:
            if received is None:
                with pytest.raises(aiohttp.ClientError):
                    await response.read()
            else:
                assert await response.read() == raw[: int(len(raw) * received)]
        async with bench.session.get(f"{bench.url}/files/{name}/content") as response:
            assert await response.read() == raw

    walk(visit, f"{fault},count=1")


# How the cases of the list of faults are ordered, by number. Of the others, 56 and 81 are no
# faults, and 75 is about webhooks.
ORDERS: dict[int, tuple[str, ...]] = {
    57: ("told", 'told:value="scheduling",while=validating'),
    59: ("batch_fails:code=duplicate_custom_id,line=2,param=custom_id",),
    60: ("batch_fails:code=token_limit_exceeded,count=1",),
    61: tuple(
        f"status:status={status},code=token_limit_exceeded,on=create" for status in (400, 429)
    ),
    63: ("bad_request:on=line",),
    64: ("no_file:file=both",),
    65: ("batch_expires:share=0.1",),
    66: ("batch_cancels:share=0.5",),
    67: ("batch_stuck:status=cancelling,seconds=720",),
    69: ("server_error:on=batch", "server_error:on=batches"),
    70: ("status:status=404,on=batch",),
    72: ("lines_without_success", *(f"status:status={n},on=line" for n in (400, 429, 500))),
    73: (
        "told:field=request_counts,value=null",
        'told:field=request_counts,value={"total":1000,"completed":1000,"failed":0}',
    ),
    76: ("rate_limit:on=create",),
    77: ("reset:on=upload", "lost_answer:on=upload"),
    78: ("lag:on=file,seconds=2", "lag:on=content,seconds=2"),
    79: ("reset_in_body:on=content,share=0.9", "cut_short:on=content,share=0.9"),
    82: ("crlf", "blank_lines", "empty_file:file=error", "byte_order_mark"),
    83: ("file_gone",),
    85: ("lost_answer:on=create", "late_error:on=create"),
}


@pytest.mark.parametrize("number", ORDERS)
def test_every_case_of_the_list_can_be_ordered(number: int) -> None:
    for text in ORDERS[number]:
        fault = parse_fault(text)
        check_fault(fault)
        assert place_of(fault) != CALL


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("batch_fails:on=create", "on cannot be 'create', but: life"),
        ("length:on=create", "on cannot be 'create', but: call, line"),
        ("lag:on=line", "on cannot be 'line'"),
        ("lines_missing:lines=0", "lines cannot be '0'"),
        ("batch_stuck:status=failed", "status cannot be 'failed'"),
        ("told:value=paused", "value cannot be 'paused'"),
        ("no_file:file=input", "file cannot be 'input'"),
        ("batch_expires:share=2", "share cannot be '2'"),
    ],
)
def test_faults_that_cannot_be(fault: str, words: str) -> None:
    async def visit(bench: Bench) -> None:
        address = f"{bench.url.removesuffix('/v1')}/sandbox/faults"
        async with bench.session.post(address, json={"set": [fault]}) as reply:
            assert reply.status == 400
            assert words in (await reply.json())["error"]["message"]

    walk(visit)
