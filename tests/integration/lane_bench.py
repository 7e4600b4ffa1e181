"""The direct lane on a bench: real HTTP to a sandbox, one clock for both, a ledger in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox_http import Api, sandbox

from processor.access import Access
from processor.direct.lane import DirectLane
from processor.direct.rules import LaneRules
from processor.direct.transport import Transport
from processor.items import Attempt, Item, Outcome
from processor.ledger.pending import Pending
from processor.notice import Notice
from processor.sandbox import ManualClock
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse

KEY = "sk-test-0123456789"
# Idle passes of the event loop after which sockets of this process have nothing left to do.
_IDLE_PASSES = 5

GREET = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
CHOOSE = """\
name = "choose"
model = "gpt-6-luna"
prompt = "Label this text 0, 1 or 2: {{ word }}"
[output]
kind = "label"
labels = { "0" = "against", "1" = "neutral", "2" = "for" }
reask = 2
"""
BY_ROW = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Say {{ word }} {{ model }}."
[overrides]
model = "model"
parameters = { temperature = "heat" }
[output]
kind = "text"
"""


def task(text: str = GREET) -> PromptTask:
    return PromptTask(parse(text, where="test"), where="test")


def items(count: int, *, chunk_size: int = 10, first: int = 1) -> list[Pending]:
    return [
        Pending(
            item=Item(
                seq=seq, chunk=(seq - 1) // chunk_size + 1, id=seq, fields={"word": f"word{seq}."}
            )
        )
        for seq in range(first, first + count)
    ]


def naming(*models: str, heat: str = "", chunk_size: int = 10) -> list[Pending]:
    """Items for `BY_ROW` by the model that each names; empty text for the task's own."""
    return [
        Pending(
            item=Item(
                seq=seq,
                chunk=(seq - 1) // chunk_size + 1,
                id=seq,
                fields={"word": f"word{seq}.", "model": model, "heat": heat if model else ""},
            )
        )
        for seq, model in enumerate(models, start=1)
    ]


@dataclass(slots=True)
class Bench:
    """What a lane did.

    Attributes:
        pulled: Items that the lane took.
        begun: Calls that it announced.
        written: What its ledger holds; `keep_unwritten` delays that.
    """

    api: Api
    clock: ManualClock
    lane: DirectLane
    pulled: int = 0
    begun: int = 0
    recorded: list[Outcome | Attempt] = field(default_factory=list)
    written: list[Outcome | Attempt] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    keep_unwritten: bool = False
    on_record: Callable[[Outcome | Attempt], None] = lambda _: None

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """Item to outcome; an item must have no second one."""
        found = [record for record in self.recorded if isinstance(record, Outcome)]
        by_seq = {outcome.item.seq: outcome for outcome in found}
        assert len(by_seq) == len(found)
        return by_seq

    @property
    def attempts(self) -> list[Attempt]:
        return [record for record in self.recorded if isinstance(record, Attempt)]

    @property
    def codes(self) -> dict[int, str]:
        """Item to the code of its failure; empty text for a success."""
        return {s: o.failure.code if o.failure else "" for s, o in self.outcomes.items()}

    def events(self) -> list[str]:
        return [notice.event for notice in self.notices]

    def write(self) -> None:
        """The ledger commits all that was recorded."""
        fresh = self.recorded[len(self.written) :]
        self.written += fresh
        self.lane.committed(fresh)

    async def fault(self, *faults: str, clear: bool = True) -> None:
        reply = await self.api.admin("/faults", {"clear": clear, "set": list(faults)})
        assert reply.status == 200, reply.raw

    async def run(self) -> None:
        """The lane from its start to its end; time passes when nothing else happens."""
        await let_pass(self.clock, asyncio.ensure_future(self.lane.run()))


class _Book:
    """Writes down in a bench what its lane tells."""

    bench: Bench

    def begin(self) -> None:
        self.bench.begun += 1

    def record(self, record: Outcome | Attempt) -> None:
        self.bench.recorded.append(record)
        self.bench.on_record(record)
        if not self.bench.keep_unwritten:
            asyncio.get_running_loop().call_soon(self.bench.write)


async def quiet() -> None:
    """Until the sockets of this process have nothing left to do."""
    loop: Any = asyncio.get_running_loop()
    idle = 0
    while idle < _IDLE_PASSES:
        await asyncio.sleep(0)
        idle = 0 if loop._ready else idle + 1


async def let_pass(clock: ManualClock, work: "asyncio.Future[None]", until_s: float = 1e9) -> None:
    """Let time pass while work goes on: to the next sleeper, whenever all is quiet."""
    while not work.done():
        await quiet()
        if work.done():
            break
        due = [at_s for at_s, _, sleeper in clock._sleepers if not sleeper.done()]
        if due and min(due) > until_s:
            return
        if due:
            clock.advance(max(0.0, min(due) - clock.monotonic()))
    await work


@asynccontextmanager
async def bench(
    pending: Sequence[Pending],
    *,
    rules: LaneRules | None = None,
    text: str = GREET,
    faults: Sequence[str] = (),
    url: str | None = None,
    made_task: Any = None,
    resolver: Any = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    """A lane in front of a sandbox that answers at once unless told otherwise.

    Args:
        pending: Items to send.
        rules: As the lane's.
        text: The task's file.
        faults: Of the sandbox, from the start.
        url: In place of the sandbox's.
        made_task: In place of the file's.
        resolver: Of names, in place of the system's.
        options: Of the sandbox.
    """
    clock = ManualClock()
    async with (
        sandbox(clock, key=KEY, **options) as api,
        Transport(
            Access(base_url=url or api.url, api_key=KEY), trust_env=False, resolver=resolver
        ) as transport,
    ):
        made: Bench
        book = _Book()

        def pull() -> Iterator[Pending]:
            for one in pending:
                made.pulled += 1
                yield one

        def tell(notice: Notice) -> None:
            made.notices.append(notice)

        lane = DirectLane(
            task=made_task or task(text),
            transport=transport,
            pending=pull(),
            recorder=book,
            rules=rules or LaneRules(),
            clock=clock,
            tell=tell,
        )
        made = book.bench = Bench(api=api, clock=clock, lane=lane)
        if faults:
            await made.fault(*faults)
        yield made
