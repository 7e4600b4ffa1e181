"""A task file: TOML, validated key by key."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from processor.errors import TaskError

KINDS = ("text", "label", "latex")
ENDPOINTS = ("/v1/chat/completions",)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TOML_TYPES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    dict: "a table",
    list: "an array",
}
_TOP_LEVEL: Mapping[str, type] = {
    "name": str,
    "description": str,
    "model": str,
    "endpoint": str,
    "id": str,
    "system": str,
    "prompt": str,
    "examples": list,
    "max_output_tokens": int,
    "parameters": dict,
    "output": dict,
}
_OUTPUT: Mapping[str, type] = {"kind": str, "labels": dict, "source": str, "reask": int}
_EXAMPLE: Mapping[str, type] = {"user": str, "assistant": str}
# The request is made of these; setting them twice would send one of the two.
_NOT_PARAMETERS = ("model", "messages", "stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an answer must be.

    Attributes:
        kind: One of `KINDS`.
        labels: For `label`: key, as the model answers it, to name.
        source: For `latex`: the field with the MathML that the answer is compared with.
        reask: How many times an invalid answer is asked again.
    """

    kind: str = "text"
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    reask: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """The values of a task file.

    Attributes:
        description: One line for lists of tasks.
        id: The field that identifies an item, or `row`.
        system: Sent first, as it stands; may be empty.
        prompt: Jinja2 source of the user's message.
        examples: (user, assistant) pairs, sent as they stand.
        max_output_tokens: Cap of an answer; None for the model's own.
        parameters: Sent as they are.
    """

    name: str
    model: str
    prompt: str
    description: str = ""
    endpoint: str = ENDPOINTS[0]
    id: str = "id"
    system: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    max_output_tokens: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    output: Output = field(default_factory=Output)


def parse(text: str, *, where: str) -> TaskFile:
    """The values in a task file's text.

    Args:
        text: TOML.
        where: The file as the user named it, for messages.

    Raises:
        TaskError: Not TOML, an unknown or missing key, a value of the wrong type or range; one
            line that names the file and the key.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{where}: not TOML: {error}") from error
    _expect(table, _TOP_LEVEL, where)
    for key in ("name", "model", "prompt"):
        if not table.get(key, "").strip():
            raise TaskError(f"{where}: {key}: missing")
    values = dict(table)
    values["examples"] = _examples(table.get("examples", []), where)
    values["output"] = _output(table.get("output", {}), f"{where}: output")
    task = TaskFile(**values)
    _check(task, where)
    return task


def _expect(table: Mapping[str, Any], keys: Mapping[str, type], where: str) -> None:
    for key, value in table.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            known = f"did you mean {near[0]}" if near else f"known are {', '.join(keys)}"
            raise TaskError(f"{where}: {key}: unknown key; {known}")
        # bool is an int to Python, not to the author of a file.
        if not isinstance(value, keys[key]) or isinstance(value, bool):
            raise TaskError(f"{where}: {key}: must be {_TOML_TYPES[keys[key]]}, is {value!r}")


def _examples(values: list[Any], where: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for number, value in enumerate(values, start=1):
        place = f"{where}: examples: number {number}"
        if not isinstance(value, dict) or set(value) != set(_EXAMPLE):
            raise TaskError(f"{place}: must be a table with user and assistant")
        _expect(value, _EXAMPLE, place)
        pairs.append((value["user"], value["assistant"]))
    return tuple(pairs)


def _output(table: Mapping[str, Any], where: str) -> Output:
    _expect(table, _OUTPUT, where)
    for key, name in table.get("labels", {}).items():
        if not key.strip() or not isinstance(name, str) or not name.strip():
            raise TaskError(f"{where}: labels: {key!r} must have a name, is {name!r}")
    output = Output(**table)
    if output.kind not in KINDS:
        raise TaskError(f"{where}: kind: no kind {output.kind!r}; there are {', '.join(KINDS)}")
    if not 0 <= output.reask <= 5:
        raise TaskError(f"{where}: reask: must be 0 to 5, is {output.reask}")
    if (output.kind == "label") != bool(output.labels):
        said = "missing" if output.kind == "label" else f"kind {output.kind!r} has none"
        raise TaskError(f"{where}: labels: {said}")
    _expect_distinct(output.labels, where)
    if output.source is not None and output.kind != "latex":
        raise TaskError(f"{where}: source: kind {output.kind!r} has none")
    return output


def _expect_distinct(labels: Mapping[str, str], where: str) -> None:
    """Refuses labels that an answer could not tell apart."""
    seen: dict[str, str] = {}
    for key, name in labels.items():
        for word in (key, name):
            if seen.setdefault(word.strip().casefold(), key) != key:
                raise TaskError(f"{where}: labels: {word!r} stands for more than one label")


def _check(task: TaskFile, where: str) -> None:
    if not _NAME.fullmatch(task.name):
        raise TaskError(f"{where}: name: must be of letters, digits, - and _, is {task.name!r}")
    if task.endpoint not in ENDPOINTS:
        there_are = ", ".join(ENDPOINTS)
        raise TaskError(f"{where}: endpoint: no {task.endpoint!r}; there are {there_are}")
    if not task.id.strip():
        raise TaskError(f"{where}: id: must name a field, or be row")
    if task.max_output_tokens is not None and task.max_output_tokens < 1:
        raise TaskError(f"{where}: max_output_tokens: must be 1 or more")
    for key in _NOT_PARAMETERS:
        if key in task.parameters:
            raise TaskError(f"{where}: parameters: {key} is not a parameter of a task")
