"""A JSON value as an answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from processor import jsontext
from processor.items import Accepted, Invalid, Item
from processor.tasks.fence import NOTE, without_fence
from processor.tasks.schema import Schema

# orjson reads integers that are longer than 64 bits as floats.
_LONG_NUMBER = re.compile(r"\d{19}")


class JsonCheck:
    """Accepts an answer that is JSON and fits a schema; a code fence round it is taken off.

    The result is compact JSON, its keys in the order of the answer.

    Args:
        schema: JSON Schema.
        where: File and key, for messages.

    Raises:
        TaskError: It is no JSON Schema.
    """

    def __init__(self, schema: Mapping[str, Any], *, where: str) -> None:
        self._schema = Schema(schema, where=where)

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The value, or what is wrong with the answer."""
        text, is_fenced = without_fence(answer)
        try:
            value = _read(text)
            result = jsontext.dumps(value).strip()
        except ValueError as error:
            return Invalid(problem=f"The answer is not JSON: {error}. Answer with the JSON alone.")
        problems = self._schema.problems(value)
        if problems:
            said = "; ".join(problems)
            return Invalid(
                problem=f"The answer does not fit its JSON Schema: {said}. "
                "Answer with the mended JSON alone."
            )
        return Accepted(result=result, notes=(NOTE,) if is_fenced else ())


def _read(text: str) -> Any:
    """The value of a text.

    Raises:
        ValueError: It is no JSON, or nested too deeply to be read.
    """
    value = orjson.loads(text)
    if not _LONG_NUMBER.search(text):
        return value
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
