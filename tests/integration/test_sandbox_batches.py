"""Batches, from their creation to their end, by OpenAI's own client."""

import asyncio
from typing import Any

import openai
import pytest
from batch_api import CHAT, MODEL, Bench, chat_line, chat_lines, jsonl, walk
from openai.types import Batch

EMBED = "/v1/embeddings"
GOOD = chat_line("good")


def counts(batch: Batch) -> tuple[int, int, int]:
    assert batch.request_counts is not None
    return (
        batch.request_counts.total,
        batch.request_counts.completed,
        batch.request_counts.failed,
    )


def test_a_batch_goes_its_way() -> None:
    async def visit(bench: Bench) -> None:
        lines = [*chat_lines(9), chat_line("bad", temperature=2)]
        batch = await bench.submit(lines, metadata={"run": "r1"})
        assert (batch.object, batch.status, batch.metadata) == (
            "batch",
            "validating",
            {"run": "r1"},
        )
        assert (batch.output_file_id, batch.errors, counts(batch)) == (None, None, (0, 0, 0))
        assert batch.expires_at == batch.created_at + 86_400
        seen = []
        for seconds in (0.3, 0.25, 0.25, 0.2):
            batch = await bench.after(batch, seconds)
            total, completed, failed = counts(batch)
            seen.append((batch.status, total, completed + failed))
        assert seen == [
            ("in_progress", 10, 0),
            ("in_progress", 10, 5),
            ("finalizing", 10, 10),
            ("completed", 10, 10),
        ]
        assert counts(batch) == (10, 9, 1)
        good = await bench.lines(batch.output_file_id)
        names = [line["custom_id"] for line in good]
        assert set(names) == {f"c{place}" for place in range(9)}
        assert names != sorted(names)
        (bad,) = await bench.lines(batch.error_file_id)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("bad", 400)
        assert bad["response"]["body"]["error"]["code"] == "unsupported_value"
        assert batch.model == MODEL
        assert batch.usage is not None
        usages = [line["response"]["body"]["usage"] for line in good]
        assert batch.usage.total_tokens == sum(usage["total_tokens"] for usage in usages) > 0
        file = await bench.client.files.retrieve(str(batch.output_file_id))
        assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")

    walk(visit)


def test_an_hour_in_one_go_leaves_the_times_right() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(chat_lines(500))
        batch = await bench.after(batch, 3600)
        assert (batch.status, counts(batch)) == ("completed", (500, 500, 0))
        start = batch.created_at
        stamps = (batch.in_progress_at, batch.finalizing_at, batch.completed_at)
        assert stamps == (start + 10, start + 30, start + 35)

    walk(visit, validating_s=10, in_progress_s=20, finalizing_s=5)


def test_the_answers_are_those_of_single_calls() -> None:
    async def visit(bench: Bench) -> None:
        files = {
            CHAT: jsonl([chat_line("a", "hello")]),
            "/v1/responses": jsonl([_line("/v1/responses", model=MODEL, input="hello")]),
            EMBED: jsonl([_line(EMBED, model="text-embedding-3-small", input=["hello", "you"])]),
        }
        bodies = {}
        for endpoint, raw in files.items():
            done = await bench.done(await bench.submit(raw, endpoint=endpoint))
            (line,) = await bench.lines(done.output_file_id)
            assert line["response"]["status_code"] == 200
            bodies[endpoint] = line["response"]["body"]
        client = bench.client
        chat = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hello"}]
        )
        choices = [choice.to_dict() for choice in chat.choices]
        assert bodies[CHAT]["choices"] == choices
        response = await client.responses.create(model=MODEL, input="hello")
        text = bodies["/v1/responses"]["output"][-1]["content"][0]["text"]
        assert text == response.output_text
        vectors = await client.embeddings.create(
            model="text-embedding-3-small", input=["hello", "you"], encoding_format="float"
        )
        told = bodies[EMBED]["data"]
        assert [entry["embedding"] for entry in told] == [v.embedding for v in vectors.data]

    walk(visit)


def _line(url: str, **body: Any) -> dict[str, Any]:
    return {"custom_id": "a", "method": "POST", "url": url, "body": body}


def test_where_all_lines_fail_there_is_no_output() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.done(await bench.submit([chat_line("a", temperature=2)]))
        assert (batch.status, batch.output_file_id) == ("completed", None)
        assert (counts(batch), len(await bench.lines(batch.error_file_id))) == ((1, 0, 1), 1)

    walk(visit)


def test_a_line_is_no_longer_than_a_call() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.done(await bench.submit([chat_line("a", "x" * 2000), GOOD]))
        assert counts(batch) == (2, 1, 1)
        (bad,) = await bench.lines(batch.error_file_id)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("a", 413)

    walk(visit, max_body_bytes=2000)


@pytest.mark.parametrize(("wait_s", "done"), [(0.0, 0), (0.3, 0), (0.55, 5), (0.9, 10)])
def test_cancelled_batches_keep_what_is_done(wait_s: float, done: int) -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(chat_lines(10))
        await bench.advance(wait_s)
        batch = await bench.client.batches.cancel(batch.id)
        assert batch.status == "cancelling"
        assert (await bench.client.batches.cancel(batch.id)).status == "cancelling"
        assert (await bench.after(batch, 599)).status == "cancelling"
        batch = await bench.after(batch, 1)
        assert batch.status == "cancelled"
        assert batch.cancelled_at == (batch.cancelling_at or 0) + 600
        good = await bench.lines(batch.output_file_id) if done else []
        assert len(good) == done
        if 0 < done < 10:
            undone = await bench.lines(batch.error_file_id)
            assert {line["error"]["code"] for line in undone} == {"batch_cancelled"}
            assert counts(batch) == (10, done, 0)
            assert len({line["custom_id"] for line in good + undone}) == 10
        charges = await bench.admin("charges")
        assert charges["charged"] == done
        assert (await bench.client.batches.cancel(batch.id)).status == "cancelled"

    walk(visit, cancelling_s=600)


def test_many_cancel_at_once() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(chat_lines(10))
        await bench.advance(0.55)
        told = await asyncio.gather(*(bench.client.batches.cancel(batch.id) for _ in range(5)))
        assert {one.status for one in told} == {"cancelling"}
        assert len({one.cancelling_at for one in told}) == 1
        batch = await bench.done(batch)
        assert (batch.status, counts(batch)) == ("cancelled", (10, 5, 0))
        events = (await bench.admin("events"))["events"]
        assert [event["what"] for event in events][-2:] == ["batch cancelling", "batch cancelled"]

    walk(visit)


def test_what_has_ended_cannot_be_cancelled() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.done(await bench.submit(chat_lines(1)))
        with pytest.raises(openai.ConflictError, match="cancel a batch with status 'completed'"):
            await bench.client.batches.cancel(batch.id)
        for call in (bench.client.batches.cancel, bench.client.batches.retrieve):
            with pytest.raises(openai.NotFoundError, match="No batch found with id 'batch_no'"):
                await call("batch_no")

    walk(visit)


def test_an_expired_batch_gives_what_is_done() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(chat_lines(10))
        batch = await bench.after(batch, 86_399)
        assert batch.status == "in_progress"
        batch = await bench.after(batch, 1)
        assert (batch.status, batch.expired_at) == ("expired", batch.expires_at)
        assert counts(batch) == (10, 8, 0)
        assert len(await bench.lines(batch.output_file_id)) == 8
        undone = await bench.lines(batch.error_file_id)
        assert {line["response"] for line in undone} == {None}
        assert [line["error"]["code"] for line in undone] == ["batch_expired"] * 2

    walk(visit, in_progress_s=100_000)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([GOOD, {**GOOD}], [("duplicate_custom_id", 2, "custom_id")]),
        (
            [{key: value for key, value in GOOD.items() if key == kept} for kept in GOOD],
            [
                ("missing_required_parameter", number, name)
                for number, kept in enumerate(GOOD, start=1)
                for name in GOOD
                if name != kept
            ],
        ),
        ([{**GOOD, "method": "GET"}], [("invalid_method", 1, "method")]),
        ([{**GOOD, "url": EMBED}], [("invalid_url", 1, "url")]),
        ([{**GOOD, "custom_id": 1}], [("invalid_request", 1, "custom_id")]),
        ([{**GOOD, "body": []}], [("invalid_request", 1, "body")]),
        ([chat_line("a", model="gpt-none")], [("model_not_found", 1, "body.model")]),
        ([GOOD, chat_line("a", model="gpt-6-sol")], [("mismatched_model", 2, "body.model")]),
        ([GOOD, chat_line("a", model=None)], [("invalid_request", 2, "body.model")]),
        ([chat_line("a", messages=None)], [("invalid_request", 1, "body.messages")]),
        ([chat_line("a", stream=True)], [("streaming_unsupported", 1, "body.stream")]),
        (jsonl([GOOD]) + b"{broken\n[]\n", [("invalid_json_line", n, None) for n in (2, 3)]),
        (jsonl([GOOD]) + b"\n", [("invalid_json_line", 2, None)]),
        (jsonl([GOOD]) + b'"\xff"\n', [("invalid_json_line", 2, None)]),
        (chat_lines(5), [("too_many_tasks", None, None)]),
        (b"\x20 {}", [("missing_required_parameter", 1, name) for name in GOOD]),
    ],
)  # fmt: skip
def test_validation_finds(lines: Any, found: list[tuple[str, int | None, str | None]]) -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit(lines)
        assert (batch.status, batch.errors) == ("validating", None)
        batch = await bench.done(batch)
        assert (batch.status, counts(batch)) == ("failed", (0, 0, 0))
        assert (batch.output_file_id, batch.error_file_id) == (None, None)
        assert batch.failed_at is not None
        assert batch.errors is not None
        assert batch.errors.object == "list"
        assert batch.errors.data is not None
        assert [(error.code, error.line, error.param) for error in batch.errors.data] == found
        assert all(error.message for error in batch.errors.data)
        assert (await bench.admin("charges"))["charged"] == 0

    walk(visit, batch_lines=4)


def test_texts_to_embed_are_counted_over_all_lines() -> None:
    async def visit(bench: Bench) -> None:
        texts = {"a": ["x"] * 3, "b": "y", "c": [1, 2, 3]}
        lines = [
            {**_line(EMBED, model="text-embedding-3-small", input=text), "custom_id": name}
            for name, text in texts.items()
        ]
        for most, status in ((4, "failed"), (5, "completed")):
            await bench.admin("config", {"batch_inputs": most})
            batch = await bench.done(await bench.submit(lines, endpoint=EMBED))
            assert batch.status == status

    walk(visit)


def test_the_input_is_looked_for_later() -> None:
    async def visit(bench: Bench) -> None:
        files = bench.client.files
        deleted = await bench.upload([GOOD])
        other = (await files.create(file=("a.jsonl", jsonl([GOOD])), purpose="user_data")).id
        batches = [await bench.create(name) for name in ("file-none", deleted, other)]
        await files.delete(deleted)
        for batch, words in zip(batches, ("Cannot find", "Cannot find", "purpose"), strict=True):
            ended = await bench.done(batch)
            assert ended.status == "failed"
            assert ended.errors is not None
            assert ended.errors.data is not None
            assert words in str(ended.errors.data[0].message)
        # What has begun keeps its input.
        batch = await bench.submit(chat_lines(4))
        await bench.advance(0.4)
        await files.delete(batch.input_file_id)
        assert counts(await bench.done(batch)) == (4, 4, 0)

    walk(visit)


@pytest.mark.parametrize(
    ("options", "param", "code"),
    [
        ({"input_file_id": None}, "input_file_id", "missing_required_parameter"),
        ({"input_file_id": 7}, "input_file_id", "invalid_type"),
        ({"endpoint": None}, "endpoint", "missing_required_parameter"),
        ({"endpoint": "/v1/none"}, "endpoint", "invalid_value"),
        ({"endpoint": "/chat/completions"}, "endpoint", "invalid_value"),
        ({"endpoint": "/v1/moderations"}, "endpoint", "unsupported_value"),
        ({"completion_window": None}, "completion_window", "missing_required_parameter"),
        ({"completion_window": "1h"}, "completion_window", "invalid_value"),
        ({"completion_window": ""}, "completion_window", "invalid_value"),
        ({"metadata": []}, "metadata", "invalid_type"),
        ({"metadata": {"tags": ["a"]}}, "metadata.tags", "invalid_type"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": {"k" * 65: ""}}, f"metadata.{'k' * 64}", "string_above_max_length"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
        ({"output_expires_after": 3600}, "output_expires_after", "invalid_type"),
        (
            {"output_expires_after": {"anchor": "created_at"}},
            "output_expires_after.seconds",
            "missing_required_parameter",
        ),
        (
            {"output_expires_after": {"anchor": "now", "seconds": 3600}},
            "output_expires_after.anchor",
            "invalid_value",
        ),
        (
            {"output_expires_after": {"anchor": "created_at", "seconds": 3599}},
            "output_expires_after.seconds",
            "integer_below_min_value",
        ),
        ({"priority": 1}, "priority", "unknown_parameter"),
    ],
)
def test_creations_that_are_refused(options: dict[str, Any], param: str, code: str) -> None:
    async def visit(bench: Bench) -> None:
        given = {"input_file_id": "file-a", "endpoint": CHAT, "completion_window": "24h"}
        async with bench.session.post(f"{bench.url}/batches", json={**given, **options}) as reply:
            error = (await reply.json())["error"]
        assert (reply.status, error["param"], error["code"]) == (400, param, code)
        assert (await bench.client.batches.list()).data == []

    walk(visit)


def test_most_that_a_creation_may_ask_for() -> None:
    async def visit(bench: Bench) -> None:
        metadata = {f"{n:064}": "v" * 512 for n in range(16)}
        life: Any = {"anchor": "created_at", "seconds": 3600}
        batch = await bench.submit([GOOD], metadata=metadata, output_expires_after=life)
        batch = await bench.done(batch)
        assert batch.metadata == metadata
        file = await bench.client.files.retrieve(str(batch.output_file_id))
        assert file.expires_at is not None
        assert file.expires_at - file.created_at == 3600
        await bench.advance(3600)
        with pytest.raises(openai.NotFoundError):
            await bench.client.files.content(file.id)

    walk(visit)


def test_pages() -> None:
    async def visit(bench: Bench) -> None:
        batches = bench.client.batches
        file = await bench.upload([GOOD])
        names = [(await bench.create(file)).id for _ in range(25)]
        page = await batches.list()
        assert ([one.id for one in page.data], page.has_more) == (names[:4:-1], True)
        assert [one.id async for one in batches.list(limit=7)] == names[::-1]
        assert [one.id async for one in batches.list(after=names[2])] == names[1::-1]
        for wrong in (0, 101):
            with pytest.raises(openai.BadRequestError):
                await batches.list(limit=wrong)
        with pytest.raises(openai.NotFoundError):
            await batches.list(after="batch_none")

    walk(visit)


def test_creations_an_hour_have_a_limit() -> None:
    async def visit(bench: Bench) -> None:
        file = await bench.upload([GOOD])
        for _ in range(2):
            await bench.create(file)
        with pytest.raises(openai.RateLimitError, match="batch creations per hour") as caught:
            await bench.create(file)
        assert caught.value.response.headers["retry-after"] == "1800"
        await bench.advance(1800)
        await bench.create(file)

    walk(visit, creations_per_hour=2)


@pytest.mark.parametrize("form", ["failed", "400", "429"])
def test_the_limit_of_enqueued_tokens_in_each_of_its_forms(form: str) -> None:
    async def visit(bench: Bench) -> None:
        words = "Enqueued token limit reached for gpt-6-luna in organization org-sandbox. Limit: "
        first = await bench.submit(chat_lines(20))
        await bench.advance(0.4)
        (told,) = (await bench.admin("batches"))["batches"]
        most = told["enqueued_tokens"] + 100
        await bench.admin("config", {"enqueued_tokens": most, "enqueued_form": form})
        if form == "failed":
            second = await bench.submit(chat_lines(20))
            await bench.advance(0.3)
            refused = await bench.client.batches.retrieve(second.id)
            assert refused.status == "failed"
            assert refused.errors is not None
            assert refused.errors.data is not None
            (error,) = refused.errors.data
            assert (error.code, error.line) == ("token_limit_exceeded", None)
            assert str(error.message).startswith(f"{words}{most:,} enqueued tokens.")
        else:
            with pytest.raises(openai.APIStatusError) as caught:
                await bench.submit(chat_lines(20))
            assert (caught.value.status_code, caught.value.code) == (
                *(int(form), "token_limit_exceeded"),
            )
            assert words in str(caught.value)
        other = [chat_line("a", "b" * 300, model="gpt-6-sol")]
        assert (await bench.done(await bench.submit(other))).status == "completed"
        assert (await bench.done(first)).status == "completed"
        # Now there is room, for as much as fits.
        assert (await bench.done(await bench.submit(chat_lines(20)))).status == "completed"

    walk(visit)


def test_each_line_is_charged_once_a_batch() -> None:
    async def visit(bench: Bench) -> None:
        file = await bench.upload([*chat_lines(3), chat_line("bad", temperature=2)])
        one = await bench.create(file)
        two = await bench.create(file)
        await bench.advance(2)
        charges = await bench.admin("charges")
        assert charges["charged"] == 6
        sums = {"lines": 4, "charged": 3, "prompt_tokens": 27, "completion_tokens": 36}
        assert charges["batches"] == {one.id: sums, two.id: sums}
        assert charges["items_charged_twice"]["count"] == 3
        assert charges["custom_ids_charged_twice"] == {"count": 3, "first": ["c0", "c1", "c2"]}
        stats = await bench.admin("stats")
        assert (stats["paid"], stats["items"]["paid_twice"]) == (6, 3)
        events = (await bench.admin("events"))["events"]
        assert [event["what"] for event in events if event["id"] in (file, one.id)] == [
            *("file uploaded", "batch created", "batch in_progress"),
            *("batch finalizing", "batch completed"),
        ]
        later = (await bench.admin(f"events?after={events[-2]['number']}"))["events"]
        assert later == events[-1:]
        await bench.admin("forget", {})
        assert (await bench.client.batches.list()).data == []
        assert (await bench.admin("charges"))["charged"] == 0

    walk(visit)


def test_a_wrong_first_answer_is_right_in_the_next_batch() -> None:
    async def visit(bench: Bench) -> None:
        answers = []
        for _ in range(2):
            batch = await bench.done(await bench.submit([chat_line("a", "hello")]))
            (line,) = await bench.lines(batch.output_file_id)
            answers.append(line["response"]["body"]["choices"][0]["message"]["content"])
        assert (answers[0], answers[1][:20]) == ("", "This is the sandbox'")

    walk(visit, bad_answers=1)
