"""FAULTS.md 33, 39 and their kin: is the provider at fault, or are these items?

Items that can never be answered look like an outage when there are many of them together. Another
request tells: one that has not failed yet or, where there is none, one that has succeeded.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lane_bench import bench, items, let_pass
from run_bench import Folder

from faults.command import command
from processor.direct.breaker import CANARIES, OUTAGE_AFTER
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.sandbox_process import sandbox

BARRED = "status:status=403,type=x,body=<html><title>Blocked</title></html>"


def of(fault: str, seqs: Sequence[int]) -> list[str]:
    """A fault that these items always meet."""
    begun = fault + ("," if ":" in fault else ":")
    return [f"{begun}match=word{seq}." for seq in seqs]


@pytest.mark.fault(39)
@pytest.mark.parametrize("fault", ["server_error", "empty", "reset_in_body"])
@pytest.mark.parametrize("bad", [range(41, 61), range(285, 301)], ids=["amid", "at the end"])
def test_many_items_in_a_row_that_always_fail_do_not_stop_the_job(fault: str, bad: range) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=8)
        async with bench(items(300), rules=rules, faults=of(fault, bad), latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is None
            assert {seq for seq, code in it.codes.items() if code} == set(bad)
            assert len(it.outcomes) == 300
            assert it.clock.monotonic() < 120
            witnesses = [attempt for attempt in it.attempts if attempt.code == "witness"]
            assert len(witnesses) <= 1 + len(bad) / OUTAGE_AFTER
            assert not any(witness.again for witness in witnesses)
            calls = sum(o.attempts for o in it.outcomes.values()) + len(witnesses)
            assert (await it.api.stats())["received"] == calls

    asyncio.run(main())


@pytest.mark.fault(39)
def test_an_outage_in_which_everything_fails_is_still_one() -> None:
    """The witness fails as well, and costs nothing; no item is marked failed."""

    async def main() -> None:
        rules = LaneRules(concurrency=8)
        async with bench(items(50), rules=rules, latency_ms=50) as it:
            await it.fault("server_error:after=30")
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "server_error"
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == 30
            assert (await it.api.stats())["paid"] == 30
            assert 300 <= it.clock.monotonic() < 420

    asyncio.run(main())


@pytest.mark.fault(39)
@pytest.mark.parametrize("left", [1, OUTAGE_AFTER - 1])
@pytest.mark.parametrize("ends", [True, False])
def test_an_outage_among_the_last_items_is_one_however_few_they_are(
    left: int, *, ends: bool
) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=8)
        async with bench(items(50), rules=rules, latency_ms=50) as it:
            await it.fault(f"server_error:after={50 - left}")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=200)
            assert not work.done()
            assert len(it.outcomes) == 50 - left
            if ends:
                await it.fault()
            await let_pass(it.clock, work)
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == (50 if ends else 50 - left)
            assert (it.lane.stopped is None) is ends
            assert it.events() == ["outage", *(["outage_over"] if ends else [])]

    asyncio.run(main())


@pytest.mark.fault(39)
@pytest.mark.parametrize("fault", ["server_error", "empty", "reset_in_body"])
@pytest.mark.parametrize("left", [1, OUTAGE_AFTER - 1])
def test_last_items_that_always_fail_cost_one_witness(fault: str, left: int) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=8)
        bad = range(51 - left, 51)
        async with bench(items(50), rules=rules, faults=of(fault, bad), latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is None
            assert {seq for seq, code in it.codes.items() if code} == set(bad)
            assert len(it.outcomes) == 50
            assert len([attempt for attempt in it.attempts if attempt.code == "witness"]) <= 1
            assert it.clock.monotonic() < 120

    asyncio.run(main())


@pytest.mark.fault(33)
@pytest.mark.parametrize("fault", [BARRED, "status:status=451,type=x", "redirect"])
def test_f33_a_gateway_that_dislikes_some_items_costs_these_items_only(fault: str) -> None:
    async def main() -> None:
        bad = (3, 17, 18, 40)
        rules = LaneRules(concurrency=8)
        async with bench(items(60), rules=rules, faults=of(fault, bad), latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is None
            assert {seq for seq, code in it.codes.items() if code} == set(bad)
            assert {it.outcomes[seq].attempts for seq in bad} == {2}
            assert (await it.api.stats())["received"] == 60 + len(bad)

    asyncio.run(main())


@pytest.mark.fault(33)
def test_f33_a_gateway_that_dislikes_many_items_together_is_found_out() -> None:
    async def main() -> None:
        bad = range(21, 41)
        rules = LaneRules(concurrency=8)
        async with bench(items(60), rules=rules, faults=of(BARRED, bad), latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is None
            assert {seq for seq, code in it.codes.items() if code} == set(bad)
            assert (await it.api.stats())["paid"] <= 40 + len(bad) / OUTAGE_AFTER

    asyncio.run(main())


@pytest.mark.fault(33)
@pytest.mark.parametrize("retries", [0, 5])
@pytest.mark.parametrize("concurrency", [1, 2, 20])
def test_f33_a_bare_403_from_the_start_costs_two_calls(concurrency: int, retries: int) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=concurrency, retry=RetryPolicy(attempts_max=retries + 1))
        async with bench(items(60), rules=rules, faults=[BARRED], latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "forbidden"
            assert "Blocked" in it.lane.stopped.message
            assert it.outcomes == {}
            assert (await it.api.stats())["received"] == CANARIES

    asyncio.run(main())


@pytest.mark.fault(33)
@pytest.mark.parametrize("concurrency", [4, 20])
def test_f33_a_bare_403_for_everything_later_stops_the_job_with_every_item_pending(
    concurrency: int,
) -> None:
    """What was in flight, what it takes to tell the job from its items, and the witness."""

    async def main() -> None:
        rules = LaneRules(concurrency=concurrency)
        async with bench(items(300), rules=rules, latency_ms=100) as it:
            await it.fault(BARRED + ",after=100")
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "forbidden"
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == 100
            assert (await it.api.stats())["received"] <= 100 + concurrency + OUTAGE_AFTER

    asyncio.run(main())


def test_with_a_pause_between_chunks_the_same_items_fail_and_the_rest_goes_on() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=8, wait_s=1)
        bad = range(31, 46)
        faults = of("server_error", bad)
        async with bench(items(80, chunk_size=20), rules=rules, faults=faults, latency_ms=50) as it:
            await it.run()
            assert it.lane.stopped is None
            assert {seq for seq, code in it.codes.items() if code} == set(bad)

    asyncio.run(main())


def test_a_late_answer_while_the_witness_is_out_gives_no_item_two_results() -> None:
    async def main() -> None:
        faults = ["hang:match=word1.,seconds=9.5,times=1", *of("server_error", range(21, 41))]
        rules = LaneRules(concurrency=12)
        async with bench(items(40), rules=rules, faults=faults, latency_ms=2_000) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work)
            assert len(it.outcomes) == 40
            assert {seq for seq, code in it.codes.items() if code} == set(range(21, 41))

    asyncio.run(main())


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "5"]) as url:
        yield url


@pytest.mark.fault(39)
def test_f39_failed_items_that_are_tried_again_end_the_run_and_do_not_stop_it(
    tmp_path: Path, sandbox_url: str
) -> None:
    """After `processor retry` nothing is left but bad items: the witness is of an earlier start."""

    async def main() -> None:
        folder = Folder(tmp_path, sandbox_url)
        folder.rows(40)
        folder.admin("faults", {"clear": True, "set": of(BARRED, range(11, 31))})
        ended = await command(folder, "--concurrency", "4")
        assert ended.code == 2, ended.err
        assert folder.figures()["failed"] == 20
        retried = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "processor", "retry", "out"), cwd=tmp_path
        )
        assert await retried.wait() == 0
        before = folder.admin("stats")["paid"]
        again = await command(folder, "--concurrency", "4")
        assert again.code == 2, again.err
        figures = folder.figures()
        assert (figures["succeeded"], figures["failed"], figures["pending"]) == (20, 20, 0)
        assert figures["reconciled"] is True
        assert figures["requests_sent"] == folder.admin("stats")["received"]
        assert 1 <= folder.admin("stats")["paid"] - before <= 3

    asyncio.run(main())
