"""A label read from an answer: strictly, because a wrong label looks like a right one."""

import re
import unicodedata
from collections.abc import Mapping

from processor.items import Accepted, Invalid, Item

# Of "답: 중립", what stands before the label; a digit there is an answer.
_LEAD = re.compile(r"[^\W\d]+\s*[:=]\s*")
_AROUND = " \t\r\n\"'`*.()[]{}「」“”‘’"
_IN_PARENTHESES = re.compile(r"(.+?)\s*\((.+)\)")
_NUMBER = re.compile(r"(?<![\d.,\-−])\d+(?![\d%]|[.,]\d)")


class LabelCheck:
    """Accepts an answer that means exactly one label; the result is the label's key.

    Meant are: the key alone; a key of digits among words ("답: 1", "1번입니다"), full-width too;
    the name or one of its two halves for the key ("중립 (Neutral)", "중립", "neutral"). Two
    labels, a digit beside another label's name, and anything else are invalid.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._keys = {_folded(key): key for key in labels}
        aliases = [(alias, key) for key, name in labels.items() for alias in _aliases(name)]
        shared = {
            alias for alias, key in aliases if any(a == alias and k != key for a, k in aliases)
        }
        self._names = {alias: key for alias, key in aliases if alias not in shared}

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The label's key, or what is wrong with the answer."""
        text = _folded(answer)
        exact = self._exact(text) or self._exact(_LEAD.sub("", text, count=1))
        found = {exact} if exact is not None else self._numbers(text)
        if len(found) == 1:
            (key,) = found
            if exact is not None or self._agrees(text, key):
                return Accepted(result=key)
        keys = ", ".join(self._labels)
        said = "names more than one label" if found else "names no label"
        return Invalid(problem=f"The answer {said}. Answer with exactly one of: {keys}.")

    def _exact(self, text: str) -> str | None:
        text = text.strip(_AROUND)
        return self._keys.get(text) or self._names.get(text)

    def _numbers(self, text: str) -> set[str]:
        return {self._keys[number] for number in _NUMBER.findall(text) if number in self._keys}

    def _agrees(self, text: str, key: str) -> bool:
        named = {other for alias, other in self._names.items() if len(alias) > 1 and alias in text}
        return not named or key in named


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _aliases(name: str) -> list[str]:
    """The ways in which a name is written: "중립 (Neutral)", "중립", "neutral"."""
    whole = _folded(name)
    halves = _IN_PARENTHESES.fullmatch(whole)
    return [whole.strip(_AROUND), *(halves.groups() if halves else ())]
