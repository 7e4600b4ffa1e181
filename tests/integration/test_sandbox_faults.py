"""What goes wrong on request, as a client sees it."""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from sandbox_http import Api, sandbox

from processor.sandbox import ManualClock, parse_fault
from processor.sandbox.faults.kinds import KINDS
from processor.sandbox.faults.replies import ErrorReply


async def make(api: Api, *faults: str | dict[str, Any]) -> None:
    reply = await api.admin("/faults", {"clear": True, "set": list(faults)})
    assert reply.status == 200


STATUSES = {
    "status": 500,
    "rate_limit": 429,
    "daily_limit": 429,
    "slow_down": 503,
    "flex_unavailable": 429,
    "insufficient_quota": 429,
    "billing_hard_limit_reached": 429,
    "credit_balance_exhausted": 429,
    "organization_spend_limit_exceeded": 429,
    "project_spend_limit_exceeded": 429,
    "organization_usage_limit_exceeded": 429,
    "quota_of_unknown_code": 429,
    "bad_key": 401,
    "region": 403,
    "model_not_found": 404,
    "bad_request": 400,
    "context_length": 400,
    "policy": 400,
    "request_timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "unprocessable": 422,
    "server_error": 500,
    "bad_gateway": 502,
    "overloaded": 503,
    "unknown_error": 520,
    "gateway_timeout": 524,
}


def test_every_kind_of_status_is_in_the_table() -> None:
    replies = {name for name, kind in KINDS.items() if isinstance(kind, ErrorReply)}
    assert replies == {*STATUSES, "late_error"}


def test_statuses_cost_nothing() -> None:
    async def main() -> None:
        async with sandbox() as api:
            for kind, status in STATUSES.items():
                await make(api, kind)
                reply = await api.ask("hello", service_tier="flex")
                assert reply.status == status, kind
                if reply.headers["content-type"].startswith("text/html"):
                    assert reply.raw.startswith(b"<!DOCTYPE html>")
                    assert len(reply.raw) > 2000
                else:
                    assert reply.error["message"]
            stats = await api.stats()
            assert stats["paid"] == stats["answered"] == 0
            assert stats["by_fault"] == dict.fromkeys(STATUSES, 1)

    asyncio.run(main())


def test_flex_without_room_concerns_no_other_tier() -> None:
    async def main() -> None:
        async with sandbox() as api:
            await make(api, "flex_unavailable:after=1,count=1")
            tiers = ("default", "flex", "default", "flex", "flex")
            told = [(await api.ask("hello", service_tier=tier)).status for tier in tiers]
            assert told == [200, 200, 200, 429, 200]
            assert (await api.stats())["paid_by_tier"] == {"default": 2, "flex": 2}

    asyncio.run(main())


def test_codes_and_types_of_those_that_end_a_job() -> None:
    async def main() -> None:
        async with sandbox() as api:
            for kind, type_, code in (
                ("insufficient_quota", "insufficient_quota", "insufficient_quota"),
                ("quota_of_unknown_code", "insufficient_quota", "some_new_code"),
                (
                    "credit_balance_exhausted",
                    "invalid_request_error",
                    "credit_balance_exhausted",
                ),
                ("bad_key", "invalid_request_error", "invalid_api_key"),
                ("model_not_found", "invalid_request_error", "model_not_found"),
            ):
                await make(api, kind)
                error = (await api.ask("hello")).error
                assert (error["type"], error["code"]) == (type_, code)

    asyncio.run(main())


def test_any_status_any_body_any_header() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, rpm=600) as api:
            await make(
                api,
                {
                    "kind": "status",
                    "status": 418,
                    "body": {"detail": "teapot"},
                    "x-should-retry": "true",
                    "retry-after": "-5, rubbish",
                    "X-RateLimit-Remaining-Requests": "0",
                },
            )
            reply = await api.ask("hello")
            assert (reply.status, reply.body) == (418, {"detail": "teapot"})
            assert reply.headers["retry-after"] == "-5, rubbish"
            assert reply.headers["x-should-retry"] == "true"
            assert reply.headers["x-ratelimit-remaining-requests"] == "0"
            assert reply.headers["x-ratelimit-limit-requests"] == "600"
            await make(api, "rate_limit:retry-after=date+90,code=slow_down,message=Slow")
            reply = await api.ask("hello")
            date = parsedate_to_datetime(reply.headers["retry-after"])
            assert date.timestamp() == clock.time() + 90
            assert (reply.error["code"], reply.error["message"]) == ("slow_down", "Slow")

    asyncio.run(main())


def test_answers_that_are_no_answers() -> None:
    async def main() -> None:
        async with sandbox() as api:
            raw = {}
            for kind in ("html", "null", "empty", "error_object", "truncated_json"):
                await make(api, kind)
                reply = await api.ask("hello")
                assert reply.status == 200
                raw[kind] = reply.raw
            assert raw["html"].startswith(b"<!DOCTYPE html>")
            assert (raw["null"], raw["empty"]) == (b"null", b"")
            assert raw["error_object"].startswith(b'{"error":')
            assert raw["truncated_json"].startswith(b'{"id":"chatcmpl-')
            assert not raw["truncated_json"].endswith(b"}")
            assert (await api.stats())["paid"] == 1

    asyncio.run(main())


def test_answers_that_are_changed_are_paid() -> None:
    async def main() -> None:
        async with sandbox() as api:

            async def changed(fault: str) -> Any:
                await make(api, fault)
                return (await api.ask("hello")).body

            whole = (await api.ask("hello")).body
            message = whole["choices"][0]["message"]
            assert (await changed("no_choices"))["choices"] == []
            cut = (await changed("length"))["choices"][0]
            assert cut["finish_reason"] == "length"
            assert message["content"].startswith(cut["message"]["content"])
            filtered = (await changed("content_filter"))["choices"][0]
            assert filtered["finish_reason"] == "content_filter"
            assert filtered["message"]["content"] is None
            refusal = (await changed("refusal:message=No."))["choices"][0]["message"]
            assert (refusal["content"], refusal["refusal"]) == (None, "No.")
            content = (await changed("content:content=```x```"))["choices"][0]["message"]
            assert content["content"] == "```x```"
            assert "usage" not in await changed("no_usage")
            assert (await changed("other_model:model=gpt-4o"))["model"] == "gpt-4o"
            assert (await changed("other_tier"))["service_tier"] == "priority"
            extra = await changed("extra_fields")
            assert extra["x_new_field"]["nested"][2] == "새 필드"
            stats = await api.stats()
            assert stats["paid"] == stats["answered"] == stats["by_status"]["200"] == 10

    asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "error", "paid", "status"),
    [
        ("reset", aiohttp.ClientOSError, 0, "dropped"),
        ("lost_answer", aiohttp.ClientOSError, 1, "dropped"),
        ("reset_in_body", aiohttp.ClientPayloadError, 1, "200"),
    ],
)
def test_connections_that_are_reset(
    kind: str, error: type[Exception], paid: int, status: str
) -> None:
    async def main() -> None:
        async with sandbox(faults=(parse_fault(f"{kind}:times=1"),)) as api:
            with pytest.raises(error):
                await api.ask("hello")
            stats = await api.stats()
            assert (stats["paid"], stats["answered"]) == (paid, 0)
            assert stats["by_status"] == {status: 1}
            assert (await api.ask("hello")).status == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "error"), [("silence", aiohttp.ClientPayloadError), ("hang", aiohttp.ClientOSError)]
)
def test_silence_lasts_until_the_connection_closes(kind: str, error: type[Exception]) -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, faults=(parse_fault(f"{kind}:seconds=60"),)) as api:
            call = asyncio.create_task(api.ask("hello"))
            await clock.asleep()
            clock.advance(59)
            assert (await api.stats())["in_hand"] == 1
            assert not call.done()
            clock.advance(1)
            with pytest.raises(error):
                await call

    asyncio.run(main())


def test_a_dripping_answer_arrives_byte_by_byte() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, faults=(parse_fault("drip:seconds=0.4"),)) as api:
            call = asyncio.create_task(api.ask("hello"))
            steps = 0
            while not call.done():
                waiting = asyncio.create_task(clock.asleep())
                await asyncio.wait({call, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                clock.advance(0.4)
                steps += 1
            reply = call.result()
            assert reply.content.endswith("to: hello")
            assert steps >= len(reply.raw)
            assert clock.monotonic() >= 0.4 * len(reply.raw) - 1e-6
            assert (await api.stats())["answered"] == 1

    asyncio.run(main())


def test_a_client_that_leaves_a_dripping_answer_is_noticed() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, faults=(parse_fault("drip"),)) as api:
            call = asyncio.create_task(api.ask("hello"))
            await clock.asleep()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            for _ in range(3):
                await api.stats()
                clock.advance(0.4)
            stats = await api.stats()
            assert (stats["in_hand"], stats["paid"], stats["answered"]) == (0, 1, 0)

    asyncio.run(main())


@pytest.mark.parametrize(("kind", "announced"), [("close", False), ("announced_close", True)])
def test_a_kept_connection_that_closes(kind: str, announced: bool) -> None:
    async def main() -> None:
        async with sandbox(faults=(parse_fault(kind),)) as api:
            host, port = api.url.split("/")[2].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            body = b'{"model":"gpt-6-luna","messages":[{"role":"user","content":"hi"}]}'
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            # Up to the end: the server closes although the client would keep it.
            response = await reader.read()
            writer.close()
            await writer.wait_closed()
            assert response.startswith(b"HTTP/1.1 200 OK\r\n")
            assert response.endswith(b'"system_fingerprint":"fp_sandbox0"}')
            assert (b"connection: close" in response.lower()) == announced
            assert (await api.stats())["answered"] == 1

    asyncio.run(main())


def test_a_redirect_loop() -> None:
    async def main() -> None:
        async with sandbox(faults=(parse_fault("redirect"),)) as api:
            with pytest.raises(aiohttp.TooManyRedirects):
                await api.ask("hello")
            assert (await api.stats())["by_status"] == {"307": 10}

    asyncio.run(main())


def test_times_rate_and_delay_over_http() -> None:
    async def main() -> None:
        clock = ManualClock()
        fault = parse_fault("server_error:times=2,match=unlucky,delay_s=3")
        async with sandbox(clock, faults=(fault,)) as api:
            statuses: list[int] = []
            for _ in range(3):
                call = asyncio.create_task(api.ask("unlucky"))
                if len(statuses) < 2:
                    await clock.asleep()
                    clock.advance(3)
                statuses.append((await call).status)
            assert statuses == [500, 500, 200]
            assert (await api.ask("lucky")).status == 200
            per_item = (await api.stats())["per_item"]
            assert sorted(count["received"] for count in per_item.values()) == [1, 3]

    asyncio.run(main())


def test_faults_are_set_together_or_not_at_all() -> None:
    async def main() -> None:
        async with sandbox() as api:
            await make(api, "reset:rate=0.5", {"kind": "null", "count": 1, "x-a": "b"})
            reply = await api.admin("/faults", {"clear": True, "set": ["html", "nope"]})
            assert reply.status == 400
            assert (await api.admin("/faults")).body == {
                "faults": [
                    {"kind": "reset", "rate": 0.5},
                    {"kind": "null", "count": 1, "x-a": "b"},
                ]
            }
            reply = await api.admin("/faults", {"clear": "reset"})
            assert [fault["kind"] for fault in reply.body["faults"]] == ["null"]

    asyncio.run(main())
