"""Labelling runs in `runs/`: which one a batch id means, and what a run keeps for this script."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from processor.errors import LedgerError, RunLockedError, UsageError
from processor.folders import RUNS
from processor.jobs.job import Job, jobs_of
from processor.labelling import messages
from processor.labelling.info import Info
from processor.labelling.standing import Standing, standing_of
from processor.ledger import database, shards
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import open_ledger
from processor.watch import snapshot

KEY = "labelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the script keeps in a run's ledger.

    Attributes:
        input: Absolute path of the table that the run was begun with.
        encoding: As it was named; None where it was not.
        sha256: Of the bytes that were submitted last.
        is_told: Whether the submission was told to its end.
    """

    input: str
    encoding: str | None
    sha256: str
    is_told: bool

    def as_text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))


def origin_of(folder: Path) -> Origin | None:
    """What the script keeps of a run; None for a run that it has not made.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    return None if row is None else Origin(**json.loads(row[0]))


def jobs_in(folder: Path) -> list[Job]:
    """The shards and batches of a run.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        return jobs_of(connection)


def standing(folder: Path) -> Standing:
    """How a run is, as its ledger has it.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    shot = snapshot.take(folder)
    items, held = shards.pending(folder / LEDGER_NAME)
    return standing_of(
        jobs_in(folder),
        total=shot.total,
        finished=shot.finished,
        unsent=items - held,
        stop_code=shot.session.stop_code if shot.session else None,
        cancelled=shot.cancelled,
    )


def batch_ids(folder: Path) -> list[str]:
    """Of a run, the oldest shard's first."""
    return [batch.id for job in jobs_in(folder) for batch in job.batches]


def refresh(folder: Path) -> None:
    """Bring a ledger up to date: the program may be a newer one than that which submitted.

    Raises:
        LedgerError: It cannot be read.
    """
    if database.is_older(folder / LEDGER_NAME):
        with suppress(RunLockedError), open_ledger(folder):
            pass


def holds(folder: Path) -> bool:
    """Whether there is a run in a folder."""
    return (folder / LEDGER_NAME).exists()


def find(batch_id: str | None, info: Info | None) -> tuple[Path, str]:
    """The run that is meant, and the id that stands for it.

    Args:
        batch_id: As it was typed; None for the one that was submitted last.
        info: Of the last submission, where it can be read.

    Raises:
        UsageError: No run in `runs/` knows it; or none was named, and nothing tells which.
        LedgerError: None knows it, and one that might cannot be read.
    """
    if batch_id is None:
        if info is None:
            raise UsageError(
                f"{messages.INFO_NAME} 파일이 없습니다",
                way_out=f"--batch-id 로 배치 ID 를 지정하세요. {_known()}",
            )
        batch_id = info.batch_id
    if not batch_id.strip():
        raise UsageError("배치 ID 가 비어 있습니다", way_out=_known())
    likely = [Path(info.run)] if info is not None and info.run else []
    unread: list[LedgerError] = []
    for folder in (*likely, *_runs()):
        if batch_id in _ids_or_none(folder, unread):
            return folder, batch_id
    if unread:
        raise unread[0]
    raise UsageError(
        f"배치 ID {batch_id} 를 아는 실행 기록이 {RUNS.absolute()} 에 없습니다",
        way_out=f"제출했던 폴더에서 실행했는지, ID 가 맞는지 확인하세요. {_known()}",
    )


def _runs() -> Iterator[Path]:
    """Folders of runs, the youngest first."""
    ledgers = sorted(RUNS.glob(f"*/{LEDGER_NAME}"), key=lambda path: path.stat().st_mtime)
    return (path.parent for path in reversed(ledgers))


def _ids_or_none(folder: Path, unread: list[LedgerError]) -> list[str]:
    """A ledger that cannot be read knows nothing, and hides no other; why is put down."""
    if not holds(folder):
        return []
    try:
        refresh(folder)
        return batch_ids(folder)
    except LedgerError as error:
        unread.append(error)
        return []


def _known() -> str:
    """The jobs that there are, the youngest first."""
    first: Mapping[Path, str] = {
        folder: ids[0] for folder in _runs() if (ids := _ids_or_none(folder, []))
    }
    if not first:
        return "제출된 배치가 없습니다: 먼저 --mode submit 을 실행하세요."
    return f"알려진 배치 ID: {messages.some(tuple(first.values()))}."
