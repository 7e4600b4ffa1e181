"""A batch by its id: how it is, and its results.

    from processor import check_batch_status, download_batch_results

    print(check_batch_status("batch_abc123"))
    download_batch_results("batch_abc123", "answers.xlsx")

Both are plain functions, which work in a notebook as well. A batch that a run in `runs/` made is
known by its ledger, and everything goes through it; any other is asked for at the provider.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from processor import folders
from processor.api import bare_batch, own_batch
from processor.api.batch_values import BatchResults, BatchStatus
from processor.api.knobs import Contact
from processor.errors import UsageError
from processor.jobs.owner import owner
from processor.setting_names import nearest


def check_batch_status(
    batch_id: str, *, run: str | Path | None = None, **contact: Unpack[Contact]
) -> BatchStatus:
    """How a batch is now; changes nothing.

    Args:
        batch_id: Such as `batch_abc123`.
        run: Folder of the run that made it; by default it is looked for in `runs/`.
        contact: Key, address and the like; by default the environment's, or the run's.

    Raises:
        UsageError: Nobody knows such a batch, or there is no key.
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    batch_id = _stripped(batch_id)
    folder = _folder_of(batch_id, run)
    if folder is None:
        return bare_batch.status(batch_id, _checked(contact))
    return own_batch.status(folder, batch_id, _checked(contact))


def download_batch_results(
    batch_id: str,
    path: str | Path,
    *,
    partial: bool = False,
    run: str | Path | None = None,
    **contact: Unpack[Contact],
) -> BatchResults:
    """Fetch the results of a batch into a file.

    If a run here made it, it stands for that whole run, as in `processor batch download`: what has
    ended is settled in the ledger, once; what was left unanswered is sent again, which costs; and
    the file gets all rows with their results, in the form that its ending names (`.csv`, `.tsv`,
    `.jsonl`, `.xlsx`, `.parquet`). Of any other batch `.jsonl` gets the lines of its result file
    and its error file as they came, every other ending a table of them; of one that expired or was
    cancelled these are the ones that it got to.

    Args:
        batch_id: Such as `batch_abc123`.
        path: Is replaced, whole or not at all.
        partial: Write what there is so far, instead of raising for what is not.
        run: Folder of the run that made it; by default it is looked for in `runs/`.
        contact: Key, address and the like; by default the environment's, or the run's.

    Raises:
        NotDoneError: Rows have no outcome yet; nothing was written.
        StoppedError: The batch failed, its results are gone, or the provider cannot be asked.
        UsageError: Nobody knows such a batch, there is no key, or the file cannot be.
        ProcessorError: Another process works on the run, or a disk fails.
    """
    batch_id = _stripped(batch_id)
    folder = _folder_of(batch_id, run)
    if folder is None:
        return bare_batch.download(batch_id, str(path), _checked(contact))
    return own_batch.download(folder, batch_id, str(path), _checked(contact), partial=partial)


def _stripped(batch_id: object) -> str:
    """An id without what copying has put around it.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(batch_id, str) or not batch_id.strip():
        raise UsageError(f"{batch_id!r} is no id of a batch", way_out="It looks like batch_abc123.")
    return batch_id.strip()


def _folder_of(batch_id: str, run: str | Path | None) -> Path | None:
    """The run that made a batch.

    Raises:
        UsageError: The run that was named has not made it.
    """
    if run is None:
        return owner(batch_id, folders.all_of())
    folder = folders.chosen(Path(run))
    if owner(batch_id, [folder]) is None:
        raise UsageError(
            f"{folder} has no batch {batch_id}",
            way_out=f"processor batch list {folder} names its own.",
        )
    return folder


def _checked(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that are not None.

    Raises:
        UsageError: There is no such keyword.
    """
    known = Contact.__annotations__
    for name in contact:
        if name not in known:
            raise UsageError(f"{name}: there is no such keyword{nearest(name, known)}")
    return {name: value for name, value in contact.items() if value is not None}
