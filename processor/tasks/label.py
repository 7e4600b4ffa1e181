"""A label read from an answer: strictly, because a wrong label looks like a right one."""

import re
import unicodedata
from collections.abc import Mapping

from processor.items import Accepted, Invalid, Item

# Of "답: 중립", what stands before the label; a digit there is an answer.
# From where a word begins, so that one without an end is looked at once.
_LEAD = re.compile(r"(?<![^\W\d])[^\W\d]++\s*+[:=]\s*")
_AROUND = " \t\r\n\"'`*.()[]{}「」“”‘’"
_IN_PARENTHESES = re.compile(r"(.+?)\s*\((.+)\)")
_NUMBER = re.compile(r"(?<![\d.,\-−])\d+(?![\d%]|[.,]\d)")


class Vocabulary:
    """The words that mean a label: its key, its name, and the two halves of that.

    Attributes:
        keys: Folded key to key.
        names: Folded name, or half of one, to key; without what two labels share.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.keys = {folded(key): key for key in labels}
        aliases = [(alias, key) for key, name in labels.items() for alias in _aliases(name)]
        shared = {
            alias for alias, key in aliases if any(a == alias and k != key for a, k in aliases)
        }
        self.names = {alias: key for alias, key in aliases if alias not in shared}

    def exact(self, text: str) -> str | None:
        """The key of the label that a text is, but for marks round it; None for none."""
        text = folded(text).strip(_AROUND)
        return self.keys.get(text) or self.names.get(text) or self._of_halves(text)

    def _of_halves(self, text: str) -> str | None:
        """The key of a name whose halves are written in their own way: "Neutral(중립"."""
        first, _, second = text.partition("(")
        key = self.names.get(first.strip())
        return key if key is not None and key == self.names.get(second.strip()) else None


class LabelCheck:
    """Accepts an answer that means exactly one label; the result is the label's key.

    Meant are: the key alone; a key of digits among words ("답: 1", "1번입니다"), full-width too;
    the name or one of its two halves for the key ("중립(Neutral)", "중립", "neutral"). Two
    labels, a digit beside another label's name, and anything else are invalid.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._vocabulary = Vocabulary(labels)

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The label's key, or what is wrong with the answer."""
        text = folded(answer)
        exact = self._vocabulary.exact(text) or self._vocabulary.exact(without_lead(text))
        found = {exact} if exact is not None else self._numbers(text)
        if len(found) == 1:
            (key,) = found
            if exact is not None or self._agrees(text, key):
                return Accepted(result=key)
        keys = ", ".join(self._labels)
        said = "names more than one label" if found else "names no label"
        return Invalid(problem=f"The answer {said}. Answer with exactly one of: {keys}.")

    def _numbers(self, text: str) -> set[str]:
        keys = self._vocabulary.keys
        return {keys[number] for number in _NUMBER.findall(text) if number in keys}

    def _agrees(self, text: str, key: str) -> bool:
        names = self._vocabulary.names
        named = {other for alias, other in names.items() if len(alias) > 1 and alias in text}
        return not named or key in named


def without_lead(text: str) -> str:
    """A text, folded, without a word like "답:" before it."""
    return _LEAD.sub("", folded(text), count=1)


def folded(text: str) -> str:
    """A text without what does not tell labels apart: capitals, full-width forms, white space."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _aliases(name: str) -> list[str]:
    """The ways in which a name is written: "중립 (Neutral)", "중립", "neutral"."""
    whole = folded(name)
    halves = _IN_PARENTHESES.fullmatch(whole)
    return [whole.strip(_AROUND), *(halves.groups() if halves else ())]
