"""The two log files: `batch_conversion_YYYYMMDD_HHMMSS.log` of a run, `batch_conversion.log`."""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import structlog

from processor import jsontext
from processor.answer import WITNESS
from processor.batch_messages import message_of
from processor.codes import cause_of
from processor.console.terminal import in_json
from processor.errors import LedgerError, UsageError
from processor.items import Attempt, Item, Outcome
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice

DETAIL_NAME = "batch_conversion.log"
_DETAIL_BYTES = 64 * 1024 * 1024
_DETAIL_FILES = 5
# Failures whose message may hold the model's own words.
_QUOTING = frozenset({"invalid", "malformed", "refused"})
_INT64 = 2**63
# What people grep for as ERROR besides failed items.
_ERRORS = frozenset({"run_failed", "run_refused", "run_stopped", "not_reconciled", "not_delivered"})


class RunLog:
    """Writes what a run tells: one line a chunk, retry, failure, limit and stage.

    Args:
        logger: Writes a line for each event.
        detail: Gets the same lines, and one for each item.
        content: Whether answers may be written.
    """

    def __init__(self, logger: Any, detail: logging.Handler, *, content: bool) -> None:
        self._logger = logger
        self._detail = detail
        self._content = content
        self._run_id = ""

    def notice(self, notice: Notice) -> None:
        """Something happened."""
        if "run_id" in notice.facts:
            self._run_id = notice.facts["run_id"]
            self._logger = self._logger.bind(run_id=self._run_id)
        facts = {name: value for name, value in notice.facts.items() if name != "run_id"}
        if (message := message_of(notice)) is not None:
            facts = {"message": message, **facts}
        if notice.event in _ERRORS:
            self._logger.error(notice.event, severity="ERROR", **facts)
        elif notice.serious:
            self._logger.warning(notice.event, **facts)
        else:
            self._logger.info(notice.event, **facts)

    def committed(self, commit: Commit) -> None:
        """Outcomes and attempts became durable."""
        lines = []
        at = _now()
        for record in commit.records:
            if isinstance(record, Attempt):
                self._attempt(record)
            else:
                if record.failure is not None:
                    self._failed(record)
                lines.append(self._item(record, at))
        if lines:
            _emit(self._detail, "\n".join(lines))

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """A chunk is complete and its file written; the line that people grep for."""
        share = 100 * chunk.succeeded / chunk.items
        self._logger.info(
            "chunk",
            message=f"배치 {chunk.number:03d} 성공 {chunk.succeeded}/{chunk.items} ({share:.1f}%)",
            batch=chunk.number,
            items=chunk.items,
            succeeded=chunk.succeeded,
            failed=chunk.failed,
        )

    def _attempt(self, attempt: Attempt) -> None:
        self._logger.warning(
            _event(attempt),
            id=_id(attempt.item),
            batch=attempt.item.chunk,
            code=attempt.code,
            message=self._message(attempt.code, attempt.message),
            status=attempt.status,
            attempt=attempt.number,
            wait_s=round(attempt.wait_s, 3),
        )

    def _failed(self, outcome: Outcome) -> None:
        assert outcome.failure is not None
        self._logger.error(
            "failed",
            severity="ERROR",
            id=_id(outcome.item),
            batch=outcome.item.chunk,
            code=outcome.failure.code,
            message=self._message(outcome.failure.code, outcome.failure.message),
            remedy=cause_of(outcome.failure.code).remedy,
            attempts=outcome.attempts,
        )

    def _message(self, code: str, message: str) -> str:
        return cause_of(code).means if code in _QUOTING and not self._content else message

    def _item(self, outcome: Outcome, at: str) -> str:
        accepted, failure, usage = outcome.accepted, outcome.failure, outcome.usage
        line: dict[str, Any] = {
            "timestamp": at,
            "level": "info",
            "event": "item",
            "run_id": self._run_id,
            "id": _id(outcome.item),
            "batch": outcome.item.chunk,
            "status": "success" if accepted else "failed",
            "check": accepted.check if accepted else None,
            "code": failure.code if failure else None,
            "lane": outcome.lane,
            "attempts": outcome.attempts,
            "latency_ms": round(outcome.latency_ms, 1) or None,
            "prompt_tokens": usage.prompt_tokens if usage else None,
            "completion_tokens": usage.completion_tokens if usage else None,
            "request_id": outcome.request_id,
        }
        if not self._content:
            return in_json(orjson.dumps(line)).decode()
        line |= {"fields": outcome.item.fields, "result": accepted.result if accepted else None}
        return in_json(jsontext.dumps(line).strip().encode()).decode()


def _event(attempt: Attempt) -> str:
    if attempt.code == WITNESS:
        return WITNESS
    if not attempt.again:
        return "left_pending"
    return "retry" if attempt.problem is None else "reask"


@contextmanager
def open_logs(folder: Path, *, content: bool) -> Iterator[tuple[RunLog, Path]]:
    """Open both files; yields the observer and the path of the run's own file.

    Raises:
        UsageError: The folder is a file.
        LedgerError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, file = _create(folder)
        detail = _Detail(
            folder / DETAIL_NAME,
            maxBytes=_DETAIL_BYTES,
            backupCount=_DETAIL_FILES,
            encoding="utf-8",
        )
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: is no folder", way_out="Name another with --logs.") from error
    except OSError as error:
        raise _refused(folder, error) from error
    detail.setFormatter(logging.Formatter("%(message)s"))
    with file:
        logger = structlog.wrap_logger(
            _TwoFiles(file, path, detail),
            processors=[_stamp, structlog.processors.JSONRenderer(_dumps)],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=False,
        )
        try:
            yield RunLog(logger, detail, content=content), path
        finally:
            with suppress(OSError):  # a full disk refuses once more what it was told already
                detail.close()


class _Detail(RotatingFileHandler):
    """A file that does not keep silent about a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's
        error = sys.exception()
        assert error is not None
        raise _refused(Path(self.baseFilename), error) from error


class _TwoFiles:
    """Writes a line to the run's own file and to the detailed one."""

    def __init__(self, own: BinaryIO, path: Path, detail: logging.Handler) -> None:
        self._own = structlog.BytesLogger(own)
        self._path = path
        self._detail = detail

    def info(self, line: bytes) -> None:
        try:
            self._own.msg(line)
        except OSError as error:
            raise _refused(self._path, error) from error
        _emit(self._detail, line.decode())

    warning = error = info


def _refused(path: Path, error: BaseException) -> LedgerError:
    return LedgerError(
        f"{path}: {getattr(error, 'strerror', None) or error}",
        way_out="Free some space, mend the permissions, or name another folder with --logs.",
    )


def _create(folder: Path) -> tuple[Path, BinaryIO]:
    """A file of this second's name; two runs may begin in the same one."""
    stem = f"batch_conversion_{datetime.now().astimezone():%Y%m%d_%H%M%S}"
    for ending in ("", *(f"_{number}" for number in range(2, 100))):
        path = folder / f"{stem}{ending}.log"
        try:
            return path, path.open("xb", buffering=0)
        except FileExistsError:
            continue
    raise FileExistsError(17, "too many runs began in this second", str(folder))


def _stamp(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {"timestamp": _now(), "level": level, "event": event.pop("event"), **event}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dumps(event: Any, **_: Any) -> bytes:
    return in_json(orjson.dumps(event, default=str))


def _id(item: Item) -> str | int:
    """The id as it came; JSON readers stumble over longer integers, so those become text."""
    return item.id if isinstance(item.id, str) or -_INT64 <= item.id < _INT64 else str(item.id)


def _emit(handler: logging.Handler, text: str) -> None:
    handler.handle(logging.makeLogRecord({"msg": text}))
