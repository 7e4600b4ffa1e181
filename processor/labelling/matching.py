"""Rows of a table looked for in a run: by their content, then by what was asked of them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from processor.data.source import BadRow, Source
from processor.errors import TaskError
from processor.items import Row
from processor.labelling import outcomes
from processor.labelling.answers import Answer, Known, asked_id
from processor.labelling.articles import Wrapped
from processor.tasks.prompt import PromptTask


def by_question(
    folder: Path, task: PromptTask, known: Known, rows: Callable[[], Iterator[Row]]
) -> Callable[[Collection[int]], Mapping[int, Answer]]:
    """Finds answers by what was asked.

    Args:
        folder: Of the run.
        task: That it asks.
        known: Its answers.
        rows: Gives the rows of the table, from the first.

    Returns:
        A function of places in the table, from 0. Of several answers one with a label is taken.
    """

    def find(places: Collection[int]) -> Mapping[int, Answer]:
        wanted = set(places)
        asked: dict[str, list[int]] = {}
        for place, row in enumerate(rows()):
            if place in wanted:
                with suppress(TaskError):
                    asked.setdefault(asked_id(task, row.fields), []).append(place)
        answers = known.by_seq()
        found: dict[int, Answer] = {}
        for key, seq in outcomes.asked(folder, task):
            for place in asked.get(key, ()):
                earlier = found.get(place)
                if earlier is None or earlier.label is None:
                    found[place] = answers[seq]
        return found

    return find


class Without(Wrapped):
    """A table without some of its rows.

    Args:
        source: The table.
        places: Of its good rows that are left out, from 0.
    """

    def __init__(self, source: Source, places: Collection[int]) -> None:
        super().__init__(source)
        self._places = frozenset(places)

    def rows(self) -> Iterator[Row | BadRow]:
        """The others."""
        place = 0
        for row in self._source.rows():
            if isinstance(row, BadRow):
                yield row
                continue
            if place not in self._places:
                yield row
            place += 1
