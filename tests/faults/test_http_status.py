"""FAULTS.md 25, 29, 30, 35-39: statuses that concern an item, or the provider for a while.

Rate limits (16-21, 26-28): `test_rate_limits.py`; what ends the job (22, 23, 31-34):
`test_job_fatal.py`; answers of status 200 (41-55): `test_bad_answers.py`.
"""

import asyncio
from pathlib import Path

import pytest
from lane_bench import bench, items, let_pass
from run_bench import Folder

from faults.command import command
from faults.rude import GOOD, Asked, Say, http, rude
from processor.direct.rules import LaneRules

ITEMS = 30
SEVENTH = "match=word7."


def row(number: int, fault: str, code: str, calls: int, *, hits: str = SEVENTH) -> object:
    """A fault of the seventh item: the code it fails with (empty: it succeeds), its requests."""
    spec = fault + ("," if ":" in fault else ":") + hits
    return pytest.param(spec, code, calls, id=fault, marks=pytest.mark.fault(number))


TWICE = SEVENTH + ",times=2"


@pytest.mark.parametrize(
    ("spec", "code", "calls"),
    [
        row(25, "bad_request:x-should-retry=true", "bad_request", 3),
        row(25, "context_length:x-should-retry=true", "context_length", 3),
        row(25, "server_error:x-should-retry=false", "server_error", 1),
        row(29, "server_error", "", 3, hits=TWICE),
        row(29, "conflict", "", 3, hits=TWICE),
        row(29, "request_timeout", "", 3, hits=TWICE),
        row(30, "overloaded", "", 3, hits=TWICE),
        row(30, "bad_gateway", "", 3, hits=TWICE),
        row(30, "unknown_error", "", 3, hits=TWICE),
        row(30, "gateway_timeout", "", 3, hits=TWICE),
        row(30, "status:status=529", "", 3, hits=TWICE),
        row(35, "context_length", "context_length", 1),
        row(37, "too_large", "too_large", 1),
        row(38, "unprocessable", "unprocessable", 2),
        row(38, "unprocessable", "", 2, hits=SEVENTH + ",times=1"),
    ],
)
def test_what_becomes_of_the_item_and_of_the_others(spec: str, code: str, calls: int) -> None:
    async def main() -> None:
        async with bench(items(ITEMS), faults=[spec]) as it:
            await it.run()
            assert it.lane.stopped is None
            assert it.codes == {seq: code if seq == 7 else "" for seq in range(1, ITEMS + 1)}
            assert it.outcomes[7].attempts == calls
            assert (await it.api.stats())["received"] == ITEMS - 1 + calls
            assert [attempt.number for attempt in it.attempts] == list(range(1, calls))

    asyncio.run(main())


@pytest.mark.fault(29, 30)
def test_f30_a_page_of_html_is_a_line_for_the_user_and_in_the_log(tmp_path: Path) -> None:
    """As the command leaves it: two pages, one result, the page's title and no more."""
    filler = b"<p>Ray ID: 7f3a, please try again later.</p>" * 400
    page = b"<!DOCTYPE html><html><head><title>503 Busy &amp; tired</title></head>" + filler

    busy = [Say(data=http(503, page, "Content-Type: text/html"))] * 2

    def answer(asked: Asked) -> Say:
        if b"word7." in asked.body and busy:
            return busy.pop()
        return Say(data=http(400, page) if b"word8." in asked.body else GOOD)

    async def main() -> None:
        async with rude(answer) as server:
            folder = Folder(tmp_path, server.url)
            folder.rows(9)
            ended = await command(folder)
            assert ended.code == 2
            assert folder.ledger("SELECT attempts, succeeded FROM outcomes WHERE seq = 7") == [
                (3, 1)
            ]
            assert len(server.asked) == 9 + 2
            retries = [line for line in folder.run_log() if line["event"] == "retry"]
            assert len(retries) == 2
            assert all("503 Busy & tired" in str(line) for line in retries)
            ((message,),) = folder.ledger("SELECT message FROM outcomes WHERE seq = 8")
            assert message == "HTTP status 400: 503 Busy & tired"
            logs = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
            assert "Ray ID" not in logs + ended.out + ended.err

    asyncio.run(main())


@pytest.mark.fault(39)
def test_f39_everything_fails_for_minutes() -> None:
    """The circuit opens, probes go further and further apart, and nothing is marked failed."""

    async def main() -> None:
        rules = LaneRules(concurrency=20)
        async with bench(items(400), rules=rules, latency_ms=100) as it:
            await it.fault("server_error:after=100")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=15)
            early = (await it.api.stats())["received"]
            assert early <= 100 + 2 * 20 + 6
            await let_pass(it.clock, work, until_s=240)
            probes = (await it.api.stats())["received"] - early
            assert 5 <= probes <= 12
            assert it.events() == ["outage"]
            assert len(it.outcomes) == 100
            await it.fault()
            await let_pass(it.clock, work)
            assert it.events() == ["outage", "outage_over"]
            assert len(it.outcomes) == 400
            assert set(it.codes.values()) == {""}

    asyncio.run(main())
