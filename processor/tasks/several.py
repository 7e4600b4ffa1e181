"""Several labels read from an answer, each as strictly as one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from processor import labels as results
from processor.items import Accepted, Invalid, Item
from processor.tasks.fence import NOTE, without_fence
from processor.tasks.label import Vocabulary, without_lead

_KEY = "labels"
_SHOWN_CHARACTERS = 40


def schema_of(labels: Mapping[str, str]) -> Mapping[str, Any]:
    """The JSON Schema of an answer; the whole must be an object to be sent to a provider."""
    listed = {"type": "array", "items": {"type": "string", "enum": list(labels)}, "minItems": 1}
    return {
        "type": "object",
        "properties": {_KEY: listed},
        "required": [_KEY],
        "additionalProperties": False,
    }


class SeveralLabelsCheck:
    """Accepts an answer that names one label or more, and nothing else.

    That is a JSON list, an object with such under `labels`, or labels between commas; each by its
    key, its name or a half of that. The result is a JSON list of keys in the order of the labels,
    each once. An answer without a label is invalid: where none may fit, that is a label, too.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._vocabulary = Vocabulary(labels)

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The labels' keys, or what is wrong with the answer."""
        text, is_fenced = without_fence(answer)
        keys = set[str]()
        for part in _parts(text):
            key = self._vocabulary.exact(part) if isinstance(part, str) else None
            if key is None:
                shown = part.strip() if isinstance(part, str) else json.dumps(part)
                return self._invalid(f"names {shown[:_SHOWN_CHARACTERS]!r}, which is no label")
            keys.add(key)
        if not keys:
            return self._invalid("names no label")
        result = results.result_of(keys, self._labels)
        return Accepted(result=result, notes=(NOTE,) if is_fenced else ())

    def _invalid(self, said: str) -> Invalid:
        keys = ", ".join(self._labels)
        return Invalid(
            problem=f"The answer {said}. Answer with a JSON list of one or more of: {keys}."
        )


def _parts(text: str) -> Sequence[Any]:
    """What stands for a label each; a text, or what can be none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _between_commas(text)
    if isinstance(value, dict) and value.keys() == {_KEY}:
        value = value[_KEY]
    listed = value if isinstance(value, list) else [value]
    # Numbers without quotes are keys, too.
    return [str(one) if type(one) is int else one for one in listed]


def _between_commas(text: str) -> list[str]:
    parts = without_lead(text).split(",")  # the full-width comma is folded to it
    return [] if parts == [""] else parts
