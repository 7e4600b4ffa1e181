"""A batch that no run here made: how it is, and the files of its answers."""

from pathlib import Path

from processor.batch.remote import Remote
from processor.batch.remote_values import FAILED, RemoteBatch, RemoteError, Trouble
from processor.batch.sight import reason
from processor.codes import cause_of
from processor.errors import NotDoneError, StoppedError, UsageError
from processor.jobs.looking import stopped

_EXIT_STOPPED = 3


async def ask(remote: Remote, batch_id: str) -> RemoteBatch:
    """What the provider tells of a batch.

    Raises:
        UsageError: It knows none of that id.
        StoppedError: It cannot be asked, or does not answer this key.
    """
    try:
        return await remote.retrieve(batch_id)
    except RemoteError as error:
        if error.trouble in {Trouble.GONE, Trouble.REFUSED}:
            raise UsageError(
                f"no run here made the batch {batch_id}, and the provider knows none of that id",
                way_out="Look at its dashboard; key and project must be those that it was made "
                "with, and runs are looked for in runs/ of the working directory.",
            ) from error
        raise stopped(error) from error


async def fetch(remote: Remote, batch: RemoteBatch, folder: Path) -> list[Path]:
    """The files of its answers, successes first; either may hold either kind of line.

    Args:
        remote: The provider.
        batch: As it was told last.
        folder: Where they are put.

    Raises:
        NotDoneError: It has not ended.
        StoppedError: It failed, its files are gone, or the provider cannot be asked.
        UsageError: It has ended without any.
    """
    _refuse_unended(batch)
    files: list[Path] = []
    for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
        path = folder / f"{len(files)}.jsonl"
        try:
            await remote.download(file_id, path)
        except RemoteError as error:
            if error.trouble is not Trouble.GONE:
                raise stopped(error) from error
            means = cause_of("results_gone").means
            raise StoppedError(
                means.rstrip("."),
                code="results_gone",
                exit_code=_EXIT_STOPPED,
                way_out="They are kept for thirty days; its requests must be sent again.",
            ) from error
        files.append(path)
    return files


def _refuse_unended(batch: RemoteBatch) -> None:
    if not batch.ended:
        answered = (batch.completed or 0) + (batch.failed or 0)
        counts = f": {answered:,} of {batch.total:,} requests answered" if batch.total else ""
        raise NotDoneError(
            f"batch {batch.id} is {batch.status or 'in no known state'}{counts}",
            pending=batch.total and batch.total - answered,
            way_out="Call it again when it has ended, within 24 hours; nothing was written.",
        )
    if batch.status == FAILED:
        why = reason(batch) or "the provider does not say why"
        raise StoppedError(
            f"batch {batch.id} failed: {why.rstrip('.')}",
            code="batch_failed",
            exit_code=_EXIT_STOPPED,
            way_out="Mend what it names, then submit its file again.",
        )
    if not batch.names_files:
        raise UsageError(
            f"batch {batch.id} is {batch.status}, and names no file of answers",
            way_out="Some providers show them minutes later; otherwise nothing was answered, and "
            "its requests must be sent again.",
        )
