"""One way of sending the rows, in a process of its own; prints what it cost as JSON.

python scripts/_loops.py bare URL ROWS        a worker loop on aiohttp and orjson, nothing kept
python scripts/_loops.py bare-uvloop URL ROWS the same on uvloop
python scripts/_loops.py ours URL ROWS        a whole run: ledger, files, logs, tables
python scripts/_loops.py ours-asyncio URL ROWS

The bare loop is what one writes by hand to be quick: it formats, sends, reads the answer and
forgets it. Imports and a first hundred rows, which fill caches and pools, are not counted.
"""

import argparse
import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop
from _bench import write_rows, write_task

from processor.data import open_source
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.run import Run
from processor.settings import Settings
from processor.tasks.toml import load_task

KEY = "sk-benchmark"
_WARM_ROWS = 100


def bare(url: str, rows: Path, concurrency: int) -> Callable[[], Any]:
    """Workers that take the next row whenever they are free."""

    async def work(session: aiohttp.ClientSession, lines: Iterator[bytes]) -> None:
        for line in lines:
            row = orjson.loads(line)
            content = f"Say something about {row['topic']}, please, number {row['number']}."
            body = {
                "model": "gpt-6-luna",
                "messages": [
                    {"role": "system", "content": "You answer in one short sentence."},
                    {"role": "user", "content": content},
                ],
            }
            async with session.post(
                f"{url}/chat/completions",
                data=orjson.dumps(body),
                headers={"Content-Type": "application/json"},
            ) as response:
                answer = orjson.loads(await response.read())
            assert answer["choices"][0]["message"]["content"]

    async def all_of_it() -> None:
        with rows.open("rb") as lines:
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers={"Authorization": f"Bearer {KEY}"},
            ) as session:
                await asyncio.gather(*(work(session, lines) for _ in range(concurrency)))

    return all_of_it


def ours(
    url: str, rows: Path, concurrency: int, folder: Path, *, chunk_size: int, task: str | None
) -> Callable[[], Any]:
    """A run as the command line starts it."""

    async def all_of_it() -> None:
        with open_logs(folder / "logs", content=False) as (log, _):
            run = Run(
                folder=folder / "run",
                task=load_task(task or str(write_task(folder / "task.toml"))),
                source=open_source(str(rows)),
                settings=Settings.of(
                    {
                        "base_url": url,
                        "api_key": KEY,
                        "route": "direct",
                        "concurrency": concurrency,
                        "chunk_size": chunk_size,
                    }
                ),
                observers=[log],
            )
            report = await run.execute()
        assert report.snapshot.succeeded == report.snapshot.total
        assert not report.differences

    return all_of_it


def measured(loop: Callable[[Any], Any], work: Callable[[], Any]) -> dict[str, float]:
    """CPU (all threads) and wall time of the work."""
    gc.collect()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    loop(work())
    return {"cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - wall_s}


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the rows as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=("bare", "bare-uvloop", "ours", "ours-asyncio"))
    parser.add_argument("url")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--chunk-size", type=int, default=100)
    parser.add_argument("--task", help="In place of the sentence about a topic.")
    parser.add_argument("--cold", action="store_true", help="Without a first hundred rows.")
    options = parser.parse_args(arguments)
    url, concurrency = options.url, options.concurrency
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        few = folder / "few.jsonl"
        if options.task:
            with options.rows.open("rb") as rows:
                few.write_bytes(b"".join(islice(rows, _WARM_ROWS)))
        else:
            write_rows(few, _WARM_ROWS)

        def way(rows: Path, name: str) -> Callable[[], Any]:
            if options.way.startswith("bare"):
                return bare(url, rows, concurrency)
            (folder / name).mkdir()
            return ours(
                url,
                rows,
                concurrency,
                folder / name,
                chunk_size=options.chunk_size,
                task=options.task,
            )

        loop = _LOOPS[options.way]
        if not options.cold:
            measured(loop, way(few, "warm"))
        print(json.dumps(measured(loop, way(options.rows, "measured"))))


_LOOPS: dict[str, Callable[[Any], Any]] = {
    "bare": asyncio.run,
    "bare-uvloop": uvloop.run,
    "ours": run_in_loop,
    "ours-asyncio": partial(run_in_loop, fast=False),
}

if __name__ == "__main__":
    main()
