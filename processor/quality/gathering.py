"""What is kept of a run's items while they are read: counts, and samples of bounded size."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from processor import jsontext
from processor.errors import UsageError
from processor.exports import cells
from processor.ledger.results import Result
from processor.quality.agreement import Met
from processor.quality.counts import Tally
from processor.quality.design import Said
from processor.quality.labels import Given, keys_of
from processor.quality.lengths import Ruler
from processor.quality.likeness import LONGEST
from processor.quality.run import Run
from processor.quality.sample import Sample
from processor.quality.terms import Terms

_OF_ONE_INPUT_MOST = 50  # answers; more would tell little more
_OF_ONE_QUESTION_MOST = 250
_STRAYS_MOST = 20  # values of a column of labels that are none
_SHOWN_CHARACTERS = 40
_COMPARED_MOST = 1_000  # answers whose groups are told apart: each is compared with each


class Gathering:
    """Takes a run's items one by one.

    Args:
        run: Whose items they are.
        terms: What is looked at, see `Terms.of`.

    Attributes:
        tally: Of all items.
        ruler: Of all answers that are texts.
        labels: How often each label was given.
        met: How often a right label met one that was given.
        inputs: Drawn: the answers to each input, when it is known which are the same.
        texts: Drawn: answers that are texts.
        said: Drawn: texts and who said them, whole questions as far as they are not too many.
        without_group: Answers that no group has.
        cut: Answers longer than is looked at where texts are compared.
    """

    def __init__(self, run: Run, terms: Terms) -> None:
        self._run = run
        self._terms = terms
        self._given = Given(run.labels)
        self._reads_rows = bool(terms.gold or terms.group or terms.same_by)
        most, compared = terms.most, min(terms.most, _COMPARED_MOST)
        of_question = compared if terms.within is None else min(compared, _OF_ONE_QUESTION_MOST)
        self.tally = Tally()
        self.ruler = Ruler()
        self.labels = Counter[str]()
        self.met = Counter[Met]()
        self.inputs: Sample[str] = Sample(
            most=most, most_of_block=min(most, _OF_ONE_INPUT_MOST), seed=terms.seed
        )
        self.texts: Sample[str] = Sample(most=most, most_of_block=1, seed=terms.seed)
        self.said: Sample[Said] = Sample(most=compared, most_of_block=of_question, seed=terms.seed)
        self._strays = set[str]()
        self.without_group = 0
        self.cut = 0

    def add(self, item: Result) -> None:
        """Take an item, whatever became of it.

        Raises:
            UsageError: The column of the right labels holds other things.
        """
        self.tally.add(item)
        if self._run.form == "vectors":  # their result only tells what they are like
            return
        fields = item.fields() if self._reads_rows else {}
        if self._terms.gold is not None:
            self._meet(cells.text(fields.get(self._terms.gold)), item.answer)
        if item.answer is None:
            return
        if self._terms.same_by:
            self.inputs.add(_key(fields, self._terms.same_by), str(item.id), item.answer)
        if self._run.form == "labels":
            self.labels.update(keys_of(item.answer, several=self._run.has_several))
        else:
            self._add_text(str(item.id), item.answer, fields)

    def _meet(self, cell: str | None, answer: str | None) -> None:
        """Count a right label beside the one that was given.

        Raises:
            UsageError: The cell holds no label, as many before it.
        """
        right = self._given.result(cell, several=self._run.has_several)
        if right is not None:
            keys = keys_of(right, several=self._run.has_several)
            self._strays.update(key for key in keys if key not in self._run.labels)
            if len(self._strays) > _STRAYS_MOST:
                raise self._no_labels()
        self.met[right, answer] += 1

    def _add_text(self, name: str, text: str, fields: Mapping[str, Any]) -> None:
        self.ruler.add(text)
        self.cut += len(text) > LONGEST
        self.texts.add(name, name, text[:LONGEST])
        if self._terms.group is None:
            return
        group = cells.text(fields.get(self._terms.group))
        if group is None or not group.strip():
            self.without_group += 1
            return
        question = _key(fields, (self._terms.within,)) if self._terms.within else ""
        speaker = cells.text(fields.get(self._terms.speaker)) if self._terms.speaker else None
        self.said.add(question, name, Said(group, speaker or group, question, text[:LONGEST]))

    def _no_labels(self) -> UsageError:
        shown = ", ".join(repr(stray[:_SHOWN_CHARACTERS]) for stray in sorted(self._strays)[:3])
        return UsageError(
            f"--gold {self._terms.gold}: holds other things than labels, such as {shown}",
            way_out=f"Labels are {', '.join(self._run.labels)}, or their names.",
        )


def _key(fields: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    """The values of some columns, as one text."""
    return jsontext.dumps([fields.get(column) for column in columns])
