"""The batch lane's own work on N items, with no provider; prints what each stage took as JSON.

python scripts/_batch_stages.py 100000            shards written; results settled into the ledger
python scripts/_batch_stages.py 100000 --follow   and what follows each commit: chunk files, logs

The results are files as a provider gives them: an answer a line, in any order.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from _bench import write_rows, write_task

from processor import machine, spending
from processor.batch.answer import Settler
from processor.batch.custom_id import custom_id_of
from processor.batch.settling import Settling
from processor.batch.sharding import Sharding, ShardRules, Written
from processor.batch.store import Store
from processor.clock import SystemClock
from processor.data import open_source
from processor.ledger import pending
from processor.ledger.intake import IntakeRules
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.shards import Shard, State
from processor.ledger.vitals import Vitals
from processor.ledger.writer import Writer
from processor.logs import open_logs
from processor.sending.errand import Errand, Traffic
from processor.sending.recording import Recording
from processor.settings import Settings
from processor.tasks.task import Task
from processor.tasks.toml import load_task

_SETTINGS = Settings.of({"base_url": "http://127.0.0.1:1/v1"})


class Watch:
    """Wall and CPU seconds of named stages."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens within as of this stage."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        self._add(f"{name}_s", time.perf_counter() - wall_s)
        self._add(f"{name}_cpu_s", time.process_time() - cpu_s)

    def _add(self, name: str, seconds: float) -> None:
        self.spent[name] = self.spent.get(name, 0.0) + seconds


def import_rows(ledger: Ledger, rows: Path, task: Task) -> None:
    """Take in the rows."""
    rules = IntakeRules(
        id_field=task.id_field,
        required=task.required_fields(),
        named=task.named_fields(),
        chunk_size=_SETTINGS.chunk_size,
        limit=None,
        skip_invalid=False,
        problem_with=task.problem_with,
    )
    ledger.take_in(open_source(str(rows)), rules)


async def write_shards(
    store: Store, folder: Path, items: Iterator[pending.Pending], task: Task, watch: Watch
) -> list[tuple[Shard, Written]]:
    """All items in shards, which the ledger holds."""
    sharding = Sharding(folder, task=task, pending=items, rules=ShardRules())
    shards: list[tuple[Shard, Written]] = []
    with watch.stage("shards"):
        while (written := await asyncio.to_thread(sharding.next)) is not None:
            shard = Shard(
                number=len(shards) + 1,
                state=State.FETCHED,
                at=time.time(),
                account=None,
                endpoint=written.endpoint,
                model=written.model,
                upload=1,
                items=len(written.seqs),
                bytes=written.bytes,
                sha256=written.sha256,
                tokens=written.tokens,
            )
            await store.add(shard, written.seqs)
            shards.append((shard, written))
    return shards


def write_results(path: Path, seqs: Sequence[int]) -> None:
    """What a provider gives for a shard."""
    order = list(seqs)
    random.Random(len(order)).shuffle(order)  # noqa: S311 - no secret
    with path.open("wb") as file:
        file.writelines(_line(seq) for seq in order)


def _line(seq: int) -> bytes:
    body = {
        "id": f"chatcmpl-{seq:024x}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-6-luna",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": f"A short sentence about number {seq}.",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 31,
            "completion_tokens": 12,
            "total_tokens": 43,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }
    response = {"status_code": 200, "request_id": f"req_{seq:024x}", "body": body}
    line = {
        "id": f"batch_req_{seq:024x}",
        "custom_id": custom_id_of(seq),
        "response": response,
        "error": None,
    }
    return orjson.dumps(line) + b"\n"


async def settle(
    store: Store, shards: Sequence[tuple[Shard, Written]], task: Task, watch: Watch
) -> None:
    """Settle every shard; the files of one at a time are on the disk."""
    settler = Settler(task=task)
    for shard, written in shards:
        written.path.unlink()
        results = written.path.with_suffix(".output")
        write_results(results, written.seqs)
        with watch.stage("settle"):
            settling = Settling(shard, settler=settler, store=store, at=lambda _: None)
            found = await settling.run([[results]])
        assert (found.answered, found.missing, found.again) == (shard.items, 0, 0)
        results.unlink()


async def work(folder: Path, items: int, *, follow: bool) -> dict[str, float]:
    """All stages; returns what they took."""
    rows, watch = write_rows(folder / "rows.jsonl", items), Watch()
    task = load_task(str(write_task(folder / "task.toml")))
    (folder / "batches").mkdir()

    async def use(ledger: Ledger, writer: Writer) -> None:
        store = Store(ledger.path, writer)
        found = pending.read(ledger.path)
        shards = await write_shards(store, folder / "batches", found, task, watch)
        await settle(store, shards, task, watch)

    with open_logs(folder / "logs", content=False) as (log, _), open_ledger(folder) as ledger:
        import_rows(ledger, rows, task)
        session = ledger.start_session({})
        if follow:
            errand = Errand(
                folder=folder,
                task=task,
                settings=_SETTINGS,
                prices=spending.prices_of(_SETTINGS),
                clock=SystemClock(),
                account="",
                most=None,
                observers=[log],
                delivered=_nothing,
                cpu_before_s=0.0,
            )
            recording = Recording(
                errand,
                session,
                traffic=Traffic,
                committed=lambda _: None,
                drain=_nothing,
                abort=_nothing,
            )
            async with recording.writing(ledger) as writer:
                await use(ledger, writer)
        else:
            with ledger.writing(
                session=session,
                price=spending.prices_of(_SETTINGS).cost_usd,
                vitals=_vitals,
                on_commit=lambda *_: None,
                on_failure=_raise,
            ) as writer:
                await use(ledger, writer)
        assert ledger.counts().succeeded == items
    return watch.spent


def _nothing() -> None:
    """Nobody waits for this."""


def _raise(error: BaseException) -> None:
    raise error


def _vitals() -> Vitals:
    return Vitals(cpu_s=0.0, rss_mb=0.0, peak_rss_mb=0.0, bytes_sent=0, bytes_received=0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Work as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("items", type=int)
    parser.add_argument("--follow", action="store_true", help="Write chunk files and logs, too.")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        spent = asyncio.run(work(Path(name), options.items, follow=options.follow))
    print(json.dumps({**spent, "items": options.items, "peak_mb": machine.peak_rss_mb()}))


if __name__ == "__main__":
    main()
