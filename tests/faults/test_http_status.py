"""FAULTS.md, HTTP status: 16-55. A table by number; what needs more than a line has its own test.

Waits (16-21, 27), stops (22, 23, 26, 31-34, 39) and re-asks (49) in all their forms:
`integration/test_lane_retries.py`, `test_lane_stops.py`, `test_lane_answers.py`.
"""

import asyncio
from dataclasses import dataclass
from email.utils import formatdate

import pytest
from lane_bench import bench, items

from processor.direct.rules import LaneRules
from processor.sandbox import ManualClock

ITEMS = 30
SOON = formatdate(ManualClock().time() + 9, usegmt=True)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and what becomes of the items that it hits.

    Attributes:
        hits: The share of items, or their first tries.
        code: Of the failed items; empty when all succeed.
        calls: Requests for each item that is hit.
    """

    number: int
    fault: str
    hits: str
    code: str
    calls: int

    def __str__(self) -> str:
        return f"{self.number}-{self.fault}"


ONE = "match=word7."
CASES = [
    Case(17, "rate_limit:retry-after-ms=50", ONE + ",times=1", "", 2),
    Case(18, f"rate_limit:retry-after={SOON}", ONE + ",times=1", "", 2),
    Case(21, "rate_limit:retry-after=0", ONE + ",times=1", "", 2),
    Case(21, "rate_limit:retry-after=-1", ONE + ",times=1", "", 2),
    Case(21, "rate_limit:retry-after=NaN", ONE + ",times=1", "", 2),
    Case(21, "rate_limit:retry-after=inf", ONE + ",times=1", "", 2),
    Case(21, "rate_limit:retry-after=rubbish", ONE + ",times=1", "", 2),
    Case(25, "bad_request:x-should-retry=true", ONE, "bad_request", 3),
    Case(28, "flex_unavailable", ONE + ",times=3", "", 4),
    Case(29, "server_error", ONE + ",times=2", "", 3),
    Case(30, "overloaded", ONE + ",times=2", "", 3),
    Case(30, "bad_gateway", ONE + ",times=2", "", 3),
    Case(30, "unknown_error", ONE + ",times=2", "", 3),
    Case(30, "gateway_timeout", ONE + ",times=2", "", 3),
    Case(35, "context_length", ONE, "context_length", 1),
    Case(37, "too_large", ONE, "too_large", 1),
    Case(38, "unprocessable", ONE, "unprocessable", 2),
    Case(41, "html", ONE + ",times=1", "", 2),
    Case(42, "null", ONE + ",times=1", "", 2),
    Case(42, "empty", ONE + ",times=1", "", 2),
    Case(43, "truncated_json", ONE + ",times=1", "", 2),
    Case(43, "error_object", ONE + ",times=1", "", 2),
    Case(45, "no_choices", ONE + ",times=1", "", 2),
    Case(46, "length", ONE, "truncated", 1),
    Case(47, "content_filter", ONE, "filtered", 1),
    Case(48, "refusal", ONE, "refused", 1),
    Case(52, "no_usage", ONE, "", 1),
    Case(53, "other_tier", ONE, "", 1),
    Case(53, "other_model", ONE, "", 1),
    Case(55, "extra_fields", ONE, "", 1),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_becomes_of_the_item_and_of_the_others(case: Case) -> None:
    async def main() -> None:
        spec = case.fault + ("," if ":" in case.fault else ":") + case.hits
        async with bench(items(ITEMS), faults=[spec]) as it:
            await it.run()
            assert it.lane.stopped is None
            assert it.codes == {seq: case.code if seq == 7 else "" for seq in range(1, ITEMS + 1)}
            assert it.outcomes[7].attempts == case.calls
            assert (await it.api.stats())["received"] == ITEMS - 1 + case.calls

    asyncio.run(main())


def test_30_a_page_of_html_is_a_line_in_the_message() -> None:
    async def main() -> None:
        async with bench(items(9), faults=["bad_gateway:match=word7."]) as it:
            await it.run()
            failure = it.outcomes[7].failure
            assert failure is not None
            assert "502 Bad Gateway" in failure.message
            assert "<" not in failure.message
            assert len(failure.message) < 320

    asyncio.run(main())


@pytest.mark.parametrize(
    ("number", "fault", "code", "names"),
    [
        (31, "bad_key", "auth", "API key"),
        (33, "region", "forbidden", "Country"),
        (34, "model_not_found", "model_not_found", "model"),
        (26, "daily_limit", "daily_limit", "per day"),
        (20, "rate_limit:retry-after=864000", "blocked", "Rate limit"),
    ],
)
def test_the_job_stops_and_says_why(number: int, fault: str, code: str, names: str) -> None:
    async def main() -> None:
        async with bench(items(60), faults=[fault]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code, number
            assert names in it.lane.stopped.message
            assert (await it.api.stats())["received"] <= 2
            assert it.outcomes == {}

    asyncio.run(main())


def test_32_a_key_that_dies_late_keeps_what_was_done() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=50)
        async with bench(items(3_000), rules=rules, faults=["bad_key:after=2500"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "auth"
            assert len(it.outcomes) == 2_500
            assert (await it.api.stats())["received"] <= 2_550

    asyncio.run(main())
