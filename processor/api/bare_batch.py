"""A batch that no run here made, asked for at the provider."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from processor.api.batch_values import BatchResults, BatchStatus
from processor.api.raw_lines import RawLines, output_for
from processor.api.threads import run_anywhere
from processor.batch.remote_values import RemoteBatch
from processor.batch.sight import reason
from processor.configuration import gathered, in_force
from processor.console.words import counted
from processor.errors import UsageError
from processor.exports.output import Terms
from processor.folders import RUNS
from processor.jobs import foreign
from processor.sending.provider import remote_of
from processor.settings import Settings


def status(batch_id: str, contact: Mapping[str, Any]) -> BatchStatus:
    """How it is; arguments and errors as those of `check_batch_status`."""
    settings = _settings(batch_id, contact)

    async def ask() -> RemoteBatch:
        async with remote_of(settings) as remote:
            return await foreign.ask(remote, batch_id)

    return _status(run_anywhere(ask))


def download(batch_id: str, path: str, contact: Mapping[str, Any]) -> BatchResults:
    """Fetch its answers; arguments and errors as those of `download_batch_results`."""
    settings = _settings(batch_id, contact)
    output = output_for(path, Terms(excel=settings.excel, bom=settings.bom))
    output.reach()
    with TemporaryDirectory(prefix=".batch-", dir=Path(path).absolute().parent) as folder:

        async def fetch() -> tuple[RemoteBatch, list[Path]]:
            async with remote_of(settings) as remote:
                batch = await foreign.ask(remote, batch_id)
                return batch, await foreign.fetch(remote, batch, Path(folder))

        batch, files = run_anywhere(fetch)
        lines = RawLines(files, batch.endpoint)
        told, written = lines.told(), lines.write(output)
    of_all = told.succeeded + told.failed
    notes = [*written.notes]
    if told.unreadable:
        notes.append(f"{counted(told.unreadable, 'line')} cannot be read")
    return BatchResults(
        path=path,
        rows=written.inserted,
        succeeded=told.succeeded,
        failed=told.failed,
        unanswered=None if batch.total is None else max(0, batch.total - of_all),
        status=_status(batch),
        notes=notes,
    )


def _status(batch: RemoteBatch) -> BatchStatus:
    return BatchStatus.of(batch, reason(batch))


def _settings(batch_id: str, contact: Mapping[str, Any]) -> Settings:
    known = {name: value for name, value in contact.items() if name != "profile"}
    found = gathered(known, profile=contact.get("profile"))
    try:
        return in_force(found, sandbox_url=None)
    except UsageError as error:
        raise UsageError(
            f"no run in {RUNS.absolute()} made the batch {batch_id}, and the provider cannot be "
            f"asked: {error.message}",
            way_out="Give api_key=… (or OPENAI_API_KEY) and, if it is not OpenAI's, base_url=…; or "
            "call it in the folder whose runs/ holds the run.",
        ) from error
