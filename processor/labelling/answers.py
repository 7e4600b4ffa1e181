"""Which answer of a run belongs to which row of a table that may have changed meanwhile.

A row is known by its content, so that no inserted or moved row shifts an answer. What is left is
looked for by what was asked: a row of which only a column changed that the prompt does not use has
the same answer.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from msgspec import Struct

from processor import jsontext
from processor.items import Item
from processor.ledger import ids
from processor.tasks.prompt import PromptTask

Fields = Mapping[str, Any]


class Answer(Struct, frozen=True, kw_only=True, gc=False):
    """What became of an item.

    Attributes:
        seq: Of the item, from 1.
        label: Its key; None when it has none.
        at: When it was settled, in seconds since 1970; 0 when it is not.
        code: Why it failed; None when it did not.
        message: The same in words.
    """

    seq: int
    label: str | None
    at: float = 0.0
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The rows of a table with their answers.

    Attributes:
        answers: One a row, in the table's order; None for a row that was not asked.
        new: Rows that were not asked.
        moved: Whether rows stand in another order than when they were asked.
        unused: Answers of rows that the table does not have.
    """

    answers: Sequence[Answer | None]
    new: int
    moved: bool
    unused: int


def content_id(fields: Fields) -> str:
    """What a row is known by: as the ledger makes the id of a row that has none."""
    return ids.of_content(jsontext.dumps(fields))


def asked_id(task: PromptTask, fields: Fields) -> str:
    """What a row's request is known by.

    Raises:
        TaskError: The row lacks what the prompt needs.
    """
    body = task.render(Item(seq=0, chunk=0, id=0, fields=fields)).body
    return hashlib.sha256(jsontext.dumps(body).encode()).hexdigest()


class Known:
    """The answers of a run by the content of their rows.

    Args:
        items: Id and answer of every item, in the order of the run.
    """

    def __init__(self, items: Iterable[tuple[str, Answer]]) -> None:
        self._of: dict[str, list[Answer]] = defaultdict(list)
        for key, answer in items:
            self._of[key.partition("-")[0]].append(answer)  # twins are numbered behind a dash

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def of(self, key: str) -> Sequence[Answer]:
        """The answers of all rows of this content."""
        return self._of.get(key, ())

    def by_seq(self) -> Mapping[int, Answer]:
        """All answers by the place of their item."""
        return {answer.seq: answer for several in self._of.values() for answer in several}


def match(
    keys: Iterable[str], known: Known, others: Callable[[Sequence[int]], Mapping[int, Answer]]
) -> Matched:
    """Give every row its answer.

    Args:
        keys: `content_id` of the rows, in their order.
        known: The answers.
        others: Finds answers for rows that are not known by their content: their places, from 0.
    """
    seen: dict[str, int] = defaultdict(int)
    answers: list[Answer | None] = []
    for key in keys:
        same = known.of(key)
        # A row that was copied since has the answer of the one it was copied from.
        answers.append(same[min(seen[key], len(same) - 1)] if same else None)
        seen[key] += 1
    lost = [place for place, answer in enumerate(answers) if answer is None]
    for place, answer in (others(lost) if lost else {}).items():
        answers[place] = answer
    used = [answer.seq for answer in answers if answer is not None]
    return Matched(
        answers=answers,
        new=answers.count(None),
        moved=any(later < earlier for earlier, later in pairwise(used)),
        unused=len(known) - len(set(used)),
    )
