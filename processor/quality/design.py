"""Who said what to which question: what may be compared, drawn again and shuffled."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from zlib import crc32

from msgspec import Struct

from processor.quality.recognition import places

_FOLDS = 5
"""Into so many parts the answers to a single question are dealt."""


class Said(Struct, frozen=True, gc=False):
    """A text, who said it, to which question, and of which group the one who said it is."""

    group: str
    speaker: str
    question: str
    text: str


class Design:
    """How the groups of some answers can be told apart.

    Args:
        said: In whatever order.

    Attributes:
        said: The same, in an order of its own.
        groups: Of each answer.
        is_nested: Groups are made of speakers, some of several.
        parts: Of each answer its question; the part that it is dealt into, where there is but one
            question, and a group is one speaker.
        hidden_by: Names of each answer; those that share one do not tell each other's group.
        units: Of each answer what it is drawn again with: its speaker, or its part.
        units_called: What these are, in the plural.
    """

    def __init__(self, said: Sequence[Said]) -> None:
        self.said = sorted(said, key=_order)
        self.groups = [one.group for one in self.said]
        speakers = [one.speaker for one in self.said]
        questions = [one.question for one in self.said]
        pairs = {(one.speaker, one.group) for one in self.said}
        self.is_nested = len(set(speakers)) == len(pairs) > len(set(self.groups))
        has_several = len(set(questions)) > 1
        self.parts = questions if has_several or self.is_nested else _dealt(self.groups)
        self.hidden_by: Sequence[Sequence[str]] = [self.parts]
        if self.is_nested:
            self.hidden_by = [questions, speakers] if has_several else [speakers]
        self.units = speakers if self.is_nested else self.parts
        self.units_called = "speakers" if self.is_nested else "questions"

    def shuffled(self, chance: Random) -> Sequence[str]:
        """The groups of the answers, if groups made no difference.

        They change places among speakers, or among the answers of each part.
        """
        if self.is_nested:
            group_of = dict(zip(self.units, self.groups, strict=True))
            names = list(group_of.values())
            chance.shuffle(names)
            changed = dict(zip(group_of, names, strict=True))
            return [changed[unit] for unit in self.units]
        groups = list(self.groups)
        for some in places(self.parts).values():
            names = [self.groups[place] for place in some]
            chance.shuffle(names)
            for place, name in zip(some, names, strict=True):
                groups[place] = name
        return groups


def _order(one: Said) -> tuple[str, str, str, int]:
    return one.question, one.group, one.speaker, crc32(one.text.encode())


def _dealt(groups: Sequence[str]) -> list[str]:
    """For each answer the part that it is dealt into, each group's evenly."""
    dealt = Counter[str]()
    parts = []
    for group in groups:
        parts.append(str(dealt[group] % _FOLDS))
        dealt[group] += 1
    return parts
