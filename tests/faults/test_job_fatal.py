"""FAULTS.md 22, 23, 31-34 and their kin: what concerns every item stops the job.

From the start at most the two canaries are sent; later at most the calls that are in flight. What
was answered is kept, nothing is marked failed, and the same command goes on once it is mended.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from lane_bench import bench, items
from run_bench import KEY, Folder

from faults.command import command
from processor.codes import cause_of
from processor.direct.breaker import CANARIES
from processor.direct.rules import LaneRules
from processor.sandbox_process import sandbox

ITEMS = 60


def case(number: int | None, fault: str, code: str) -> object:
    marks = [pytest.mark.fault(number)] if number else []
    return pytest.param(fault, code, id=fault, marks=marks)


REFUSED = "status:status=400,type=invalid_request_error,code="
DEAD = [
    case(22, "insufficient_quota", "quota_exhausted"),
    case(22, "billing_hard_limit_reached", "quota_exhausted"),
    case(22, "credit_balance_exhausted", "quota_exhausted"),
    case(22, "organization_spend_limit_exceeded", "quota_exhausted"),
    case(22, "project_spend_limit_exceeded", "quota_exhausted"),
    case(22, "organization_usage_limit_exceeded", "quota_exhausted"),
    case(22, "status:status=400,code=billing_not_active", "quota_exhausted"),
    case(22, 'status:status=402,body={"detail":"Insufficient Balance"}', "quota_exhausted"),
    case(23, "quota_of_unknown_code", "quota_exhausted"),
    case(26, "daily_limit", "daily_limit"),
    case(31, "bad_key", "auth"),
    case(31, "status:status=401,body=<html>Log in</html>", "auth"),
    case(33, "region", "forbidden"),
    case(34, "model_not_found", "model_not_found"),
    case(None, REFUSED + "unsupported_parameter,param=temperature", "refused_parameter"),
    case(None, REFUSED + "unsupported_value,param=temperature", "refused_parameter"),
    case(None, REFUSED + "unknown_parameter,param=frobnicate", "refused_parameter"),
    case(None, REFUSED + "invalid_value,param=service_tier", "refused_parameter"),
    case(None, "status:status=407,type=proxy", "proxy_auth"),
]


@pytest.mark.parametrize(("fault", "code"), DEAD)
def test_dead_from_the_start_costs_two_calls(fault: str, code: str) -> None:
    async def main() -> None:
        async with bench(items(ITEMS), faults=[fault], rules=LaneRules(concurrency=20)) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert it.lane.stopped.message
            assert it.outcomes == {}
            assert (await it.api.stats())["received"] <= CANARIES
            assert it.clock.monotonic() == 0

    asyncio.run(main())


@pytest.mark.parametrize(("fault", "code"), DEAD)
def test_dead_later_costs_no_more_than_what_was_in_flight(fault: str, code: str) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20)
        async with bench(items(300), rules=rules, latency_ms=100) as it:
            await it.fault(fault + ("," if ":" in fault else ":") + "after=100")
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == 100
            assert (await it.api.stats())["received"] <= 120

    asyncio.run(main())


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "5"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Folder:
    made = Folder(tmp_path, sandbox_url)
    made.rows(ITEMS)
    made.admin("stats/reset", {})
    made.admin("faults", {"clear": True})
    made.admin("config", {"api_key": None})
    return made


def assert_told(ended_err: str, code: str, *words: str) -> None:
    """One line: what happened, in the provider's words, and the remedy."""
    (line,) = [line for line in ended_err.splitlines() if line.startswith("Stopped: ")]
    assert line.startswith(f"Stopped: {code}: ")
    assert cause_of(code).remedy in line
    for word in words:
        assert word in line


@pytest.mark.fault(31, 95)
def test_f31_a_bad_key_stops_the_command_and_a_good_one_goes_on(folder: Folder) -> None:
    async def main() -> None:
        folder.admin("config", {"api_key": KEY})
        bad_key = "some-other-secret-9876543210"
        ended = await command(folder, key=bad_key)
        assert ended.code == 3
        assert_told(ended.err, "auth", "Incorrect API key")
        assert folder.admin("stats")["received"] <= CANARIES
        assert folder.figures()["pending"] == ITEMS
        assert bad_key not in ended.everything
        assert (await command(folder)).code == 0

    asyncio.run(main())
    folder.assert_whole(ITEMS)
    assert folder.admin("stats")["answered"] == ITEMS


@pytest.mark.fault(22, 32)
@pytest.mark.parametrize(
    ("fault", "code"), [("bad_key", "auth"), ("insufficient_quota", "quota_exhausted")]
)
def test_f32_what_dies_later_keeps_what_was_answered(folder: Folder, fault: str, code: str) -> None:
    """Nothing is sent twice but what was refused."""

    async def main() -> None:
        folder.rows(600)
        folder.admin("faults", {"set": [f"{fault}:after=400"]})
        ended = await command(folder, "--concurrency", "20")
        assert ended.code == 3
        assert_told(ended.err, code)
        first = folder.admin("stats")
        assert first["received"] <= 400 + 20
        figures = folder.figures()
        assert (figures["succeeded"], figures["failed"], figures["pending"]) == (400, 0, 200)
        assert figures["requests_sent"] == first["received"]
        folder.admin("faults", {"clear": True})
        assert (await command(folder)).code == 0

    asyncio.run(main())
    folder.assert_whole(600)
    assert folder.admin("stats")["answered"] == 600


@pytest.mark.fault(34)
def test_f34_an_unknown_model_is_named_with_the_remedy(folder: Folder) -> None:
    async def main() -> None:
        ended = await command(folder, "--model", "gpt-99-nova")
        assert ended.code == 3
        assert_told(ended.err, "model_not_found", "gpt-99-nova")
        assert folder.admin("stats")["received"] <= CANARIES
        assert folder.figures()["pending"] == ITEMS
        again = await command(folder, "--model", "gpt-6-luna", "--accept-change")
        assert again.code == 0

    asyncio.run(main())
    folder.assert_whole(ITEMS)


@pytest.mark.fault(33)
def test_f33_a_country_that_is_not_served_is_told(folder: Folder) -> None:
    async def main() -> None:
        folder.admin("faults", {"set": ["region"]})
        ended = await command(folder)
        assert ended.code == 3
        assert_told(ended.err, "forbidden", "Country, region, or territory not supported")
        assert folder.admin("stats")["received"] <= CANARIES

    asyncio.run(main())
