"""FAULTS.md 1-7, 12, 14, 15: what the whole lane makes of a network that fails.

The faults as values, on both event loops: `integration/test_transport.py`. What stands between
here and the provider (9-11): `test_proxy_and_tls.py`.
"""

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from lane_bench import KEY, Bench, bench, items, let_pass, quiet
from run_bench import Folder

from faults.command import command
from faults.rude import GOOD, Rude, Say, completion, http, listening, rude, rude_bench
from processor.access import Access
from processor.completion import CHAT
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.direct.transport import Transport
from processor.sandbox import SandboxConfig, running


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("http://nonexistent.invalid/v1", "dns", marks=pytest.mark.fault(1)),
        pytest.param("http://127.0.0.1:1/v1", "unreachable", marks=pytest.mark.fault(3)),
    ],
)
def test_an_address_that_is_never_reached_is_given_up_soon(url: str, code: str) -> None:
    """Bounded, without a busy loop, and nothing is marked failed."""

    async def main() -> None:
        async with bench(items(60), url=url) as it:
            await _let_names_be_looked_up(it)
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert it.outcomes == {}
            assert 2 <= len(it.attempts) <= 10
            assert 30 <= it.clock.monotonic() <= 90
            assert it.events() == ["outage"]

    asyncio.run(main())


async def _let_names_be_looked_up(it: Bench) -> None:
    """Let time pass; name servers answer from a thread, in their own time."""
    work = asyncio.ensure_future(it.lane.run())
    while not work.done():
        await quiet()
        if it.lane.in_flight:
            await asyncio.wait([work], timeout=0.01)
        else:
            due_s = [at_s for at_s, _, sleeper in it.clock._sleepers if not sleeper.done()]
            it.clock.advance(max(0.0, min(due_s, default=0) - it.clock.monotonic()))
    await work


@pytest.mark.fault(1)
def test_f01_a_name_nobody_knows_is_told_with_its_remedy_and_costs_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        folder = Folder(tmp_path, "http://nonexistent.invalid/v1")
        folder.rows(60)
        ended = await command(folder, "--give-up", "0.5")
        assert ended.code == 3
        assert "dns" in ended.err
        assert "Check the base URL and the internet connection" in ended.err
        assert "nonexistent.invalid" in ended.err
        assert folder.figures()["pending"] == 60
        assert folder.figures()["failed"] == 0
        async with rude(lambda _: Say(data=GOOD)) as server:
            folder.url = server.url
            assert (await command(folder)).code == 0
        folder.assert_whole(60)

    asyncio.run(main())


@pytest.mark.fault(2)
def test_f02_the_server_goes_away_in_the_middle_and_comes_back() -> None:
    """Paused, probed, resumed: nothing lost, nothing failed, no busy loop."""

    async def main() -> None:
        config = SandboxConfig(latency_ms=100)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(AsyncExitStack())
            url = await first.enter_async_context(running(config))
            it = await stack.enter_async_context(
                bench(items(300), url=url, rules=LaneRules(concurrency=10))
            )
            work = asyncio.ensure_future(it.lane.run())
            while len(it.outcomes) < 50:
                await asyncio.wait([work], timeout=0.01)
            await first.aclose()
            await let_pass(it.clock, work, until_s=it.clock.monotonic() + 120)
            done, tried = len(it.outcomes), len(it.attempts)
            assert 50 <= done < 300
            assert it.events() == ["outage"]
            assert tried < 60
            port = int(url.split(":")[2].partition("/")[0])
            await stack.enter_async_context(running(config, port=port))
            while not work.done():
                await let_pass(it.clock, work, until_s=it.clock.monotonic() + 1)
                await asyncio.wait([work], timeout=0.01)
                it.clock.advance(0.1)
            await work
            assert it.lane.stopped is None
            assert len(it.outcomes) == 300
            assert set(it.codes.values()) == {""}
            assert it.events() == ["outage", "outage_over"]

    asyncio.run(main())


class _Flapping(AbstractResolver):
    """Knows every name, but for a while."""

    def __init__(self) -> None:
        self.lost = False
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        if self.lost:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


@pytest.mark.fault(2)
def test_f02_names_that_are_lost_in_the_middle_pause_the_run() -> None:
    """Each call needs its name looked up anew, because the server keeps no connection."""

    async def main() -> None:
        names = _Flapping()
        closing = http(200, completion(), "Connection: close")
        async with rude(lambda _: Say(data=closing, then="close")) as server:
            url = server.url.replace("127.0.0.1", "api.example.invalid")
            rules = LaneRules(concurrency=1)
            async with bench(items(60), url=url, rules=rules, resolver=names) as it:
                it.on_record = lambda _: setattr(names, "lost", len(it.outcomes) == 20)
                work = asyncio.ensure_future(it.lane.run())
                await let_pass(it.clock, work, until_s=100)
                assert len(it.outcomes) == 20
                assert it.events() == ["outage"]
                assert {attempt.code for attempt in it.attempts} == {"dns"}
                assert names.asked <= 20 + 10 + 10  # no busy loop
                it.on_record = lambda _: None
                names.lost = False
                await let_pass(it.clock, work)
                assert it.codes == dict.fromkeys(range(1, 61), "")
                assert it.events() == ["outage", "outage_over"]
                assert len(server.asked) == 60

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param("reset", "connection", marks=pytest.mark.fault(4)),
        pytest.param("reset_in_body", "connection", marks=pytest.mark.fault(5)),
        pytest.param("lost_answer", "connection", marks=pytest.mark.fault(5)),
        pytest.param("silence", "timeout", marks=pytest.mark.fault(6)),
        pytest.param("hang", "timeout", marks=pytest.mark.fault(6)),
        pytest.param("drip:seconds=0.4", "timeout", marks=pytest.mark.fault(7)),
    ],
)
def test_a_call_that_breaks_is_made_again_and_gives_one_result(fault: str, code: str) -> None:
    async def main() -> None:
        spec = fault + ("," if ":" in fault else ":") + "rate=0.3,times=1"
        rules = LaneRules(concurrency=5, timeout_s=30)
        async with bench(items(40), faults=[spec], rules=rules) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == 40
            assert len(it.attempts) >= 5
            assert {attempt.code for attempt in it.attempts} == {code}
            attempts = sum(outcome.attempts for outcome in it.outcomes.values())
            assert attempts == (await it.api.stats())["received"] == 40 + len(it.attempts)

    asyncio.run(main())


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("silence", marks=pytest.mark.fault(6)),
        pytest.param("hang", marks=pytest.mark.fault(6)),
        pytest.param("drip:seconds=0.4", marks=pytest.mark.fault(7)),
    ],
)
def test_the_deadline_is_of_the_whole_call(fault: str) -> None:
    """However the bytes come; up to a hundredth late, because one watcher serves all calls."""

    async def main() -> None:
        rules = LaneRules(timeout_s=30, retry=RetryPolicy(attempts_max=2))
        spec = fault + ("," if ":" in fault else ":") + "match=word3."
        async with bench(items(5), faults=[spec], rules=rules) as it:
            await it.run()
            failure = it.outcomes[3].failure
            assert failure is not None
            assert (failure.code, failure.retryable) == ("timeout", True)
            assert "30 s" in failure.message
            (attempt,) = (attempt for attempt in it.attempts if attempt.item.seq == 3)
            assert 30_000 <= attempt.latency_ms <= 30_300
            assert 30_000 <= it.outcomes[3].latency_ms <= 30_300
            assert [code for code in it.codes.values() if code] == ["timeout"]

    asyncio.run(main())


@pytest.mark.fault(12)
def test_f12_more_calls_than_any_pool() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=300, timeout_s=10)
        async with bench(items(900), rules=rules, latency_ms=3_000, latency_sigma=0) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert it.attempts == []
            assert (await it.api.stats())["max_concurrent"] == 300

    asyncio.run(main())


@pytest.mark.fault(14)
@pytest.mark.parametrize("fault", ["close", "announced_close"])
def test_f14_connections_that_the_peer_closes(fault: str) -> None:
    async def main() -> None:
        async with bench(items(60), faults=[f"{fault}:rate=0.5"]) as it:
            await it.run()
            assert len(it.outcomes) == 60
            assert set(it.codes.values()) == {""}

    asyncio.run(main())


class _HastyLoop(asyncio.SelectorEventLoop):
    """An event loop whose time can be moved on."""

    _ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self._ahead_s

    def pass_by(self, seconds: float) -> None:
        self._ahead_s += seconds


@pytest.mark.fault(14)
@pytest.mark.parametrize("how", ["close", "reset"])
def test_f14_a_connection_that_idled_for_seconds_is_not_used_again(how: str) -> None:
    """The peer may be closing it: nobody could tell whether it read a request, and charges it."""
    loop = _HastyLoop()

    async def main() -> None:
        rules = LaneRules(concurrency=1, retry=RetryPolicy(attempts_max=1))
        async with rude_bench(_first_of_its_connection(how), 5, rules) as (it, server):
            it.on_record = lambda _: loop.pass_by(20)  # longer than servers keep a connection
            await it.run()
            assert set(it.codes.values()) == {""}
            assert it.attempts == []
            assert {outcome.attempts for outcome in it.outcomes.values()} == {1}
            assert it.clock.monotonic() == 0
            assert server.connections == len(server.asked) == 5

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())


@pytest.mark.fault(4, 14)
def test_f14_a_connection_that_breaks_while_it_is_busy_is_a_call_that_broke() -> None:
    """It was read, and may have been charged: told, counted, made again."""

    async def main() -> None:
        rules = LaneRules(concurrency=1)
        async with rude_bench(_first_of_its_connection("close"), 5, rules) as (it, server):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert len(server.asked) == 5 + len(it.attempts) == 9

    asyncio.run(main())


def _first_of_its_connection(then: str) -> Rude:
    """Answers the first request of a connection; at the next the connection ends."""
    return lambda asked: Say(data=GOOD) if asked.on_connection == 1 else Say(data=b"", then=then)


@pytest.mark.fault(14)
def test_f14_what_comes_unasked_on_an_idle_connection_is_nobodys_answer() -> None:
    """Such as the 408 of a load balancer that hangs up; the next item must not take it."""

    async def main() -> None:
        served: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(GOOD)
            await reader.read()

        async with (
            listening(serve) as url,
            Transport(Access(base_url=url, api_key=KEY), trust_env=False) as transport,
        ):
            assert b"Hello" in (await transport.post(CHAT, b"{}")).body
            served[0].write(GOOD.replace(b"Hello", b"WRONG"))
            await quiet()
            assert b"Hello" in (await transport.post(CHAT, b"{}")).body
            assert len(served) == 2

    asyncio.run(main())


@pytest.mark.fault(15)
def test_f15_a_redirect_loop_ends_the_job_with_two_calls() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["redirect"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "redirect"
            assert (await it.api.stats())["received"] == 2

    asyncio.run(main())


def test_an_address_of_ipv6_is_served() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    async def main() -> None:
        async with rude(lambda _: Say(data=GOOD), host="::1") as server:
            assert server.url.startswith("http://[::1]:")
            async with bench(items(9), url=server.url) as it:
                await it.run()
                assert set(it.codes.values()) == {""}

    asyncio.run(main())
