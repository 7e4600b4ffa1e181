"""Looking at open batches until they have ended: one call for many, and never giving up."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from processor.batch import polling
from processor.batch.listing import listed
from processor.batch.remote_values import KNOWN, RemoteBatch, RemoteError, Trouble
from processor.batch.tools import Tools
from processor.notice import Notice

OVERDUE_S = 25 * 3600.0  # a batch has a day; some servers forget theirs when they are restarted


class Watching:
    """Looks at batches for all who wait for one.

    Args:
        tools: Of the lane.
        once: Whether looks follow each other at once: the lane is left after one of each batch.
    """

    def __init__(self, tools: Tools, *, once: bool) -> None:
        self._remote = tools.remote
        self._clock = tools.clock
        self._halt = tools.halt
        self._rng = tools.rng
        self._tell = tools.tell
        self._once = once
        self._wanted: dict[str, asyncio.Future[RemoteBatch | None]] = {}
        self._since_s: dict[str, float] = {}
        self._statuses: dict[str, str] = {}
        self._overdue: set[str] = set()
        self._changed_s = tools.clock.monotonic()
        self._wake = asyncio.Event()
        self._failures = 0
        self._listless = False
        self._left = False

    async def next(self, batch_id: str, *, created_s: float) -> RemoteBatch | None:
        """A batch as the next look shows it; None when the lane is left before.

        Args:
            batch_id: Which.
            created_s: When it was made, in seconds since 1970.

        Raises:
            RemoteError: The provider does not know it, or us, any more.
        """
        if self._left:
            return None
        if batch_id not in self._statuses:
            self._changed_s = self._clock.monotonic()
        self._since_s[batch_id] = created_s
        future = self._wanted.get(batch_id)
        if future is None:
            future = self._wanted[batch_id] = asyncio.get_running_loop().create_future()
            self._wake.set()
        return await asyncio.shield(future)

    async def run(self) -> None:
        """Look, again and again; ended by cancelling it, or when the lane is left."""
        retry_after_s: float | None = None
        while not self._halt.asked:
            if not self._wanted:
                self._wake.clear()
                await self._halt.wait(wake=self._wake)
                continue
            if not self._once:
                quiet_s = self._clock.monotonic() - self._changed_s
                await self._halt.wait(
                    polling.wait_s(
                        quiet_s, self._rng, failures=self._failures, retry_after_s=retry_after_s
                    )
                )
            if not self._halt.asked:
                retry_after_s = await self._look()
        self._leave()

    async def _look(self) -> float | None:
        """One look at all that is wanted; returns what wait the provider asks for."""
        wanted = list(self._wanted)
        try:
            await self._look_at(wanted)
        except RemoteError as error:
            self._miss(error)
            return error.retry_after_s
        self._failures = 0
        return None

    async def _look_at(self, wanted: Sequence[str]) -> None:
        """Look at each; one whose answer is an error, again and again, is not in others' way."""
        found = await self._listed(wanted)
        failure: RemoteError | None = None
        for batch_id in wanted:
            try:
                await self._one(batch_id, found.get(batch_id))
            except RemoteError as error:
                if error.status is None:  # nobody answers
                    raise
                failure = error
        if failure is not None:
            raise failure

    def _miss(self, error: RemoteError) -> None:
        """A look failed; the next may not, unless nobody stays for it or it is forbidden."""
        self._failures += 1
        if self._failures == 1:
            facts = {"message": str(error), "code": error.code}
            self._tell(Notice(event="look_failed", serious=True, facts=facts))
        if error.trouble is Trouble.FATAL:
            for future in self._wanted.values():
                future.set_exception(error)
            self._wanted.clear()
        elif self._once:
            self._leave()

    async def _listed(self, wanted: Iterable[str]) -> Mapping[str, RemoteBatch]:
        """Of those that are wanted, what one list shows; nothing when there are few."""
        if self._listless:
            return {}
        made_s = {batch_id: self._since_s[batch_id] for batch_id in wanted}
        found = await listed(self._remote, made_s)
        self._listless = found is None
        return found or {}

    async def _one(self, batch_id: str, batch: RemoteBatch | None) -> None:
        try:
            if batch is None or (batch.ended and not batch.names_files):  # lists may tell less
                batch = await self._remote.retrieve(batch_id)
        except RemoteError as error:
            if error.trouble is Trouble.AGAIN:
                raise
            self._wanted.pop(batch_id).set_exception(error)
            return
        batch = replace(batch, id=batch_id)  # some servers have a second name for it
        self._note(batch)
        if not batch.ended:
            self._note_age(batch)
        self._wanted.pop(batch_id).set_result(batch)

    def _note(self, batch: RemoteBatch) -> None:
        before = self._statuses.get(batch.id)
        if before == batch.status:
            return
        self._statuses[batch.id] = batch.status
        self._changed_s = self._clock.monotonic()
        unknown = batch.status not in KNOWN
        facts = {
            "batch": batch.id,
            "status": batch.status,
            "completed": batch.completed,
            "failed": batch.failed,
            "total": batch.total,
        }
        self._tell(Notice(event="batch_status", serious=unknown, facts=facts))

    def _note_age(self, batch: RemoteBatch) -> None:
        """Tell once of a batch that should have ended long ago: it may never do."""
        age_s = self._clock.time() - self._since_s[batch.id]
        if age_s > OVERDUE_S and batch.id not in self._overdue:
            self._overdue.add(batch.id)
            facts = {"batch": batch.id, "status": batch.status, "age_s": round(age_s)}
            self._tell(Notice(event="batch_overdue", serious=True, facts=facts))

    def _leave(self) -> None:
        self._left = True
        for future in self._wanted.values():
            future.set_result(None)
        self._wanted.clear()
