"""What must not change in a task under a run: its parts, each as a value or a digest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from processor.tasks.output import Output
from processor.tasks.taskfile import Overriding, TaskFile

_BOUNDS = ("min_chars", "max_chars", "pattern", "forbid", "schema", "structured", "multiple")
_UNBOUND = Output()


def identity_of(file: TaskFile) -> Mapping[str, str]:
    """Part to value, or to a digest of 12 hex digits.

    The cap of output tokens is no part: raising it is the cure for truncated answers. A part that
    few files have is there only where it is: runs begun before it was known go on.
    """
    rare = {
        "messages": file.messages,
        "body": file.body,
        "as_is": file.as_is,
        "overrides": _chosen_by_rows(file.overrides),
    }
    return {
        "model": file.model,
        "endpoint": file.endpoint,
        "prompt": _digest(file.prompt),
        "system": _digest(file.system),
        "examples": _digest(file.examples),
        "parameters": _digest(file.parameters),
        "output": _digest(_result_of(file.output)),
        **{name: _digest(part) for name, part in rare.items() if part},
    }


def _chosen_by_rows(overrides: Overriding) -> Mapping[str, Any]:
    """Which columns choose what; whether a table may lack them changes no request."""
    named = asdict(overrides)
    del named["optional"]
    return named if overrides.model or overrides.parameters else {}


def _result_of(output: Output) -> Sequence[Any]:
    """What makes an answer a result."""
    bounds = {
        name: getattr(output, name)
        for name in _BOUNDS
        if getattr(output, name) != getattr(_UNBOUND, name)
    }
    return [output.kind, output.labels, output.source, *([bounds] if bounds else [])]


def _digest(value: Any) -> str:
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(data).hexdigest()[:12]
