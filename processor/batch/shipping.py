"""A shard's way to the provider: its file, then exactly one batch of it.

Each call that changes something at the provider follows an intent that is durable. When such a
call leaves a doubt, or a start finds an intent alone, the provider is asked what it has before
anything is done again: files by name and size, batches by their input file.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from processor.batch.adoption import DETACHED
from processor.batch.remote_values import (
    CANCELLED,
    CANCELLING,
    EXPIRED,
    FAILED,
    TERMINAL,
    RemoteBatch,
    RemoteError,
    RemoteFile,
    Trouble,
)
from processor.batch.shared_list import SharedList
from processor.batch.sight import seen
from processor.batch.steps import Step
from processor.batch.tools import Tools
from processor.batch.tries import Tries
from processor.batch.trouble import is_about_file
from processor.batch.until import Until
from processor.ledger.shards import Batch, Shard, State
from processor.notice import Notice

_SKEW_S = 3600.0  # what clocks may differ
_LOOK_EVERY_S = 10.0
_FRESH_TRIES = 5  # a file that has just been sent may be unknown for a moment
_UNKNOWN_STATUS = 404  # of a route or of a file; the others are of a route
_UPLOADS_MOST = 3  # of a file that no batch can be made of
_IDENTITY = ("processor_run", "shard", "sha256")
_IN_VAIN = frozenset({FAILED, EXPIRED, CANCELLED, CANCELLING})


class Shipping:
    """Moves shards from `WRITTEN` to `OPEN`, a step at a time.

    Args:
        tools: Of the lane.
    """

    def __init__(self, tools: Tools) -> None:
        self._remote = tools.remote
        self._store = tools.store
        self._rules = tools.rules
        self._clock = tools.clock
        self._halt = tools.halt
        self._tell = tools.tell
        self._at = tools.at
        self._all = SharedList(tools.remote, tools.clock)
        self._uncancelled: set[str] = set()
        self._missed_s: dict[int, float] = {}  # by shard: when its batch was first looked for

    def name_of(self, shard: Shard) -> str:
        """What a shard's file is called at the provider."""
        run, digest = self._rules.run_id, shard.sha256[:12]
        return f"{run}-{shard.number}-{shard.upload}-{digest}.jsonl"

    def file_of(self, shard: Shard) -> Path:
        """Where a shard's file is, here."""
        return self._rules.folder / file_name(shard.number)

    def is_here(self, shard: Shard) -> bool:
        """Whether its file is as it was written; after a power cut it may not be."""
        try:
            return self.file_of(shard).stat().st_size == shard.bytes
        except FileNotFoundError:
            return False

    async def upload(self, shard: Shard, tries: Tries) -> tuple[Shard, RemoteError | None]:
        """Send the file of a shard that is written.

        Returns:
            The shard; and why the provider does not take its file, if it does not.
        """
        shard = replace(
            shard, state=State.UPLOADING, account=self._rules.account, at=self._clock.time()
        )
        await self._store.keep(shard)
        self._at(Step.UPLOAD_INTENDED)
        path = self.file_of(shard)
        try:
            file = await self._remote.upload(path, self.name_of(shard))
        except RemoteError as error:
            if error.trouble is Trouble.REFUSED and not error.in_doubt:
                return shard, error
            await tries.failed(error)
            return shard, None
        self._at(Step.FILE_SENT)
        return await self._uploaded(shard, file, tries), None

    async def find_file(self, shard: Shard, tries: Tries) -> Shard:
        """Look whether the file of an intent has arrived; it is to be sent again otherwise."""
        try:
            files = await self._files(shard)
        except RemoteError as error:
            if error.trouble is Trouble.GONE:  # another name tells one sending from the next
                return replace(shard, state=State.WRITTEN, upload=shard.upload + 1)
            await tries.failed(error)
            return shard
        if files:
            return await self._uploaded(shard, files[0], tries)
        return replace(shard, state=State.WRITTEN)

    async def create(self, shard: Shard, tries: Tries) -> tuple[Shard, RemoteError | None]:
        """Make a batch of a shard whose file has arrived.

        Returns:
            The shard; and why there is certainly no batch, if there is none.
        """
        assert shard.file_id is not None
        intent = replace(shard, state=State.CREATING, at=self._clock.time())
        await self._store.keep(intent)
        self._at(Step.CREATE_INTENDED)
        try:
            batch = await self._remote.create(
                shard.file_id, shard.endpoint, self.metadata_of(shard)
            )
        except RemoteError as error:
            if error.in_doubt:
                await tries.failed(error)
                return intent, None
            return await self._not_created(shard, error, tries)
        self._at(Step.BATCH_CREATED)
        return await self._opened(intent, [batch], tries), None

    async def find_batch(self, shard: Shard, failed: Collection[str], tries: Tries) -> Shard | None:
        """Look for batches of an intent; without any, after a grace, there is none.

        The grace begins with the first look, not with the intent: between the two a machine may
        have slept, and clocks may have been set.

        Two of one shard are a doubt that came true: see `keep_one`.

        Args:
            shard: With the intent.
            failed: Ids of batches of earlier intents.
            tries: Of the shard.

        Returns:
            The shard as it is then; None when nobody can know, and it is to be left where it is.
        """
        try:
            found = [batch for batch in await self._batches(shard) if batch.id not in failed]
        except RemoteError as error:
            if error.trouble is Trouble.GONE:
                self._halt.leave_one(
                    "in_doubt",
                    f"shard {shard.number} may have become a batch, and the provider cannot tell: "
                    f"{error}",
                )
                return None
            await tries.failed(error)
            return shard
        if found:
            self._tell_adopted(shard, found)
            return await self._opened(shard, found, tries)
        now_s = self._clock.monotonic()
        left_s = self._missed_s.setdefault(shard.number, now_s) + self._rules.grace_s - now_s
        if left_s > 0:
            await self._halt.wait(min(_LOOK_EVERY_S, left_s, max(0.2, self._rules.grace_s / 8)))
            return shard
        del self._missed_s[shard.number]
        shard = replace(shard, state=State.UPLOADED, at=self._clock.time())
        await self._store.keep(shard)
        return shard

    async def others(self, shard: Shard, known: Collection[str]) -> list[Batch]:
        """Batches of a shard that nobody has told of, where the provider lists any.

        A gateway may send a request twice, and a list may lag for longer than any grace. They are
        cancelled, and what they did is taken.
        """
        if shard.file_id is None:  # taken over from where no batch says what it was made of
            return []
        try:
            batches = await self._all.batches(shard.at - _SKEW_S)
        except RemoteError:  # it is a precaution
            return []
        found = [
            batch
            for batch in batches
            if batch.id not in known and batch.input_file_id == shard.file_id
        ]
        for batch in found:
            facts = {"shard": shard.number, "batch": batch.id}
            self._tell(Notice(event="batch_found", serious=True, facts=facts))
        extra = [seen(batch, shard.number, self._clock.time()) for batch in found]
        await self._store.see(extra)
        return extra

    async def keep_one(self, batches: Sequence[Batch]) -> None:
        """Cancel all batches of a shard but the oldest of use; what the others did is taken, too.

        Asked for at every look, as a kill or an error may have come between before.
        """
        useful = [batch for batch in batches if batch.status not in _IN_VAIN]
        for batch in useful[1:]:
            if batch.status not in TERMINAL:
                await self.cancel(batch)

    async def adopt(self, shard: Shard, batch: RemoteBatch) -> Shard:
        """Take over a batch of the very same requests."""
        self._tell_adopted(shard, [batch])
        now_s = self._clock.time()
        shard = replace(
            shard,
            state=State.OPEN,
            at=now_s,
            account=self._rules.account,
            file_id=batch.input_file_id,
        )
        await self._store.keep(shard, [seen(batch, shard.number, now_s)])
        return shard

    def metadata_of(self, shard: Shard) -> Mapping[str, str]:
        """What a batch says of itself at the provider."""
        metadata = {
            "processor_run": self._rules.run_id,
            "shard": str(shard.number),
            "upload": str(shard.upload),
            "sha256": shard.sha256,
        }
        if self._rules.until is not Until.SETTLED:
            metadata[DETACHED] = "true"
        if self._rules.description:
            metadata["description"] = self._rules.description
        return metadata

    async def _uploaded(self, shard: Shard, file: RemoteFile, tries: Tries) -> Shard:
        tries.succeeded()
        shard = replace(shard, state=State.UPLOADED, file_id=file.id, at=self._clock.time())
        await self._store.keep(shard)
        self._at(Step.FILE_KEPT)
        facts = {"shard": shard.number, "file": file.id, "bytes": shard.bytes, "items": shard.items}
        self._tell(Notice(event="shard_uploaded", facts=facts))
        return shard

    async def _not_created(
        self, shard: Shard, error: RemoteError, tries: Tries
    ) -> tuple[Shard, RemoteError]:
        """The provider said no: the intent is taken back."""
        back = replace(shard, state=State.UPLOADED, at=self._clock.time())
        if error.trouble is Trouble.GONE:
            back, error = _after_gone(back, error, tries.failures)
        await self._store.keep(back)
        return back, error

    async def _opened(self, shard: Shard, found: Sequence[RemoteBatch], tries: Tries) -> Shard:
        tries.succeeded()
        self._missed_s.pop(shard.number, None)
        now_s = self._clock.time()
        shard = replace(shard, state=State.OPEN, at=now_s)
        await self._store.keep(shard, [seen(batch, shard.number, now_s) for batch in found])
        self._at(Step.BATCH_KEPT)
        for batch in found:
            facts = {"shard": shard.number, "batch": batch.id, "items": shard.items}
            self._tell(Notice(event="batch_created", facts=facts))
        return shard

    async def cancel(self, batch: Batch | RemoteBatch) -> bool:
        """Stop a batch; one that cannot be stopped is watched to its end all the same.

        Returns:
            Whether the provider agreed.
        """
        try:
            await self._remote.cancel(batch.id)
        except RemoteError as error:
            if batch.id not in self._uncancelled:  # told once, however often it is tried
                self._uncancelled.add(batch.id)
                facts = {"batch": batch.id, "message": str(error)}
                self._tell(Notice(event="cancel_failed", serious=True, facts=facts))
            return False
        return True

    async def _files(self, shard: Shard) -> list[RemoteFile]:
        """The files that an intent may have made, the oldest first."""
        since_s = shard.at - _SKEW_S
        files = await self._remote.files_named(self.name_of(shard), shard.bytes, since_s)
        return sorted(files, key=lambda file: (file.created_at or 0.0, file.id))

    async def _batches(self, shard: Shard) -> list[RemoteBatch]:
        """The batches that an intent may have made, the oldest first."""
        ids = {shard.file_id}
        try:
            ids |= {file.id for file in await self._files(shard)}
        except RemoteError as error:
            if error.trouble is not Trouble.GONE:
                raise
        batches = await self._remote.batches(shard.at - _SKEW_S, None)
        found = [batch for batch in batches if await self._is_of(shard, batch, ids)]
        return sorted(found, key=lambda batch: (batch.created_at or 0.0, batch.id))

    async def _is_of(self, shard: Shard, batch: RemoteBatch, ids: Collection[str | None]) -> bool:
        """Whether a batch was made of a shard; lists may tell less of it than it does.

        Raises:
            RemoteError: GONE when nobody can know.
        """
        if batch.input_file_id is None and not batch.metadata:
            if (batch.created_at or shard.at) < shard.at - _SKEW_S:
                return False
            batch = await self._remote.retrieve(batch.id)
        if batch.input_file_id is not None:
            return batch.input_file_id in ids
        if not batch.metadata:
            raise RemoteError(
                f"The provider does not say what batch {batch.id} was made of",
                trouble=Trouble.GONE,
                code="not_found",
            )
        mine = self.metadata_of(shard)
        return all(batch.metadata.get(name) == mine[name] for name in _IDENTITY)

    def _tell_adopted(self, shard: Shard, found: Sequence[RemoteBatch]) -> None:
        for batch in found:
            facts = {"shard": shard.number, "batch": batch.id}
            self._tell(Notice(event="batch_found", serious=len(found) > 1, facts=facts))


def _after_gone(shard: Shard, error: RemoteError, failures: int) -> tuple[Shard, RemoteError]:
    """What follows when the provider does not know the file, or makes no batches at all."""
    is_enough = failures >= _FRESH_TRIES
    if not is_about_file(error) and (is_enough or error.status != _UNKNOWN_STATUS):
        message = f"the provider makes no batches ({error}); --route direct goes without"
        return shard, RemoteError(message, trouble=Trouble.REFUSED, code=error.code)
    if not is_enough:
        return shard, error
    if shard.upload < _UPLOADS_MOST:
        again = replace(shard, state=State.WRITTEN, upload=shard.upload + 1, file_id=None)
        return again, error
    message = f"its file was sent {shard.upload} times, no batch is made of it: {error}"
    return shard, RemoteError(message, trouble=Trouble.REFUSED, code=error.code)


SHARD_FILES = "shard_*.jsonl"  # and those of their results


def file_name(number: int) -> str:
    """What a shard's file is called here."""
    return f"shard_{number:04}.jsonl"


def number_in(name: str) -> int | None:
    """The shard that a file is one of; None for files of others."""
    number = name.removeprefix("shard_").partition(".")[0].partition("_")[0]
    return int(number) if number.isdecimal() else None
