"""The rows that come with the task `persona`: every persona is asked every question."""

import hashlib
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from processor.columns import Column
from processor.errors import UsageError
from processor.items import Row

_COLUMNS = {"질문", "페르소나"}


def are_for(needed: Collection[str]) -> bool:
    """Whether a task needs what these rows have and others do not."""
    return "페르소나" in needed and _COLUMNS.issuperset(needed)


def lines() -> list[dict[str, str]]:
    """All of them in the short form of Batch lines, one question after the other."""
    held = _held()
    personas = [
        f"{temperament['name']}, {character['name']}"
        for temperament in held["temperaments"]
        for character in held["characters"]
    ]
    return [
        {"model": held["model"], "input": f"질문: {question['text']}\n페르소나: {persona}"}
        for question in held["questions"]
        for persona in personas
    ]


@cache
def _held() -> dict[str, Any]:
    """The file, which also says which of it is the users' and which is ours."""
    return tomllib.loads(files("processor.data").joinpath("personas.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Personas:
    """A source of them.

    Attributes:
        count: How many, from the first; None for all.
    """

    count: int | None = None
    name: str = "personas"
    uri: str = "shipped:personas"

    def __post_init__(self) -> None:
        there_are = len(lines())
        if self.count is not None and not 1 <= self.count <= there_are:
            raise UsageError(
                f"cannot generate {self.count} rows of personas",
                way_out=f"There are {there_are}; ask for 1 to {there_are}.",
            )

    def stamp(self) -> str:
        """What they say, and how many."""
        digest = hashlib.sha256(repr(lines()).encode()).hexdigest()[:12]
        return f"{self.uri} {digest} count={self.count or 'all'}"

    def columns(self) -> Sequence[Column]:
        """None: values that speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row]:
        """The lines, from the first."""
        for number, line in enumerate(islice(lines(), self.count), start=1):
            yield Row(number=number, fields=line)
