"""FAULTS.md 16-21 and 26-28: who waits for a rate limit, and for how long, to the millisecond."""

import asyncio
import itertools
from email.utils import formatdate

import orjson
import pytest
from lane_bench import GREET, Bench, bench, items, let_pass

from faults.rude import GOOD, Asked, Say, Server, http, rude_bench
from processor.direct.rules import LaneRules
from processor.sandbox import ManualClock

LIMITED = orjson.dumps(
    {"error": {"code": "rate_limit_exceeded", "type": "requests", "message": "Slower, please."}}
)
AT_FLEX = f"{GREET}[parameters]\nservice_tier = 'flex'\n"
EPOCH_S = ManualClock().time()
DAY_S = 86_400


def limits(left: int, reset: str = "2s") -> tuple[str, ...]:
    return (
        "x-ratelimit-limit-requests: 60000",
        f"x-ratelimit-remaining-requests: {left}",
        f"x-ratelimit-reset-requests: {reset}",
    )


def refusing(*lines: str, word: str = "", times: int = 1, status: int = 429) -> "Refusing":
    return Refusing(http(status, LIMITED, *lines), f"{word}.".encode(), times)


class Refusing:
    """Says no to the first so many requests with a word in them."""

    def __init__(self, refusal: bytes, word: bytes, times: int) -> None:
        self._refusal = refusal
        self._word = word
        self._left = times

    def __call__(self, asked: Asked) -> Say:
        if self._word in asked.body and self._left:
            self._left -= 1
            return Say(data=self._refusal)
        return Say(data=GOOD)


def arrivals(server: Server, word: str = "") -> list[float]:
    """When the requests with a word in them came."""
    return [asked.at_s for asked in server.asked if f"{word}.".encode() in asked.body]


def assert_kept(it: Bench, server: Server, word: str) -> None:
    """The item went again exactly when its attempts said that it would."""
    waits_s = [attempt.wait_s for attempt in it.attempts]
    times_s = arrivals(server, word)
    assert [b - a for a, b in itertools.pairwise(times_s)] == pytest.approx(waits_s)


@pytest.mark.fault(16)
@pytest.mark.parametrize("head", [limits(0), ()], ids=["at 0", "no headers"])
def test_f16_all_wait_when_nothing_is_left_or_nothing_is_known(head: tuple[str, ...]) -> None:
    async def main() -> None:
        async with rude_bench(refusing("Retry-After: 2", *head, times=2), 30) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            first, second, *others = arrivals(server)
            assert (first, second) == (0, 0)
            assert len(others) == 30
            assert min(others) >= 2
            assert it.clock.monotonic() < 10  # without headers a little is learnt from the refusal
            assert it.events() == ["rate_limit"]

    asyncio.run(main())


@pytest.mark.fault(16)
def test_f16_one_waits_when_something_is_left() -> None:
    async def main() -> None:
        answer = refusing("Retry-After: 2", *limits(3_000), word="word5")
        async with rude_bench(answer, 30) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert_kept(it, server, "word5")
            assert 2 <= arrivals(server, "word5")[1] <= 2.5
            assert max(at_s for at_s in arrivals(server) if at_s < 2) < 0.1
            assert len([at_s for at_s in arrivals(server) if at_s >= 2]) == 1
            assert it.events() == []

    asyncio.run(main())


# What is asked for, and between how many seconds the next try lies. Nothing usable: the backoff,
# which is between half a second and a second after the first try.
ASKED = [
    pytest.param(("retry-after-ms: 50",), 0.05, 0.55, id="50 ms", marks=pytest.mark.fault(17)),
    pytest.param(("retry-after-ms: 1500",), 1.5, 2, id="1500 ms", marks=pytest.mark.fault(17)),
    pytest.param(
        ("retry-after-ms: 50", "Retry-After: 9"), 0.05, 0.55, id="both", marks=pytest.mark.fault(17)
    ),
    pytest.param(
        ("retry-after-ms: soon", "Retry-After: 9"),
        9,
        9.5,
        id="ms rubbish",
        marks=pytest.mark.fault(17),
    ),
    pytest.param(
        (f"Retry-After: {formatdate(EPOCH_S + 9, usegmt=True)}",),
        8,
        9.5,
        id="date",
        marks=pytest.mark.fault(18),
    ),
    pytest.param(
        (f"Retry-After: {formatdate(EPOCH_S - DAY_S, usegmt=True)}",),
        0.5,
        1,
        id="date gone by",
        marks=pytest.mark.fault(18, 21),
    ),
    pytest.param(
        ("Retry-After: Thu, 99 Foo 2026 25:61:61 GMT",),
        0.5,
        1,
        id="no date",
        marks=pytest.mark.fault(18, 21),
    ),
    *(
        pytest.param((f"Retry-After: {told}",), 0.5, 1, id=told, marks=pytest.mark.fault(21))
        for told in ("0", "-1", "NaN", "inf", "-inf", "rubbish", "1e999", "2 apples", "²", "0x10")
    ),
    pytest.param(("Retry-After: 1", "Retry-After: 7"), 1, 7.5, id="twice"),
]


@pytest.mark.parametrize(("lines", "least_s", "most_s"), ASKED)
def test_what_a_provider_may_ask_for(lines: tuple[str, ...], least_s: float, most_s: float) -> None:
    async def main() -> None:
        async with rude_bench(refusing(*lines, word="word5"), 6) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert_kept(it, server, "word5")
            first, second = arrivals(server, "word5")
            assert least_s <= second - first <= most_s
            assert it.outcomes[5].attempts == 2

    asyncio.run(main())


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    "asked_for",
    [
        f"Retry-After: {10 * DAY_S}",
        f"Retry-After: {formatdate(EPOCH_S + 10 * DAY_S, usegmt=True)}",
        "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
        f"retry-after-ms: {10 * DAY_S * 1000}",
        "Retry-After: " + "9" * 300,
    ],
)
def test_f20_ten_days_are_not_slept(asked_for: str) -> None:
    async def main() -> None:
        async with rude_bench(refusing(asked_for, times=10**9), 60) as (it, server):
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "blocked"
            assert "Slower, please." in it.lane.stopped.message
            assert it.outcomes == {}
            assert len(server.asked) <= 2
            assert it.clock.monotonic() == 0

    asyncio.run(main())


@pytest.mark.fault(20)
def test_f20_what_may_be_slept_is_slept() -> None:
    async def main() -> None:
        async with rude_bench(refusing("Retry-After: 599", times=2), 5) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert all(at_s == 0 or 599 <= at_s <= 600 for at_s in arrivals(server))

    asyncio.run(main())


@pytest.mark.fault(26)
def test_f26_a_limit_of_a_day_ends_the_job_with_the_reason() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["daily_limit"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "daily_limit"
            assert "per day" in it.lane.stopped.message
            assert (await it.api.stats())["received"] <= 2
            assert it.outcomes == {}
            assert it.clock.monotonic() == 0

    asyncio.run(main())


@pytest.mark.fault(27)
def test_f27_slow_down_halves_the_rate_which_then_rises_slowly() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=4)
        async with bench(items(3_000), rules=rules, latency_ms=200, latency_sigma=0) as it:
            await it.fault("slow_down:after=80,count=1")
            work = asyncio.ensure_future(it.lane.run())
            before, *held, later = [await _rate(it, work, s) for s in (3, 10, 36, 62, 126)]
            assert before == pytest.approx(20, rel=0.15)
            assert held == pytest.approx([before / 2] * 3, rel=0.2)
            assert held[-1] < later < before
            it.lane.abort()
            await work
            assert not any(it.codes.values())

    asyncio.run(main())


async def _rate(it: Bench, work: "asyncio.Future[None]", until_s: float) -> float:
    """Requests a second of the two seconds before."""
    await let_pass(it.clock, work, until_s=until_s - 2)
    before = (await it.api.stats())["received"]
    await let_pass(it.clock, work, until_s=until_s)
    return float((await it.api.stats())["received"] - before) / 2


@pytest.mark.fault(28)
def test_f28_flex_without_room_waits_and_is_not_charged() -> None:
    async def main() -> None:
        faults = ["flex_unavailable:match=word7.,times=7"]
        async with bench(items(9), text=AT_FLEX, faults=faults) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert it.outcomes[7].attempts == 8  # more than calls that fail get
            assert {attempt.code for attempt in it.attempts} == {"flex_unavailable"}
            assert not any(attempt.answered for attempt in it.attempts)
            assert (await it.api.stats())["paid"] == 9

    asyncio.run(main())


def test_a_rate_limit_then_a_reset_then_an_answer_is_one_result() -> None:
    async def main() -> None:
        said = iter([Say(data=http(429, LIMITED, "Retry-After: 2", *limits(0)))])
        said_next = iter([Say(data=b"HTTP/1.1 200", then="reset")])

        def answer(_: Asked) -> Say:
            return next(said, None) or next(said_next, None) or Say(data=GOOD)

        async with rude_bench(answer, 1) as (it, server):
            await it.run()
            assert it.codes == {1: ""}
            assert [attempt.code for attempt in it.attempts] == ["rate_limited", "connection"]
            assert it.outcomes[1].attempts == len(server.asked) == 3
            assert_kept(it, server, "word1")

    asyncio.run(main())


@pytest.mark.parametrize(
    "lines",
    [
        ("x-ratelimit-limit-requests: lots", "x-ratelimit-remaining-requests: few"),
        ("x-ratelimit-limit-requests: -5", "x-ratelimit-remaining-requests: -9"),
        ("x-ratelimit-limit-requests: 0", "x-ratelimit-remaining-requests: 0"),
        ("x-ratelimit-limit-tokens: NaN", "x-ratelimit-remaining-tokens: inf"),
        ("x-ratelimit-limit-tokens: 1e308", "x-ratelimit-remaining-tokens: -1e308"),
        (
            "x-ratelimit-limit-requests: 600",
            "x-ratelimit-remaining-requests: 599",
            "x-ratelimit-reset-requests: tomorrow",
        ),
        (
            "x-ratelimit-limit-requests: 600",
            "x-ratelimit-remaining-requests: 599",
            "x-ratelimit-reset-requests: -7s",
        ),
        ("x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 99999999h"),
    ],
)
def test_headers_that_tell_nonsense_hold_nothing_up(lines: tuple[str, ...]) -> None:
    """On answers; what each means is tabled in `unit/test_headers.py`."""

    async def main() -> None:
        good = http(200, GOOD.partition(b"\r\n\r\n")[2], *lines)
        async with rude_bench(lambda _: Say(data=good), 60) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert len(server.asked) == 60
            assert it.clock.monotonic() <= 12  # 600 a minute, where that much can be read

    asyncio.run(main())


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S, -EPOCH_S, 10 * 365 * DAY_S])
def test_a_wall_clock_that_jumps_neither_loses_nor_delays_anything(jump_s: float) -> None:
    """Waits are measured on the monotonic clock; the wall clock only reads HTTP dates."""

    async def main() -> None:
        answer = refusing("Retry-After: 2", *limits(0), times=2)
        async with rude_bench(answer, 30) as (it, server):
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=1)
            it.clock._start_s += jump_s
            await let_pass(it.clock, work)
            assert set(it.codes.values()) == {""}
            assert all(at_s == 0 or 2 <= at_s <= 3 for at_s in arrivals(server))

    asyncio.run(main())
