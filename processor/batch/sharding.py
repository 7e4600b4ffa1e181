"""Pending items as files of requests, one endpoint and model each, written as a stream."""

import hashlib
import math
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from processor import disk
from processor.answer import unsent
from processor.batch.custom_id import custom_id_of
from processor.errors import TaskError
from processor.items import Failure, Outcome
from processor.ledger.pending import Pending
from processor.plan.estimate import size_of
from processor.tasks.task import Task

LINES_MOST = 50_000
BYTES_MOST = 190_000_000  # 200 MB are allowed, and nobody says of which kind
_BYTES_PER_TOKEN = 4  # a guess
_OPEN_MOST = 64  # files at once; the models of a run may be many
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file of requests.

    Attributes:
        seqs: Of its items, in the order of its lines.
        tokens: Of its prompts, estimated.
        output_tokens: The most that its answers may have, or what is assumed without a cap.
    """

    path: Path
    endpoint: str
    model: str
    seqs: tuple[int, ...]
    bytes: int
    sha256: str
    tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRules:
    """How large a shard may be.

    Attributes:
        items_most: Lines.
        bytes_most: Of the file.
        inputs_most: Texts of embeddings, of which a line may hold many.
        tokens_most: Of the prompts, by model; one that is not named has no bound.
        left_out: Models whose items stay out; may grow.
    """

    items_most: int = LINES_MOST
    bytes_most: int = BYTES_MOST
    inputs_most: int = LINES_MOST
    tokens_most: Mapping[str, int] = field(default_factory=dict)
    left_out: Collection[str] = ()


class Sharding:
    """Writes one shard after another.

    Args:
        folder: For the files; they have temporary names until somebody names them.
        task: Renders the requests.
        pending: The items.
        rules: How large a shard may be.
    """

    def __init__(
        self, folder: Path, *, task: Task, pending: Iterator[Pending], rules: ShardRules
    ) -> None:
        self._folder = folder
        self._task = task
        self._pending = pending
        self._rules = rules
        self._open: dict[tuple[str, str], _File] = {}
        self._ready: list[Written] = []
        self._unsent: list[Outcome] = []

    def next(self) -> Written | None:
        """The next shard; None when every item is in one.

        Raises:
            LedgerError: The disk refuses.
        """
        with disk.guarded(self._folder):
            return self._next()

    def take_unsent(self) -> list[Outcome]:
        """Items that could not be written since this was asked last."""
        unsent_items, self._unsent = self._unsent, []
        return unsent_items

    def close(self) -> None:
        """Remove the files that nobody was given."""
        for file in self._open.values():
            file.discard()
        for written in self._ready:
            written.path.unlink(missing_ok=True)
        self._open.clear()
        self._ready.clear()

    def _next(self) -> Written | None:
        while not self._ready:
            pending = next(self._pending, None)
            if pending is None:
                self._ready += [file.finish() for file in self._open.values()]
                self._open.clear()
                break
            self._put(pending)
        return self._ready.pop(0) if self._ready else None

    def _put(self, pending: Pending) -> None:
        try:
            request = self._task.render(pending.item, pending.invalid)
            body = request.body
            line = _line(pending.item.seq, request.endpoint, body)
        except (TaskError, orjson.JSONEncodeError) as error:
            self._leave_out(pending, "template", str(error))
            return
        if len(line) > self._rules.bytes_most:
            self._leave_out(pending, "too_large", f"Its request has {len(line):,} bytes")
            return
        if (inputs := _inputs(body)) > self._rules.inputs_most:
            self._leave_out(pending, "too_large", f"Its request has {inputs:,} texts")
            return
        model = body["model"] if isinstance(body.get("model"), str) else ""
        if model in self._rules.left_out:
            return
        bounds = size_of(body, len(line))
        size = _Size(1, len(line), inputs, len(line) // _BYTES_PER_TOKEN, bounds.output_tokens)
        place = (request.endpoint, model)
        file = self._open.get(place)
        if file is not None and not self._fits(file, size):
            self._ready.append(self._open.pop(place).finish())
            file = None
        if file is None:
            file = self._open[place] = self._begin(*place)
        file.add(pending.item.seq, line, size)
        if file.size.items >= self._rules.items_most:
            self._ready.append(self._open.pop(place).finish())

    def _fits(self, file: "_File", more: "_Size") -> bool:
        rules, size = self._rules, file.size
        tokens_most = rules.tokens_most.get(file.model, math.inf)
        return (
            size.bytes + more.bytes <= rules.bytes_most
            and size.inputs + more.inputs <= rules.inputs_most
            and size.tokens + more.tokens <= tokens_most
        )

    def _begin(self, endpoint: str, model: str) -> "_File":
        if len(self._open) >= _OPEN_MOST:
            fullest = max(self._open, key=lambda place: self._open[place].size.items)
            self._ready.append(self._open.pop(fullest).finish())
        return _File(self._folder, endpoint, model)

    def _leave_out(self, pending: Pending, code: str, message: str) -> None:
        failure = Failure(code=code, message=message, retryable=False)
        self._unsent.append(unsent("batch", pending.item, pending.attempts, failure))


@dataclass(slots=True)
class _Size:
    items: int = 0
    bytes: int = 0
    inputs: int = 0
    tokens: int = 0
    output_tokens: int = 0


class _File:
    """A shard's file while it is written."""

    def __init__(self, folder: Path, endpoint: str, model: str) -> None:
        self.model = model
        self.size = _Size()
        self._endpoint = endpoint
        self._seqs: list[int] = []
        self._digest = hashlib.sha256()
        self._path, self._file = _temporary(folder)

    def add(self, seq: int, line: bytes, size: _Size) -> None:
        self._seqs.append(seq)
        self._digest.update(line)
        self._file.write(line)
        self.size.items += 1
        self.size.bytes += size.bytes
        self.size.inputs += size.inputs
        self.size.tokens += size.tokens
        self.size.output_tokens += size.output_tokens

    def finish(self) -> Written:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Written(
            path=self._path,
            endpoint=self._endpoint,
            model=self.model,
            seqs=tuple(self._seqs),
            bytes=self.size.bytes,
            sha256=self._digest.hexdigest(),
            tokens=self.size.tokens,
            output_tokens=self.size.output_tokens,
        )

    def discard(self) -> None:
        with suppress(OSError):  # what is left to be written has no room, and no use
            self._file.close()
        self._path.unlink(missing_ok=True)


TEMPORARY = "*.jsonl.tmp"


def _temporary(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file that nobody else may read."""
    number = 0
    while True:
        path = folder / f"{number}.jsonl.tmp"
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            number += 1
            continue
        return path, os.fdopen(descriptor, "wb", buffering=_BUFFER_BYTES)


def _line(seq: int, endpoint: str, body: Mapping[str, Any]) -> bytes:
    return b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}\n' % (
        custom_id_of(seq).encode(),
        endpoint.encode(),
        orjson.dumps(body),
    )


def _inputs(body: Mapping[str, Any]) -> int:
    found = body.get("input")
    return len(found) if isinstance(found, list) else 1
