"""A submission as it goes on: the lines that the users know, and the file of their requests."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from processor import disk
from processor.batch.shipping import file_name
from processor.console.streams import say, tell
from processor.exports.atomic import replacing_bytes
from processor.jobs.job import Job
from processor.labelling import ledgers, messages
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.sending.batch import FOLDER_NAME

_MANY = 3  # files of a job whose arrival is told one by one


class Progress:
    """Watches a submission, and tells it.

    Args:
        folder: The run's.
        before: Told the number of rows that are about to be sent, before the first is.
    """

    def __init__(self, folder: Path, before: Callable[[int], Iterator[str]]) -> None:
        self._folder = folder
        self._before = before
        self._lock = threading.Lock()
        self._held = 0
        self._earlier: frozenset[int] = frozenset()
        self._is_made = False
        self._files: list[str] = []

    def begin(self, earlier: Sequence[Job], held: int) -> None:
        """Note what was submitted before: shards, and how many rows of them have no outcome."""
        self._earlier = frozenset(job.shard.number for job in earlier)
        self._held = held

    def notice(self, notice: Notice) -> None:
        """Something happened, in whatever thread."""
        with self._lock:
            if notice.event == "sending":
                self._sending(max(0, notice.facts["pending"] - self._held))
            elif notice.event == "shard_written":
                self._written(notice.facts["shard"])
            elif notice.event == "shard_uploaded":
                self._uploaded(notice.facts["file"])
            elif notice.serious and "message" in notice.facts:
                tell(f"⚠️ {notice.event}: {notice.facts['message']}")

    def committed(self, commit: Commit) -> None:
        """Nothing that is told."""

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """Nothing that is told."""

    def finish(self) -> None:
        """Tell what an earlier start had done when it was killed."""
        with self._lock:
            if not self._is_made:
                self._made()
            for job in self._own():
                if job.shard.file_id is not None:
                    self._uploaded(job.shard.file_id)
            if len(self._files) > _MANY:
                say(f"   … 모두 {len(self._files)}개 파일")

    def _sending(self, rows: int) -> None:
        for line in (*self._before(rows), messages.making(rows)):
            say(line)

    def _written(self, number: int) -> None:
        if not self._is_made:
            self._made()
            return
        path = Path(messages.REQUESTS_NAME)
        with disk.guarded(path), path.open("ab") as whole:
            self._add(number, whole)

    def _made(self) -> None:
        """Put the requests of all files that are still here into one."""
        self._is_made = True
        with replacing_bytes(Path(messages.REQUESTS_NAME)) as whole:
            for job in self._own():
                self._add(job.shard.number, whole)
        for line in messages.made():
            say(line)

    def _own(self) -> list[Job]:
        """Shards of this submission."""
        jobs = ledgers.jobs_in(self._folder)
        return [job for job in jobs if job.is_live and job.shard.number not in self._earlier]

    def _add(self, number: int, whole: IO[bytes]) -> None:
        with suppress(FileNotFoundError):  # settled meanwhile, or given up
            path = self._folder / FOLDER_NAME / file_name(number)
            with path.open("rb") as part:
                copyfileobj(part, whole)

    def _uploaded(self, file_id: str) -> None:
        if file_id in self._files:
            return
        self._files.append(file_id)
        if len(self._files) <= _MANY:
            say(messages.uploaded(file_id))
