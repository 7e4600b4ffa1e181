"""The batch lane: pending items go out in shards, and each shard is conducted to its end.

What a shard's results leave pending goes out again in another one, a bounded number of times.
Everything is in the ledger, so a start that finds shards there goes on with each where it was.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from dataclasses import replace
from typing import Any

from processor import disk
from processor.batch.answer import Settler
from processor.batch.apart import Apart
from processor.batch.conduct import Conduct
from processor.batch.entrance import Entrance
from processor.batch.sharding import TEMPORARY, Sharding, ShardRules, Written
from processor.batch.shipping import SHARD_FILES, file_name, number_in
from processor.batch.steps import Step
from processor.batch.thread import in_thread
from processor.batch.tools import Tools
from processor.batch.transfer import PARTS
from processor.batch.until import Until
from processor.batch.watching import Watching
from processor.ledger.pending import Pending
from processor.ledger.shards import Batch, Shard, State
from processor.notice import Notice
from processor.stop import Stop
from processor.tasks.task import Task

_AHEAD = 4  # shards that are written, and are no batch yet
_ENQUEUED = frozenset({State.CREATING, State.OPEN})  # as far as is known


class BatchLane:
    """Sends pending items until none is left, or as far as its rules say.

    Args:
        tools: What every part of the lane works with.
        task: Renders requests.
        settler: Decides what becomes of items.
        pending: Gives the items that are in no shard and have no outcome, from the first.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        task: Task,
        settler: Settler,
        pending: Callable[[], Iterator[Pending]],
    ) -> None:
        self._task = task
        self._pending = pending
        self._remote = tools.remote
        self._store = tools.store
        self._purse = tools.purse
        self._rules = tools.rules
        self._clock = tools.clock
        self._halt = tools.halt
        self._tell = tools.tell
        self._at = tools.at
        self._entrance = Entrance(tools)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._serves = tools.rules.serves
        self._enough = False
        self._watching = Watching(tools, once=tools.rules.until is not Until.SETTLED)
        self._conduct = Conduct(
            tools,
            settler=settler,
            entrance=self._entrance,
            watching=self._watching,
            changed=self._changed.set,
        )

    @property
    def stopped(self) -> Stop | None:
        """Why the job cannot go on."""
        return self._halt.stop

    @property
    def left_for_direct(self) -> int:
        """Items that go into no batch any more, and that are pending still."""
        return len(self._conduct.apart)

    @property
    def apart(self) -> Apart:
        """Items, by `seq`, that go into no batch any more."""
        return self._conduct.apart

    @property
    def sends(self) -> bool:
        """Whether batches are made, and nothing is wrong with those that were."""
        return self._halt.stop is None and self._conduct.refused is None

    @property
    def left(self) -> Collection[int]:
        """Numbers of shards that stay where they are, for a later start."""
        return self._conduct.left

    def is_at_provider(self, number: int) -> bool:
        """Whether a shard that lives is a batch, as far as is known."""
        return number not in self._conduct.preparing

    @property
    def is_leaving(self) -> bool:
        """Whether nothing new is started any more."""
        return self._halt.asked

    @property
    def refused(self) -> str | None:
        """Why the provider refused a batch, when that does not stop the job."""
        return self._conduct.refused

    @property
    def full(self) -> bool:
        """Whether items wait for a batch because there is no room for one now."""
        return self._conduct.full

    def drain(self) -> None:
        """Start nothing new; calls that are under way end first."""
        self._halt.leave()

    def abort(self) -> None:
        """End calls that are under way, too: a later start finds out what became of them."""
        self._halt.leave()
        for task in self._tasks:
            task.cancel()

    async def run(self) -> None:
        """Send, watch and settle; when it returns, everything that came is recorded.

        Raises:
            LedgerError: The disk refuses.
        """
        with disk.guarded(self._rules.folder):
            self._rules.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._clear_away()
        watch = self._watch = asyncio.create_task(self._watching.run(), name="batch-watch")
        watch.add_done_callback(lambda _: self._changed.set())
        try:
            self._resume()
            if not self._rules.serves:
                await self._send_all()
            while self._tasks or (self._serves and not self._halt.asked):
                await self._wait_for_change()
        finally:
            self._halt.leave()
            under_way = (*self._tasks, watch)
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        await self._store.count_calls(self._remote.calls)

    def _clear_away(self) -> None:
        """Remove what a killed start has left of shards that are none yet, or no more."""
        with self._store.reading() as shelf:
            live = {shard.number for shard in shelf.live()}
        for path in self._rules.folder.glob(SHARD_FILES):
            if (number := number_in(path.name)) is not None and number not in live:
                path.unlink()
        for leftover in (TEMPORARY, PARTS):
            for path in self._rules.folder.glob(leftover):
                path.unlink()

    def _resume(self) -> None:
        """Go on with the shards of earlier starts."""
        with self._store.reading() as shelf:
            live, batches = shelf.live(), shelf.batches()
        made = [batch for several in batches.values() for batch in several]
        self._entrance.made_before(batch.created_at or batch.seen_at for batch in made)
        for shard in live:
            self._purse.know(shard)
            if shard.state in _ENQUEUED:
                self._entrance.find(shard)
            self._start(shard, batches.get(shard.number, []))

    async def _send_all(self) -> None:
        """Put what is pending into shards, and what their results leave, until nothing is."""
        while self._may_send:
            given_back = self._conduct.given_back
            await self._send_once(self._wanted(), self._rules.shards)
            while self._tasks and self._conduct.given_back == given_back and not self._halt.asked:
                await self._wait_for_change()
            if self._conduct.given_back == given_back:
                return

    def pause(self, *, paused: bool) -> None:
        """Send nothing new for now, or go on with it."""
        if paused:
            self._halt.pause()
        else:
            self._halt.resume()
        self._changed.set()

    def renew(self) -> None:
        """Some items are pending again: put them into shards, too."""
        self._conduct.given_back += 1
        self._changed.set()

    async def send(self, pending: Iterator[Pending], items_most: int) -> None:
        """Put items into shards, until all are, or `stop_sending`; for a lane that serves.

        Args:
            pending: The items.
            items_most: Of a shard; fewer where the lane's rules say so.
        """
        self._enough = False
        rules = self._rules.shards
        least = min(items_most, rules.items_most)
        await self._send_once(pending, replace(rules, items_most=least))

    def stop_sending(self) -> None:
        """What is not in a shard yet stays out of it."""
        self._enough = True
        self._changed.set()

    def take_back(self, number: int) -> None:
        """Stop a shard; what it has answered by then is settled, the rest is pending again.

        The provider is told beside other work: it may be slow to answer, for each of a hundred.
        """
        if not self._halt.asked:
            self._track(self._conduct.take_back(number), f"take-back-{number}")

    def dismiss(self) -> None:
        """Nothing more is to be sent: the lane is over when its shards are."""
        self._serves = False
        self._changed.set()

    async def _send_once(self, pending: Iterator[Pending], rules: ShardRules) -> None:
        """Put items into shards."""
        sharding = Sharding(
            self._rules.folder,
            task=self._task,
            pending=pending,
            rules=replace(rules, tokens_most=self._conduct.tokens_most, left_out=self._halt.closed),
        )
        try:
            while self._may_send and not (self._conduct.full or self._enough):
                if self._halt.is_paused or len(self._conduct.preparing) >= _AHEAD:
                    await self._wait_for_change()
                    continue
                written = await in_thread(sharding.next)
                if unsent := sharding.take_unsent():
                    await self._store.record(unsent)
                if written is None:
                    return
                await self._begin(written)
        finally:
            sharding.close()

    @property
    def _may_send(self) -> bool:
        """Whether anything new may become a batch."""
        is_closed = self._halt.closed and self._task.model_field is None
        return not (self._halt.asked or is_closed)

    def _wanted(self) -> Iterator[Pending]:
        for pending in self._pending():
            leftover = pending.attempts > 0 and self._rules.leftovers_stay
            if not (leftover or pending.item.seq in self._conduct.apart):
                yield pending

    async def _begin(self, written: Written) -> None:
        """A shard of a file that is written, unless its model was closed meanwhile."""
        if written.model in self._halt.closed:
            with disk.guarded(written.path):
                written.path.unlink()
            return
        self._at(Step.FILE_WRITTEN)
        with self._store.reading() as shelf:
            number = shelf.next_number()
        shard = Shard(
            number=number,
            state=State.WRITTEN,
            at=self._clock.time(),
            account=self._rules.account,
            endpoint=written.endpoint,
            model=written.model,
            upload=1,
            items=len(written.seqs),
            bytes=written.bytes,
            sha256=written.sha256,
            tokens=written.tokens,
            reserved_usd=self._purse.most_usd(written),
        )
        with disk.guarded(written.path):
            written.path.replace(self._rules.folder / file_name(number))
        await self._store.add(shard, written.seqs)
        self._at(Step.SHARD_KEPT)
        facts = {"shard": number, "items": shard.items, "bytes": shard.bytes, "model": shard.model}
        self._tell(Notice(event="shard_written", facts=facts))
        self._start(shard, [])

    def _start(self, shard: Shard, batches: list[Batch]) -> None:
        self._track(self._conduct.run(shard, batches), f"shard-{shard.number}")

    def _track(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._changed.set())

    async def _wait_for_change(self) -> None:
        """Wait until a shard has moved on; raises what one of them raised, or who looks at them.

        One that was cancelled is left where it was: why is told by who did that.
        """
        await self._changed.wait()
        self._changed.clear()
        ended = [task for task in (*self._tasks, self._watch) if task.done()]
        self._tasks.difference_update(ended)
        errors = [error for task in ended if not task.cancelled() and (error := task.exception())]
        if errors:  # all are taken, or asyncio would print what the others raised
            raise errors[0]
