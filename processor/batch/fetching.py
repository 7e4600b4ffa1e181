"""The results of ended batches, fetched to files beside the ledger."""

from collections.abc import Sequence
from pathlib import Path

from processor.batch.remote_values import RemoteError, Trouble
from processor.batch.steps import Step
from processor.batch.tools import Tools
from processor.batch.tries import Tries
from processor.ledger.shards import Batch, Shard

_GONE_TRIES = 4  # a fresh file may be unknown for a moment


class Fetching:
    """Fetches output and error files.

    Args:
        tools: Of the lane.
    """

    def __init__(self, tools: Tools) -> None:
        self._remote = tools.remote
        self._rules = tools.rules
        self._halt = tools.halt
        self._at = tools.at

    async def fetch(self, shard: Shard, batches: Sequence[Batch], tries: Tries) -> bool:
        """Fetch what the batches of a shard brought; False when the lane is to be left."""
        for place, batch in enumerate(batches):
            for file_id, path in self._wanted(shard, place, batch):
                if file_id is not None and not await self._fetch(file_id, path, batch, tries):
                    return False
        self._at(Step.RESULTS_FETCHED)
        return True

    def files(self, shard: Shard, batches: Sequence[Batch]) -> list[list[Path]]:
        """Where they are, for each batch."""
        return [
            [path for file_id, path in self._wanted(shard, place, batch) if file_id is not None]
            for place, batch in enumerate(batches)
        ]

    def _wanted(self, shard: Shard, place: int, batch: Batch) -> list[tuple[str | None, Path]]:
        stem = f"shard_{shard.number:04}" + (f"_{place + 1}" if place else "")
        folder = self._rules.folder
        return [
            (batch.output_file_id, folder / f"{stem}_output.jsonl"),
            (batch.error_file_id, folder / f"{stem}_errors.jsonl"),
        ]

    async def _fetch(self, file_id: str, path: Path, batch: Batch, tries: Tries) -> bool:
        while not self._halt.asked:
            try:
                await self._remote.download(file_id, path)
            except RemoteError as error:
                if error.trouble is Trouble.GONE and tries.failures >= _GONE_TRIES:
                    self._halt.leave_one(
                        "results_gone",
                        f"the results of batch {batch.id} (file {file_id}) are not there any more; "
                        "OpenAI deletes them after 30 days",
                    )
                    return False
                if not await tries.failed(error, alone=True):
                    return False
            else:
                tries.succeeded()
                return True
        return False
