"""The work on one batch, from its creation to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from processor.sandbox.batches import findings
from processor.sandbox.batches.batch import Batch, Status
from processor.sandbox.batches.enqueue import is_too_much
from processor.sandbox.batches.fates import (
    concerns,
    fault_found,
    hold_s,
    is_cancelled,
    is_expired,
    lines_before_trouble,
)
from processor.sandbox.batches.lines import Outcome, custom_id_of, outcome_of, undone_line
from processor.sandbox.batches.outputs import Outputs
from processor.sandbox.batches.scan import rules_of, scan
from processor.sandbox.batches.source import Source
from processor.sandbox.batches.spoilers import spoil
from processor.sandbox.limits import ORGANIZATION
from processor.sandbox.state import Sandbox
from processor.sandbox.storage.charges import Charge
from processor.sandbox.storage.files import StoredFile

T = TypeVar("T")
# Takes a batch's id and a time in seconds since 1970; returns once the clock is there.
Wait = Callable[[str, float], Awaitable[None]]

# Worked on together: written, counted and charged in one go.
_BLOCK_LINES = 200


class Worker:
    """Works on a batch as its pace says, and keeps each step.

    It goes on where the record ends, so that one that was interrupted can be replaced by another.
    Steps are dated when they were due, however far the clock was moved in one go; what takes the
    machine time is dated later by that much.

    Args:
        batch: As it was kept last.
        sandbox: Its state.
        wait: Waits for the sandbox's clock.
    """

    def __init__(self, batch: Batch, sandbox: Sandbox, wait: Wait) -> None:
        self._batch = batch
        self._sandbox = sandbox
        self._wait = wait
        self._now_s = max(batch.reached.values(), default=batch.created_s)

    async def run(self) -> None:
        """Work until the batch has ended."""
        steps: Mapping[Status, Callable[[], Awaitable[None]]] = {
            Status.VALIDATING: self._validate,
            Status.IN_PROGRESS: self._answer,
            Status.FINALIZING: self._finalize,
            Status.CANCELLING: self._cancel,
        }
        while not self._batch.ended:
            await steps[self._batch.status]()

    async def _validate(self) -> None:
        batch, storage = self._batch, self._sandbox.storage
        path = storage.input(batch.id)
        if path.exists():
            rules = rules_of(batch.endpoint, self._sandbox.config, azure=batch.azure)
            seen = await self._timed(asyncio.to_thread(scan, path, rules))
            batch = replace(
                batch,
                total=seen.lines,
                model=seen.model,
                tokens=seen.tokens,
                errors=seen.findings,
            )
        await self._until(batch.created_s + batch.pace.validating_s)
        await self._hold()
        batch = replace(batch, errors=self._found(batch))
        codes = sorted({error["code"] for error in batch.errors})
        self._keep(batch, Status.FAILED if batch.errors else Status.IN_PROGRESS, codes=codes)

    def _found(self, batch: Batch) -> tuple[dict[str, Any], ...]:
        """All that stands against it once its input was read."""
        config, storage = self._sandbox.config, self._sandbox.storage
        file = storage.files.get(batch.input_file_id, self._now_s)
        most = config.enqueued_tokens
        if fault_found(batch):
            return fault_found(batch)
        if file is None:
            return (findings.no_file(batch.input_file_id, ORGANIZATION),)
        if file.purpose != "batch":
            return (findings.wrong_purpose(batch.input_file_id),)
        if batch.errors or most is None or config.enqueued_form != "failed":
            return batch.errors
        others = (other for other in storage.batches.live() if other.status != Status.VALIDATING)
        if is_too_much(batch, others, most):
            return (findings.too_many_tokens(str(batch.model), ORGANIZATION, most),)
        return ()

    async def _answer(self) -> None:
        await self._answer_lines(lines_before_trouble(self._batch))
        await self._hold()
        if is_cancelled(self._batch):
            self._keep(self._batch, Status.CANCELLING)
            return
        if not is_expired(self._batch):
            await self._answer_lines(self._batch.total)
            if self._batch.done == self._batch.total:
                self._keep(self._batch, Status.FINALIZING)
                return
            await self._until(self._batch.expires_s)
        await self._end(Status.EXPIRED)

    async def _answer_lines(self, most: int) -> None:
        """Work on lines until so many are done, or the time is over."""
        with (
            self._source() as source,
            Outputs(self._batch, self._sandbox.storage) as outputs,
        ):
            while self._batch.done < most and self._is_in_time():
                await self._until(self._batch.due_s(self._batch.done + 1))
                await self._answer_block(source, outputs, most - self._batch.done)

    def _is_in_time(self) -> bool:
        return self._batch.due_s(self._batch.done + 1) <= self._batch.expires_s

    async def _answer_block(self, source: Source, outputs: Outputs, most: int) -> None:
        batch = self._batch
        by_s = min(self._sandbox.clock.time(), batch.expires_s)
        count = max(1, min(_BLOCK_LINES, most, batch.lines_due(by_s) - batch.done))
        lines = source.lines(batch.done, count)
        outcomes = await self._timed(
            asyncio.gather(*(outcome_of(line, batch.endpoint, self._sandbox) for line in lines))
        )
        self._settle(outcomes, outputs)
        self._now_s = max(self._now_s, batch.due_s(batch.done + count))
        # Others have their turn, too.
        await asyncio.sleep(0)

    def _settle(self, outcomes: Sequence[Outcome], outputs: Outputs) -> None:
        """Write, count and charge lines: all at once, so that none is charged twice."""
        batch, storage, stats = self._batch, self._sandbox.storage, self._sandbox.stats
        output_bytes, error_bytes = outputs.write(outcomes)
        good = sum(outcome.good for outcome in outcomes)
        self._batch = replace(
            batch,
            completed=batch.completed + good,
            failed=batch.failed + len(outcomes) - good,
            output_bytes=output_bytes,
            error_bytes=error_bytes,
            usage=sum((outcome.usage for outcome in outcomes), batch.usage),
        )
        with storage.transaction():
            storage.batches.put(self._batch)
            storage.charges.add(_charge(batch.id, outcome) for outcome in outcomes)
        for outcome in outcomes:
            if outcome.item is not None:
                stats.work(
                    outcome.item,
                    charged=outcome.charged,
                    prompt_tokens=outcome.usage.input,
                    completion_tokens=outcome.usage.output,
                )

    async def _finalize(self) -> None:
        await self._until(self._batch.reached[Status.FINALIZING] + self._batch.pace.finalizing_s)
        await self._hold()
        await self._end(Status.COMPLETED)

    async def _cancel(self) -> None:
        await self._until(self._batch.reached[Status.CANCELLING] + self._batch.pace.cancelling_s)
        await self._hold()
        await self._end(Status.CANCELLED)

    async def _end(self, status: Status) -> None:
        """Publish what there is of answers, and an error for each line that has none."""
        batch, storage = self._batch, self._sandbox.storage
        with Outputs(batch, storage) as outputs:
            if batch.done < batch.total:
                await self._write_undone(outputs, expired=status == Status.EXPIRED)
        names = {"output": batch.output_id, "error": batch.error_id}
        spoil(batch, *map(storage.files.path, names.values()))
        files = {
            kind: file
            for kind, name in names.items()
            if (file := self._published(kind, name, status)) is not None
        }
        told = {kind: file.id for kind, file in files.items()}
        kept = [file for kind, file in files.items() if not concerns(batch, "file_gone", kind)]
        self._keep(replace(batch, outcome_ids=told), status, files=kept)

    async def _write_undone(self, outputs: Outputs, *, expired: bool) -> None:
        batch = self._batch
        with self._source() as source:
            for place in range(batch.done, batch.total, _BLOCK_LINES):
                for line in source.lines(place, min(_BLOCK_LINES, batch.total - place)):
                    name = custom_id_of(line)
                    outputs.write_error(undone_line(name, self._sandbox, expired=expired))
                await asyncio.sleep(0)

    def _published(self, kind: str, name: str, status: Status) -> StoredFile | None:
        """The file that a batch wrote; None when nothing stands in it, mostly."""
        path = self._sandbox.storage.files.path(name)
        size = path.stat().st_size
        is_wanted = size > 0 or concerns(self._batch, "empty_file", kind)
        # Azure's jobs that succeeded have an error file in which nothing stands.
        if self._batch.azure and kind == "error" and status == Status.COMPLETED:
            is_wanted = True
        if not is_wanted or concerns(self._batch, "no_file", kind):
            path.unlink()
            return None
        return StoredFile(
            id=name,
            purpose="batch_output",
            name=f"{self._batch.id}_{kind}.jsonl",
            bytes=size,
            created_s=self._now_s,
            expires_s=self._now_s + self._batch.output_life_s,
        )

    def _source(self) -> Source:
        return Source(self._sandbox.storage.input(self._batch.id), self._sandbox.config.seed)

    def _keep(
        self, batch: Batch, status: Status, files: Sequence[StoredFile] = (), **detail: Any
    ) -> None:
        """Keep the batch in its new status, with the files that it wrote."""
        storage = self._sandbox.storage
        self._batch = replace(batch, status=status, reached={**batch.reached, status: self._now_s})
        with storage.transaction():
            for file in files:
                storage.files.add(file)
            storage.batches.put(self._batch)
            storage.events.add(self._now_s, f"batch {status}", batch.id, **detail)
        if self._batch.ended:
            storage.input(batch.id).unlink(missing_ok=True)

    async def _hold(self) -> None:
        """Stay as long as a fault says."""
        await self._until(self._now_s + hold_s(self._batch))

    async def _until(self, until_s: float) -> None:
        if until_s > self._now_s:
            await self._wait(self._batch.id, until_s)
            self._now_s = until_s

    async def _timed(self, work: Awaitable[T]) -> T:
        """Do what takes the machine time, which counts where the clock is the machine's."""
        clock = self._sandbox.clock
        began_s = clock.time()
        done = await work
        if clock.runs:
            self._now_s += clock.time() - began_s
        return done


def _charge(batch: str, outcome: Outcome) -> Charge:
    return Charge(
        batch=batch,
        custom_id=outcome.custom_id,
        item=outcome.item,
        charged=outcome.charged,
        prompt_tokens=outcome.usage.input,
        completion_tokens=outcome.usage.output,
    )
