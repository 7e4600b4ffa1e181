"""The model and the parameters that a row names for itself."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

from processor.errors import TaskError
from processor.tasks.taskfile import Overriding

_NUMBER = "a number"
_WHOLE = "a whole number"
_FLAG = "true or false"
_TEXT = "text"

# What OpenAI's endpoints take; of other parameters the task's own value tells.
_WANTED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("frequency_penalty", "presence_penalty", "temperature", "top_p"),
            _NUMBER,
        ),
        **dict.fromkeys(
            (
                "dimensions",
                "max_completion_tokens",
                "max_output_tokens",
                "max_tokens",
                "n",
                "seed",
                "top_logprobs",
            ),
            _WHOLE,
        ),
        **dict.fromkeys(("logprobs", "parallel_tool_calls", "store"), _FLAG),
        **dict.fromkeys(("reasoning_effort", "service_tier", "user", "verbosity"), _TEXT),
    }
)
_WANTED_BY_TYPE: Mapping[type, str] = MappingProxyType(
    {bool: _FLAG, int: _NUMBER, float: _NUMBER, str: _TEXT}
)


class Overrides:
    """Reads them from a row.

    Args:
        columns: Where they stand.
        own: The task's own parameters.

    Attributes:
        columns: Their names.
    """

    def __init__(self, columns: Overriding, own: Mapping[str, Any]) -> None:
        self._model = columns.model
        model = () if columns.model is None else (columns.model,)
        self.columns: Sequence[str] = (*model, *columns.parameters.values())
        self._parameters = [
            (name, column, _WANTED.get(name) or _WANTED_BY_TYPE.get(type(own.get(name))))
            for name, column in columns.parameters.items()
        ]

    def __bool__(self) -> bool:
        return bool(self.columns)

    def problem_with(self, fields: Mapping[str, Any]) -> str | None:
        """Why a row's values cannot be sent; None when they can."""
        try:
            self.model(fields)
            self.parameters(fields)
        except TaskError as error:
            return str(error)
        return None

    def model(self, fields: Mapping[str, Any]) -> str | None:
        """The row's model; None for the task's.

        Raises:
            TaskError: It is no text.
        """
        found = None if self._model is None else fields.get(self._model)
        if _is_empty(found):
            return None
        if not isinstance(found, str):
            raise TaskError(f"{self._model} must name a model, and is {found!r}")
        return found.strip()

    def parameters(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The row's parameters.

        Raises:
            TaskError: One is of the wrong type.
        """
        own = {}
        for name, column, wanted in self._parameters:
            value = fields.get(column)
            if _is_empty(value):
                continue
            try:
                own[name] = _read(value, wanted)
            except ValueError as error:
                said = f"{column} must be {wanted}, as {name} is, and is {value!r}"
                raise TaskError(said) from error
        return own


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def _read(value: Any, wanted: str | None) -> Any:
    """A value as a parameter takes it; CSV knows text only.

    Raises:
        ValueError: It is no such value.
    """
    if wanted == _TEXT and isinstance(value, str):
        return value
    if isinstance(value, str):
        try:
            value = orjson.loads(value.casefold() if wanted == _FLAG else value)
        except orjson.JSONDecodeError:
            if wanted is None:
                return value
            raise
    if wanted is not None and not _FITS[wanted](value):
        raise ValueError(value)
    return int(value) if wanted == _WHOLE else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_FITS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        _NUMBER: _is_number,
        _WHOLE: _is_whole,
        _FLAG: lambda value: isinstance(value, bool),
        _TEXT: lambda value: isinstance(value, str),
    }
)
