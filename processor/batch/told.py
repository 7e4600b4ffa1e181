"""What the results of a shard tell of its items, in the order of the items.

Providers give lines in any order, and a ledger is written several times faster in its own. So where
the lines are is found out first, and each is read when its item's turn has come.
"""

import os
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from processor.batch import usual
from processor.batch.answer import TIER, verdict_on
from processor.batch.custom_id import seq_of
from processor.batch.lines import BadLine, Line, lines_at, name_in, read_line
from processor.completion import CHAT
from processor.verdict import Kind, Verdict

_NOTED_MOST = 5
# How a line of ours begins in every provider's files but the oddest.
_BEGINNING = re.compile(rb'\{(?:"id":"[^"\\]*",)?"custom_id":"item-([1-9][0-9]{0,17})"[,}]')


class Told(Struct, frozen=True, gc=False):
    """What a line tells of an item.

    Attributes:
        raw: The line; empty when `line` has all of it.
    """

    seq: int
    line: Line
    verdict: Verdict
    raw: bytes = b""

    def whole(self) -> Line:
        """The line with its body."""
        line = read_line(self.raw) if self.raw else self.line
        assert isinstance(line, Line), "it was one when its name was read"
        return line


@dataclass(slots=True)
class Oddities:
    """Lines that are not the one of an item.

    Attributes:
        foreign: Of requests that are not ours.
        unreadable: That tell of no request.
        duplicates: Further ones of an item.
        paid_twice: Of these, answers that another batch had given already.
        notes: In words, some of them.
    """

    foreign: int = 0
    unreadable: int = 0
    duplicates: int = 0
    paid_twice: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, words: str) -> None:
        """Keep words, unless there are enough."""
        if len(self.notes) < _NOTED_MOST:
            self.notes.append(words)


class Results:
    """The lines of some files, by item. Use as a context manager.

    Args:
        files: Of each batch of the shard, the oldest batch first.
        endpoint: Of the requests.

    Attributes:
        oddities: Lines that are not the one of an item, as far as they were met.

    Raises:
        OSError: A file cannot be read.
    """

    def __init__(self, files: Sequence[Sequence[Path]], endpoint: str) -> None:
        self._endpoint = endpoint
        self._paths = [(path, batch) for batch, paths in enumerate(files) for path in paths]
        self._descriptors: list[int] = []
        self._closing = ExitStack()
        # Of each line: which file, from where, how long.
        self._file, self._offset, self._length = array("L"), array("Q"), array("Q")
        self._first: dict[int, int] = {}
        self._further: defaultdict[int, list[int]] = defaultdict(list)
        self.oddities = Oddities()

    def __enter__(self) -> Self:
        for path, _ in self._paths:
            descriptor = os.open(path, os.O_RDONLY)
            self._closing.callback(os.close, descriptor)
            self._descriptors.append(descriptor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def find(self) -> list[int]:
        """Find the line of every item; returns the items that have one, in their order."""
        for number, (path, _) in enumerate(self._paths):
            for offset, raw in lines_at(path):
                seq = self._seq_in(raw, path.name)
                if seq is not None:
                    self._keep(seq, number, offset, len(raw))
        return sorted(self._first)

    def told(self, seqs: Sequence[int]) -> Iterator[Told]:
        """What the lines of some items tell, in the order that is asked for.

        An answer goes before everything else that is told of an item.
        """
        for seq in seqs:
            told = self._read(seq, self._first[seq])
            if seq in self._further:
                told = self._best(seq, told, self._further[seq])
            if told is not None:
                yield told

    def _seq_in(self, raw: bytes, name: str) -> int | None:
        begun = _BEGINNING.match(raw)
        if begun is not None:  # if the rest is no JSON, it is missed when it is read
            return int(begun[1])
        custom_id = name_in(raw)
        if isinstance(custom_id, BadLine):
            self._note_unreadable(custom_id, name)
            return None
        seq = seq_of(custom_id)
        if seq is None:
            self.oddities.foreign += 1
            self.oddities.note(f"{name}: a line of {custom_id[:64]!r}, which was not sent")
        return seq

    def _keep(self, seq: int, number: int, offset: int, length: int) -> None:
        place = len(self._offset)
        self._file.append(number)
        self._offset.append(offset)
        self._length.append(length)
        if self._first.setdefault(seq, place) != place:
            self.oddities.duplicates += 1
            self._further[seq].append(place)

    def _best(self, seq: int, first: Told | None, further: Sequence[int]) -> Told | None:
        best, batches = first, {self._batch_of(self._first[seq])}
        for place in further:
            told = self._read(seq, place)
            if told is None or (best is not None and told.verdict.kind is not Kind.OK):
                continue
            if best is None or best.verdict.kind is not Kind.OK:
                best, batches = told, {self._batch_of(place)}
            elif self._batch_of(place) not in batches:
                batches.add(self._batch_of(place))
                self.oddities.paid_twice += 1
        return best

    def _batch_of(self, place: int) -> int:
        return self._paths[self._file[place]][1]

    def _read(self, seq: int, place: int) -> Told | None:
        number = self._file[place]
        raw = os.pread(self._descriptors[number], self._length[place], self._offset[place])
        if self._endpoint == CHAT and (read := usual.read(raw, TIER)) is not None:
            return Told(seq, *read, raw)
        line = read_line(raw)
        if isinstance(line, BadLine):
            self._note_unreadable(line, self._paths[number][0].name)
            return None
        return Told(seq, line, verdict_on(line, self._endpoint))

    def _note_unreadable(self, line: BadLine, name: str) -> None:
        self.oddities.unreadable += 1
        self.oddities.note(f"{name}: {line.problem}")
