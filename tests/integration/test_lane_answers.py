"""What becomes of answers: re-asks, kept bodies, prompts that cannot be filled in, our own bugs."""

import asyncio

import pytest
from lane_bench import CHOOSE, GREET, KEY, bench, items, let_pass

from processor.answer import KeepBodies
from processor.direct.rules import LaneRules
from processor.items import Accepted, Invalid, Item
from processor.ledger.pending import Pending
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse


def test_an_invalid_answer_is_durable_before_it_is_asked_again() -> None:
    async def main() -> None:
        async with bench(items(1), text=CHOOSE, faults=["content:content=7,times=1"]) as it:
            it.keep_unwritten = True
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=1_000)
            (attempt,) = it.attempts
            assert (attempt.answer, attempt.code, attempt.number) == ("7", "invalid", 1)
            assert attempt.problem
            assert attempt.usage
            assert (await it.api.stats())["received"] == 1
            it.keep_unwritten = False
            it.write()
            await let_pass(it.clock, work)
            assert it.outcomes[1].accepted
            assert it.outcomes[1].attempts == 2

    asyncio.run(main())


def test_a_reask_shows_the_earlier_answer_so_that_the_first_question_is_not_paid_again() -> None:
    """The sandbox is right at the second try, and knows it by the answers in the conversation."""

    async def main() -> None:
        fresh = items(1)[0]
        resumed = Pending(item=fresh.item, attempts=1, invalid=(("7", "It names no label."),))
        for pending, calls in ((fresh, 2), (resumed, 1)):
            async with bench([pending], text=CHOOSE, bad_answers=1.0) as it:
                await it.run()
                assert it.outcomes[1].accepted
                assert it.outcomes[1].attempts == 2
                assert (await it.api.stats())["received"] == calls

    asyncio.run(main())


def test_a_stubborn_answer_fails_as_invalid_after_the_reasks() -> None:
    async def main() -> None:
        faults = ["content:content=7,match=word3."]
        async with bench(items(9), text=CHOOSE, faults=faults) as it:
            await it.run()
            failure = it.outcomes[3].failure
            assert failure is not None
            assert failure.code == "invalid"
            assert it.outcomes[3].attempts == 3
            assert it.outcomes[3].body is not None
            assert '"7"' in it.outcomes[3].body
            assert [attempt.answer for attempt in it.attempts] == ["7", "7"]

    asyncio.run(main())


def test_a_reask_goes_before_new_items_and_reasks_survive_faults() -> None:
    async def main() -> None:
        faults = [
            "content:content=7,match=word1.,times=1",
            "server_error:match=word1.,times=3",
        ]
        async with bench(
            items(60), text=CHOOSE, faults=faults, rules=LaneRules(concurrency=2), latency_ms=10
        ) as it:
            await it.run()
            codes = [attempt.code for attempt in it.attempts]
            assert codes == ["invalid", "server_error", "server_error"]
            assert it.outcomes[1].attempts == 4
            assert it.outcomes[1].accepted

    asyncio.run(main())


@pytest.mark.parametrize(
    ("keep", "of_success", "of_failure"),
    [("all", True, True), ("failed", False, True), ("none", False, False)],
)
def test_bodies_are_kept_as_told(keep: KeepBodies, *, of_success: bool, of_failure: bool) -> None:
    async def main() -> None:
        rules = LaneRules(keep_bodies=keep)
        async with bench(items(2), rules=rules, faults=["length:match=word2."]) as it:
            await it.run()
            assert it.codes == {1: "", 2: "truncated"}
            for seq, kept in ((1, of_success), (2, of_failure)):
                body = it.outcomes[seq].body
                assert (body is not None) == kept
                if body is not None:
                    assert '"chat.completion"' in body

    asyncio.run(main())


def test_a_key_that_the_server_echoes_is_kept_nowhere() -> None:
    async def main() -> None:
        faults = [
            f"status:status=400,match=word1.,message=Bad key {KEY}!",
            f"status:status=418,match=word2.,body=<p>{KEY}</p>",
        ]
        async with bench(items(3), rules=LaneRules(keep_bodies="all"), faults=faults) as it:
            await it.run()
            assert it.codes[3] == ""
            assert all(it.codes[seq] for seq in (1, 2))
            assert KEY not in repr(it.recorded)
            assert "***" in (it.outcomes[2].body or "")

    asyncio.run(main())


def test_an_item_that_cannot_be_rendered_fails_unsent() -> None:
    async def main() -> None:
        good, bad = items(2)
        bad = Pending(item=Item(seq=2, chunk=1, id=2, fields={"other": 1}))
        async with bench([good, bad]) as it:
            await it.run()
            assert it.codes == {1: "", 2: "template"}
            assert it.outcomes[2].attempts == 0
            assert (await it.api.stats())["received"] == 1

    asyncio.run(main())


class _Buggy(PromptTask):
    """Its check divides by zero at one item."""

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        if item.seq == 7:
            raise ZeroDivisionError
        return super().check(item, answer)


def test_a_bug_in_a_check_ends_the_lane_loudly_and_what_was_in_flight_is_recorded() -> None:
    async def main() -> None:
        buggy = _Buggy(parse(GREET, where="test"), where="test")
        async with bench(
            items(100), rules=LaneRules(concurrency=5), made_task=buggy, latency_ms=50
        ) as it:
            with pytest.raises(ZeroDivisionError):
                await it.run()
            received = (await it.api.stats())["received"]
            assert len(it.outcomes) == received - 1
            assert 7 not in it.outcomes
            assert received < 20

    asyncio.run(main())


def test_usage_model_tier_and_request_id_are_those_of_the_answer() -> None:
    async def main() -> None:
        faults = [
            "no_usage:match=word1.",
            "other_model:match=word2.,model=gpt-other",
            "other_tier:match=word3.,tier=flex",
            "extra_fields:match=word4.",
        ]
        async with bench(items(4), faults=faults) as it:
            await it.run()
            one, two, three, four = (it.outcomes[seq] for seq in range(1, 5))
            assert all(outcome.accepted for outcome in (one, two, three, four))
            assert one.usage is None
            assert one.answered
            assert two.model == "gpt-other"
            assert three.tier == "flex"
            assert four.usage is not None
            assert four.usage.completion_tokens > 0
            assert (four.request_id or "").startswith("req_")

    asyncio.run(main())
