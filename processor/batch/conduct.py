"""Conducts shards, each from where it is to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from processor import disk
from processor.batch.adoption import Adoption
from processor.batch.answer import Settler
from processor.batch.apart import Apart
from processor.batch.entrance import Entrance
from processor.batch.fetching import Fetching
from processor.batch.quota import Room, is_quota
from processor.batch.remote_values import (
    FAILED,
    TERMINAL,
    VALIDATING,
    RemoteError,
    Trouble,
)
from processor.batch.settling import Settling
from processor.batch.shipping import Shipping
from processor.batch.sight import look
from processor.batch.steps import Step
from processor.batch.stopping import Stopping
from processor.batch.tools import Tools
from processor.batch.tries import Tries
from processor.batch.trouble import with_remedy
from processor.batch.until import Until
from processor.batch.watching import Watching
from processor.codes import BUDGET_CODE
from processor.ledger.shards import DONE, UNSENT, Batch, Shard, State
from processor.notice import Notice

_PREPARING = frozenset({*UNSENT, State.CREATING})
_FETCHES_MOST = 4  # at once; a hundred shards may end together

Way = Callable[[Shard, Tries], Awaitable[Shard | None]]
"""A step of a shard; None when it is to be left where it is."""


class Conduct:
    """Takes each shard from state to state.

    Args:
        tools: Of the lane.
        settler: Decides what becomes of items.
        entrance: Of the provider's queue.
        watching: Looks at batches.
        changed: Called when a shard moved on.

    Attributes:
        given_back: Shards that came to their end, and of which items are pending again.
        preparing: Numbers of shards that are on their way to become a batch.
        full: Whether a shard was left because the provider has no room for it now.
        apart: Items that go into no batch any more: none may hold them, or theirs was refused.
        refused: Why the provider refused a batch, when that does not stop the job.
        left: Numbers of shards that stay where they are, for a later start.
        tokens_most: Of a shard, by model, where the provider refused larger ones.
    """

    def __init__(
        self,
        tools: Tools,
        *,
        settler: Settler,
        entrance: Entrance,
        watching: Watching,
        changed: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._store = tools.store
        self._purse = tools.purse
        self._rules = tools.rules
        self._clock = tools.clock
        self._halt = tools.halt
        self._settler = settler
        self._entrance = entrance
        self._watching = watching
        self._changed = changed
        self._unaffordable: set[int] = set()
        self._adoption = Adoption(tools)
        self._shipping = Shipping(tools)
        self._stopping = Stopping(tools, self._shipping)
        self._fetching = Fetching(tools)
        self._fetches = asyncio.Semaphore(_FETCHES_MOST)
        self._settlings = asyncio.Semaphore()  # two would only wait for each other
        self._batches: dict[int, list[Batch]] = {}
        self._ways: Mapping[State, Way] = {
            State.WRITTEN: self._begin,
            State.UPLOADING: self._shipping.find_file,
            State.UPLOADED: self._create,
            State.CREATING: self._find_batch,
            State.OPEN: self._watch,
            State.ENDED: self._fetch,
            State.FETCHED: self._settle,
        }
        self.given_back = 0
        self.preparing: set[int] = set()
        self.full = False
        self.apart = Apart()
        self.refused: str | None = None
        self.left: set[int] = set()
        self.tokens_most: dict[str, int] = {}

    async def take_back(self, number: int) -> None:
        """Stop a shard; what it has answered by then is settled, the rest is pending again."""
        self._entrance.wake()
        self._purse.wake()
        await self._stopping.take_back(number, self._batches.get(number, ()))

    async def run(self, shard: Shard, batches: Sequence[Batch]) -> None:
        """Conduct a shard until it is settled, given up, or the lane is left.

        Args:
            shard: As the ledger has it.
            batches: Its own, the oldest first.
        """
        if batches:
            self._batches[shard.number] = list(batches)
        tries = Tries(self._tools, shard.number)
        try:
            while shard.state not in DONE and not self._halt.asked:
                self._note(shard)
                if shard.state in UNSENT:
                    tries.rested(await self._halt.until_going())
                tries.yields = self._rules.gives_way and shard.state in UNSENT
                moved = await self._advance(shard, tries)
                if moved is None:
                    break
                shard = moved
                if tries.exhausted is not None:
                    shard = await self._yield(shard, tries.exhausted)
            if shard.state not in DONE and self._rules.until is Until.SETTLED:
                self._leave(shard)
        finally:
            self.preparing.discard(shard.number)
            self._changed()

    async def _yield(self, shard: Shard, error: RemoteError) -> Shard:
        """No try has made a batch; where one may have been made, somebody has to decide."""
        if shard.state in UNSENT:
            return await self._refused(shard, error)
        self._halt.stop_for(error.code, str(error))
        return shard

    def _leave(self, shard: Shard) -> None:
        """Nobody waits any more for what a shard holds that is left where it is."""
        self.left.add(shard.number)
        self._purse.leave(shard.number)
        self._entrance.leave(shard)

    def _note(self, shard: Shard) -> None:
        """Whether the shard is on its way to become a batch."""
        if shard.state in _PREPARING:
            self.preparing.add(shard.number)
        elif shard.number in self.preparing:
            self.preparing.discard(shard.number)
            self._changed()

    async def _advance(self, shard: Shard, tries: Tries) -> Shard | None:
        """One step; None when the shard is to be left where it is."""
        if shard.state in UNSENT and not self._rules.sends:
            return await self._drop(shard, "nothing is sent by batch any more")
        if shard.state in UNSENT and self._stopping.is_back(shard):
            return await self._drop(shard, "its items are wanted at once")
        if shard.state in UNSENT and not self._halt.sends(shard.model):
            return None
        return await self._ways[shard.state](shard, tries)

    async def _begin(self, shard: Shard, tries: Tries) -> Shard | None:
        """Take over a batch of the very same, or send the file for one."""
        if not self._shipping.is_here(shard):
            return await self._drop(shard, "its file is not there any more")
        try:
            found = await self._adoption.find(shard)
        except RemoteError as error:
            await tries.failed(error)
            return shard
        if found is not None:
            self._purse.know(shard := await self._shipping.adopt(shard, found))
            return self._with_batches(shard)
        return await self._send(shard, tries)

    async def _send(self, shard: Shard, tries: Tries) -> Shard | None:
        """Send the file, once there is money for the batch."""
        if (admitted := self._purse.admitted(shard)) is not None:
            sent, refusal = await self._shipping.upload(admitted, tries)
            return sent if refusal is None else await self._refused(sent, refusal)
        if not self._purse.is_holding:
            message = "The budget has no room for the next batch."
            if self._rules.serves and self._rules.gives_way:
                self.refused = message
            else:
                self._halt.stop_for(BUDGET_CODE, message)
            return await self._drop(shard, "the budget has no room for it")
        if shard.number not in self._unaffordable:
            self._unaffordable.add(shard.number)
            self._tools.tell(Notice(event="budget_full", facts={"shard": shard.number}))
        if self._rules.until is not Until.SETTLED:
            self.full = True
            return None
        await self._halt.wait(wake=self._purse.room)
        return shard

    async def _create(self, shard: Shard, tries: Tries) -> Shard | None:
        """Make a batch, once there is room for it."""
        admission = self._entrance.admit(shard)
        match admission.room:
            case Room.NOW:
                return await self._create_now(shard, tries)
            case Room.LATER:
                if self._rules.until is not Until.SETTLED:
                    self.full = True
                    return None
                await self._entrance.wait(admission.at_s)
                return shard
            case Room.SPLIT:
                self.tokens_most[shard.model] = admission.most_tokens
                return await self._drop(shard, "it is larger than the provider's queue")
            case Room.NEVER:
                self._set_apart(shard)
                return await self._drop(shard, "its row is larger than the provider's queue")

    async def _create_now(self, shard: Shard, tries: Tries) -> Shard | None:
        self._entrance.enter(shard)
        created, error = await self._shipping.create(shard, tries)
        if error is None:
            return self._with_batches(created)
        if error.trouble is Trouble.QUOTA:
            self._entrance.refuse(created, str(error))
            return created
        self._entrance.leave(created)
        if error.trouble is Trouble.REFUSED:
            return await self._refused(created, error)
        await tries.failed(error)
        return created

    async def _find_batch(self, shard: Shard, tries: Tries) -> Shard | None:
        with self._store.reading() as shelf:
            batches = shelf.batches_of(shard.number)
        failed = {batch.id for batch in batches if batch.status == FAILED}
        found = await self._shipping.find_batch(shard, failed, tries)
        if found is None:
            return None
        if found.state is State.UPLOADED:  # what there is not holds no tokens
            self._entrance.leave(found)
        return self._with_batches(found)

    def _with_batches(self, shard: Shard) -> Shard:
        """Read the batches that a shard has got."""
        if shard.state is State.OPEN:
            with self._store.reading() as shelf:
                self._batches[shard.number] = shelf.batches_of(shard.number)
        return shard

    async def _watch(self, shard: Shard, tries: Tries) -> Shard | None:
        """Look at the batches of a shard until all have ended."""
        batches = self._batches[shard.number]
        await self._stopping.look(shard, batches)
        if self._rules.until is Until.SUBMITTED:
            return None
        for place, batch in enumerate(batches):
            if batch.status in TERMINAL:
                continue
            try:
                found = await self._watching.next(batch.id, created_s=batch.created_at or shard.at)
            except RemoteError as error:
                return await self._unseen(shard, batch, error, tries)
            if found is None:
                return None
            tries.succeeded()
            now = look(batch, found, self._clock.time(), grace_s=self._rules.grace_s)
            if now != replace(batch, seen_at=now.seen_at):
                batches[place] = now
                await self._store.see([now])
            if now.status not in {batch.status, VALIDATING, FAILED}:
                self._entrance.accept(shard)
            await self._stopping.see(shard, now)
        if any(batch.status not in TERMINAL for batch in batches):
            return shard if self._rules.until is Until.SETTLED else None
        return await self._ended(shard, batches)

    async def _ended(self, shard: Shard, batches: Sequence[Batch]) -> Shard | None:
        """What follows from the ends of all batches of a shard."""
        if others := await self._shipping.others(shard, {batch.id for batch in batches}):
            self._batches[shard.number] = [*batches, *others]
            return shard
        if any(batch.status != FAILED for batch in batches):
            self._entrance.leave(shard)
            shard = replace(shard, state=State.ENDED, at=self._clock.time())
            await self._store.keep(shard)
            self._tools.at(Step.END_KEPT)
            return shard
        problem = batches[-1].problem or "the provider does not say why"
        if is_quota(problem):
            self._entrance.refuse(shard, problem)
            shard = replace(shard, state=State.UPLOADED, at=self._clock.time())
            await self._store.keep(shard)
            return shard
        self._entrance.leave(shard)
        failed = f"batch {batches[-1].id} (shard {shard.number}) failed"
        message = f"{failed}: {with_remedy(problem)}"
        return await self._give_up(shard, "batch_failed", message, problem)

    async def _refused(self, shard: Shard, error: RemoteError) -> Shard:
        """The provider makes no batch of a shard."""
        message = f"shard {shard.number}: {error}"
        return await self._give_up(shard, error.code, message, str(error))

    async def _give_up(self, shard: Shard, code: str, message: str, problem: str) -> Shard:
        """The provider does not do a shard, and would not do it another time."""
        if self._rules.gives_way:
            self.refused = message
            self._set_apart(shard)
        else:
            self._close(shard, code, message)
        return await self._drop(shard, problem)

    def _close(self, shard: Shard, code: str, message: str) -> None:
        """Another one of its model would fare no better; all others are settled, then it ends."""
        if shard.model in self._halt.closed:
            return
        self._halt.close_for(code, message, model=shard.model)
        facts = {"code": code, "message": message, "model": shard.model}
        self._tools.tell(Notice(event="batch_closed", serious=True, facts=facts))
        self._entrance.wake()
        self._purse.wake()

    def _set_apart(self, shard: Shard) -> None:
        """What waits in a shard goes into no batch any more."""
        with self._store.reading() as shelf:
            self.apart.add(shelf.waiting(shard.number))

    async def _unseen(
        self, shard: Shard, batch: Batch, error: RemoteError, tries: Tries
    ) -> Shard | None:
        """The provider does not know a batch, or us, any more; or one just made not yet."""
        is_fresh = self._clock.time() - shard.at < self._rules.grace_s
        if error.trouble is Trouble.GONE and is_fresh:
            await tries.failed(error)
            return shard if self._rules.until is Until.SETTLED else None
        if error.trouble is Trouble.GONE:
            message = f"the provider does not know batch {batch.id} any more ({error})"
            if self._rules.gives_way and len(self._batches[shard.number]) == 1:
                self._entrance.leave(shard)
                return await self._give_up(shard, "batch_lost", message, message)
            self._halt.leave_one("batch_lost", message)
        elif error.trouble is Trouble.REFUSED:
            self._halt.leave_one(error.code, f"batch {batch.id}: {error}")
        else:
            self._halt.stop_for(error.code, str(error))
        return None

    async def _fetch(self, shard: Shard, tries: Tries) -> Shard | None:
        async with self._fetches:
            whole = await self._fetching.fetch(shard, self._batches[shard.number], tries)
        if not whole:
            return None
        shard = replace(shard, state=State.FETCHED, at=self._clock.time())
        await self._store.keep(shard)
        self._tools.at(Step.FETCH_KEPT)
        return shard

    async def _settle(self, shard: Shard, _: Tries) -> Shard | None:
        files = self._fetching.files(shard, self._batches[shard.number])
        if not all(path.exists() for paths in files for path in paths):
            return replace(shard, state=State.ENDED)  # somebody removed them: fetch them again
        async with self._settlings:
            if self._halt.asked:
                return None
            settling = Settling(shard, settler=self._settler, store=self._store, at=self._tools.at)
            settlement = await settling.run(files)
        self.given_back += settlement.again > 0
        shard = replace(shard, state=State.SETTLED, at=self._clock.time())
        await self._store.keep(shard)
        self._purse.release(shard.number)
        self._tools.at(Step.SHARD_SETTLED)
        with disk.guarded(self._rules.folder):
            for path in (
                self._shipping.file_of(shard),
                *(path for paths in files for path in paths),
            ):
                path.unlink(missing_ok=True)
        self._tools.at(Step.FILES_REMOVED)
        self._tools.tell(settlement.notice(shard))
        if settlement.fatal is not None:
            self._close(shard, settlement.fatal.code, settlement.fatal.message)
        return shard

    async def _drop(self, shard: Shard, problem: str) -> Shard:
        """Give a shard up: its items are pending again."""
        shard = replace(shard, state=State.DROPPED, problem=problem, at=self._clock.time())
        await self._store.keep(shard)
        self._purse.release(shard.number)
        self.given_back += 1
        with disk.guarded(self._rules.folder):
            self._shipping.file_of(shard).unlink(missing_ok=True)
        facts = {"shard": shard.number, "items": shard.items, "message": problem}
        self._tools.tell(Notice(event="shard_dropped", serious=True, facts=facts))
        return shard
