"""What the files of a batch tell of items, a block of lines at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from processor.batch.answer import verdict_on
from processor.batch.custom_id import seq_of
from processor.batch.lines import BadLine, Line, lines_of, read_line
from processor.verdict import Verdict

_BLOCK_LINES = 1_000
_BLOCK_BYTES = 8_000_000
_NOTED_MOST = 5


class Told(Struct, frozen=True, gc=False):
    """What a line tells of an item."""

    seq: int
    line: Line
    verdict: Verdict


@dataclass(slots=True)
class Oddities:
    """Lines that belong to no item.

    Attributes:
        foreign: Of requests that are not ours.
        unreadable: That tell of no request.
        notes: In words, some of them.
    """

    foreign: int = 0
    unreadable: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, words: str) -> None:
        """Keep words, unless there are enough."""
        if len(self.notes) < _NOTED_MOST:
            self.notes.append(words)


def blocks(
    paths: Iterable[Path], endpoint: str, oddities: Oddities | None = None
) -> Iterator[list[Told]]:
    """What the lines of some files tell, in their order.

    Args:
        paths: The files.
        endpoint: Of the requests.
        oddities: Takes what is strange; None when it was taken already.

    Raises:
        OSError: A file cannot be read.
    """
    oddities = oddities or Oddities()
    for path in paths:
        block: list[Told] = []
        size = 0
        for raw in lines_of(path):
            told = _told(raw, endpoint, path.name, oddities)
            if told is None:
                continue
            block.append(told)
            size += len(raw)
            if len(block) >= _BLOCK_LINES or size >= _BLOCK_BYTES:
                yield block
                block, size = [], 0
        if block:
            yield block


def _told(raw: bytes, endpoint: str, name: str, oddities: Oddities) -> Told | None:
    line = read_line(raw)
    if isinstance(line, BadLine):
        oddities.unreadable += 1
        oddities.note(f"{name}: {line.problem}")
        return None
    seq = seq_of(line.custom_id)
    if seq is None:
        oddities.foreign += 1
        oddities.note(f"{name}: a line of {line.custom_id[:64]!r}, which was not sent")
        return None
    return Told(seq, line, verdict_on(line, endpoint))
