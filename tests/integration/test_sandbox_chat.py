"""What the sandbox answers, and what it counts."""

import asyncio
import re
from typing import Any

import pytest
from sandbox_http import MODEL, Api, Reply, assistant, sandbox, user

from processor.sandbox import ManualClock

HALF = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"


def run_all(questions: list[str], **options: Any) -> list[Reply]:
    async def main() -> list[Reply]:
        async with sandbox(**options) as api:
            return list(await asyncio.gather(*map(api.ask, questions)))

    return asyncio.run(main())


def test_an_answer_is_a_whole_chat_completion() -> None:
    (reply,) = run_all(["hello"])
    body = reply.body
    assert re.fullmatch("chatcmpl-[0-9a-f]{32}", body.pop("id"))
    assert body.pop("created") > 1_700_000_000
    assert body == {
        "object": "chat.completion",
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": reply.content,
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 8,
            "completion_tokens": 11,
            "total_tokens": 19,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox0",
    }


def test_every_response_has_openais_headers() -> None:
    async def main() -> None:
        async with sandbox() as api:
            replies = [
                await api.ask("hello"),
                await api.post({}),
                await api.send("GET", "/models"),
                await api.send("GET", "/nowhere"),
            ]
            for reply in replies:
                assert reply.headers["openai-version"] == "2020-10-01"
                assert reply.headers["openai-organization"] == "org-sandbox"
                assert reply.headers["openai-processing-ms"].isdigit()
                assert not [name for name in reply.headers if name.startswith("x-ratelimit")]
            assert len({reply.headers["x-request-id"] for reply in replies}) == 4

    asyncio.run(main())


def test_answers_depend_on_seed_and_question_alone() -> None:
    questions = [
        "hello",
        "질문: 어디가 불편해서 방문하게 되었나요?\n페르소나: 고립되고 겁이 많은, 미성숙한",
        "질문: 어디가 불편해서 방문하게 되었나요?\n페르소나: 폭발적인, 비논리적인",
        "기사의 라벨을 0, 1, 2 중 하나로: 시장은 협력 방안을 논의했다.",
    ]
    forward = [reply.content for reply in run_all(questions)]
    assert forward == [reply.content for reply in run_all(questions[::-1])][::-1]
    assert forward != [reply.content for reply in run_all(questions, seed=1)]
    _, timid, explosive, label = forward
    assert timid != explosive
    assert re.fullmatch(r"([가-힣 ,]+\. ?){3,}", explosive)
    assert label in "012"


def test_labels_are_all_used() -> None:
    replies = run_all([f"기사의 라벨 0, 1, 2: {number}번 본문" for number in range(60)])
    assert {reply.content for reply in replies} == {"0", "1", "2"}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_long_answer_is_cut(name: str) -> None:
    async def main() -> None:
        async with sandbox() as api:
            body = {"model": "gpt-4o-mini", "messages": [user("hello")]}
            whole = await api.post(body)
            cut = await api.post({**body, name: 3})
            assert whole.content.startswith(cut.content)
            assert cut.body["usage"]["completion_tokens"] == 3
            assert cut.body["choices"][0]["finish_reason"] == "length"
            enough = await api.post({**body, name: 11})
            assert enough.body["choices"][0]["finish_reason"] == "stop"

    asyncio.run(main())


def test_flex_is_slower_if_told_and_not_every_model_has_it() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, latency_ms=5000, latency_sigma=0, flex_factor=3) as api:
            for tier, seconds in (("default", 5), ("flex", 15)):
                call = asyncio.create_task(api.ask("hello", service_tier=tier))
                await clock.asleep()
                clock.advance(seconds)
                reply = await call
                assert reply.body["service_tier"] == tier
                assert reply.headers["openai-processing-ms"] == f"{seconds}000"
            body = {"model": "gpt-4o-mini", "messages": [user("hello")], "service_tier": "flex"}
            refusal = await api.post(body)
            assert (refusal.status, refusal.error["param"]) == (400, "service_tier")

    asyncio.run(main())


def test_choices_tiers_parts_and_json_mode() -> None:
    async def main() -> None:
        async with sandbox() as api:
            reply = await api.ask("hello", n=2, service_tier="flex")
            assert [choice["index"] for choice in reply.body["choices"]] == [0, 1]
            assert reply.body["usage"]["completion_tokens"] == 22
            assert reply.body["service_tier"] == "flex"
            parts = [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]
            reply = await api.ask([{"role": "user", "content": parts}])
            assert reply.content.endswith("to: hel lo")
            reply = await api.ask("hello in JSON", response_format={"type": "json_object"})
            assert reply.content.startswith('{"answer":"')

    asyncio.run(main())


def test_a_long_prompt_is_cached_when_it_comes_again() -> None:
    async def main() -> None:
        async with sandbox() as api:
            first, second = [await api.ask("word " * 1000) for _ in range(2)]
            assert first.body["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
            assert second.body["usage"]["prompt_tokens_details"]["cached_tokens"] == 1152

    asyncio.run(main())


async def reask(api: Api, question: str, wrong: str) -> Reply:
    return await api.ask([user(question), assistant(wrong), user("That is not an answer.")])


def test_a_bad_answer_comes_right_when_asked_again_and_stays_one_item() -> None:
    async def main() -> None:
        question = "기사의 라벨을 0, 1, 2 중 하나로: 본문"
        async with sandbox(bad_answers=1) as api:
            wrong = await api.ask(question)
            assert wrong.content not in ("0", "1", "2")
            right = await reask(api, question, wrong.content)
            assert right.content in ("0", "1", "2")
            assert (await api.ask(question)).content == right.content
            stats = await api.stats()
            assert list(stats["per_item"].values()) == [{"received": 3, "answered": 3, "paid": 3}]
        # A server that never saw the first answer believes the conversation.
        async with sandbox(bad_answers=1) as api:
            assert (await reask(api, question, wrong.content)).content == right.content

    asyncio.run(main())


def test_a_stubborn_item_stays_wrong() -> None:
    async def main() -> None:
        question = "기사의 라벨을 0, 1, 2 중 하나로: 본문"
        async with sandbox(stubborn=1) as api:
            answers = [(await api.ask(question)).content for _ in range(5)]
            assert not {"0", "1", "2"} & set(answers)

    asyncio.run(main())


def test_shares_of_bad_answers() -> None:
    questions = [f"기사의 라벨 0, 1, 2: {number}" for number in range(400)]
    replies = run_all(questions, bad_answers=0.2)
    assert sum(reply.content not in ("0", "1", "2") for reply in replies) == pytest.approx(
        80, abs=30
    )


def test_latency_passes_by_the_clock() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, latency_ms=5000, latency_sigma=0) as api:
            call = asyncio.create_task(api.ask("hello"))
            await clock.asleep()
            clock.advance(4.999)
            assert (await api.stats())["in_hand"] == 1
            assert not call.done()
            assert (await api.admin("/clock", {"advance_s": 0.001})).body == {"now_s": 5.0}
            reply = await call
            assert reply.headers["openai-processing-ms"] == "5000"
            assert reply.body["created"] == 1_795_000_005

    asyncio.run(main())


def test_what_the_client_gave_up_is_paid_and_not_answered() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, latency_ms=5000, latency_sigma=0) as api:
            call = asyncio.create_task(api.ask("hello"))
            await clock.asleep()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            clock.advance(5)
            stats = await api.stats()
            assert stats["in_hand"] == 0
            assert (stats["paid"], stats["answered"]) == (1, 0)
            assert stats["by_status"] == {"dropped": 1}
            assert stats["items"] == {
                "seen": 1,
                "answered": 0,
                "received_twice": 0,
                "paid_twice": 0,
            }

    asyncio.run(main())


def test_stats_count_and_forget() -> None:
    async def main() -> None:
        async with sandbox() as api:
            await asyncio.gather(*(api.ask(question) for question in ("a", "b", "b")))
            await api.post({"model": "gpt-4"})
            stats = await api.stats()
            assert stats["received"] == 4
            assert stats["answered"] == stats["paid"] == 3
            assert stats["paid_tokens"]["prompt"] == 7 * 3
            assert stats["by_status"] == {"200": 3, "404": 1}
            assert stats["by_route"] == {"POST /v1/chat/completions": 4}
            assert stats["items"]["seen"] == 2
            assert stats["items"]["received_twice"] == stats["items"]["paid_twice"] == 1
            assert 1 <= stats["max_concurrent"] <= 3
            assert stats["first_arrival"] <= stats["last_arrival"]
            assert "per_item" not in (await api.admin("/stats")).body
            await api.admin("/stats/reset", {})
            stats = await api.stats()
            assert (stats["received"], stats["by_status"], stats["per_item"]) == (0, {}, {})

    asyncio.run(main())


def test_limits_over_http() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with sandbox(clock, rpm=2, tpm=10_000) as api:
            reply = await api.ask("hello", max_completion_tokens=4000)
            assert reply.headers["x-ratelimit-limit-requests"] == "2"
            assert reply.headers["x-ratelimit-remaining-requests"] == "1"
            assert reply.headers["x-ratelimit-reset-requests"] == "30s"
            assert reply.headers["x-ratelimit-remaining-tokens"] == "6000"
            assert reply.headers["x-ratelimit-reset-tokens"] == "24s"
            assert (await api.ask("hello", foo=1)).headers["x-ratelimit-remaining-requests"] == "0"
            refused = await api.ask("hello")
            assert refused.status == 429
            assert refused.error["code"] == "rate_limit_exceeded"
            assert refused.error["type"] == "requests"
            assert refused.headers["retry-after"] == "30"
            assert refused.headers["retry-after-ms"] == "30000"
            assert refused.headers["x-ratelimit-remaining-requests"] == "0"
            clock.advance(30)
            assert (await api.ask("hello")).status == 200
            assert (await api.ask("hello")).status == 429
            assert (await api.admin("/config", {"rpm": 600})).status == 200
            assert (await api.ask("hello")).headers["x-ratelimit-remaining-requests"] == "599"

    asyncio.run(main())


def test_mathml_becomes_latex_and_nothing_else() -> None:
    async def main() -> None:
        async with sandbox() as api:
            replies = await asyncio.gather(
                *(
                    api.ask(f"Convert: {mathml}")
                    for mathml in (
                        HALF,
                        HALF.replace("2", "3"),
                        "<math><mtext>넓이 </mtext><mo>=</mo><msqrt><mi>x</mi></msqrt></math>",
                        "<math></math> <math><mi>y</mi></math> <math>none</math>",
                        "<math><mi>z</mi></div><div></math>",
                        "<math><mi a='b>z</mi><!-- </math>",
                    )
                )
            )
            assert [reply.content for reply in replies[:5]] == [
                r"\frac{1}{2}",
                r"\frac{1}{3}",
                r"\text{넓이} = \sqrt{x}",
                "y",
                "z",
            ]
            assert {reply.status for reply in replies} == {200}

    asyncio.run(main())


def test_a_trailing_space_after_a_backslash_stays() -> None:
    (reply,) = run_all(["<math><mi>x</mi><mspace width='0.25em'/><mtext> </mtext></math>"])
    assert reply.content.startswith("x")
    assert reply.content.endswith("\\ ")


def test_bad_mathml_answers_are_wrong_once() -> None:
    async def main() -> None:
        questions = [
            f"<math><mfrac><mn>{number}</mn><mi>x</mi></mfrac></math>" for number in range(1, 40)
        ]
        async with sandbox(bad_answers=1) as api:
            wrong = [(await api.ask(question)).content for question in questions]
            right = [
                (await reask(api, question, answer)).content
                for question, answer in zip(questions, wrong, strict=True)
            ]
        assert right == [f"\\frac{{{number}}}{{x}}" for number in range(1, 40)]
        assert all(bad != good for bad, good in zip(wrong, right, strict=True))
        assert any(answer.startswith("```latex\n") for answer in wrong)
        assert any(answer.startswith("Here is") for answer in wrong)
        assert any("<math" in answer for answer in wrong)
        assert "" in wrong

    asyncio.run(main())
