"""A task file: TOML, validated key by key."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.errors import TaskError
from processor.tasks.endpoint import ENDPOINTS, Chat, Embeddings
from processor.tasks.keys import expect, expect_json
from processor.tasks.output import Output, parse_output

_HERE = Path()
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TOP_LEVEL: Mapping[str, type] = {
    "name": str,
    "description": str,
    "model": str,
    "endpoint": str,
    "id": str,
    "query": str,
    "system": str,
    "prompt": str,
    "examples": list,
    "messages": list,
    "body": dict,
    "as_is": bool,
    "max_output_tokens": int,
    "parameters": dict,
    "overrides": dict,
    "output": dict,
}
_EXAMPLE: Mapping[str, type] = {"user": str, "assistant": str}
_OVERRIDES: Mapping[str, type] = {"model": str, "parameters": dict, "optional": bool}
_ROLES = ("system", "developer", "user", "assistant", "tool")
# What is said to the model stands in one of these; system and examples go with prompt.
_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("system", "prompt", "examples"),
    "messages": ("messages",),
    "body": ("body",),
    "as_is": ("as_is",),
}
# The request is made of these; setting them twice would send one of the two.
_NOT_PARAMETERS = ("model", "messages", "input", "instructions", "stream", "background")
_NOT_BODY = ("model", "stream", "background")
# Nobody is there to whom they could be said.
_NOT_EMBEDDED = ("system", "examples", "messages", "max_output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """Columns whose values take the place of the task's, row by row, where they are not empty.

    Attributes:
        model: Holds the model; None for the task's own.
        parameters: Parameter to the column that holds it.
        optional: A table need not have these columns.
    """

    model: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """The values of a task file. What is said is one of `prompt`, `messages`, `body`, `as_is`.

    Attributes:
        description: One line for lists of tasks.
        id: The field that identifies an item, or `row`.
        query: A SELECT, for rows that come from a database when nobody says which; may be empty.
        system: Sent before the prompt, as it stands; may be empty.
        prompt: Jinja2 source of the user's message.
        examples: (user, assistant) pairs, sent before the prompt as they stand.
        messages: All messages; every string in them is a template.
        body: The request but for its model; every string in it is a template.
        as_is: Rows are requests: their column `body` goes to the endpoint in their column `url`.
        max_output_tokens: Cap of an answer; None for the model's own.
        parameters: Sent as they are.
    """

    name: str
    model: str
    prompt: str = ""
    description: str = ""
    endpoint: str = Chat.path
    id: str = "id"
    query: str = ""
    system: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    messages: tuple[Mapping[str, Any], ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    as_is: bool = False
    max_output_tokens: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    overrides: Overriding = field(default_factory=Overriding)
    output: Output = field(default_factory=Output)

    @property
    def dimensions(self) -> int | None:
        """How many numbers of a vector are asked for; None for as many as there are."""
        asked: int | None = {**self.body, **self.parameters}.get("dimensions")
        return asked


def parse(text: str, *, where: str, folder: Path = _HERE) -> TaskFile:
    """The values in a task file's text.

    Args:
        text: TOML.
        where: The file as the user named it, for messages.
        folder: The file's, in which it names others.

    Raises:
        TaskError: Not TOML, an unknown or missing key, a value of the wrong type or range; one
            line that names the file and the key.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{where}: not TOML: {error}") from error
    return parse_values(table, where=where, folder=folder)


def parse_values(table: Mapping[str, Any], *, where: str, folder: Path = _HERE) -> TaskFile:
    """The same from the table that the text stands for.

    Raises:
        TaskError: An unknown or missing key, a value of the wrong type or range.
    """
    expect(table, _TOP_LEVEL, where)
    expect_json(table, where)
    for key in ("name", "model"):
        if not table.get(key, "").strip():
            raise TaskError(f"{where}: {key}: missing")
    _check_wording(table, where)
    values = dict(table)
    values["examples"] = _examples(table.get("examples", []), where)
    values["messages"] = _messages(table.get("messages", []), where)
    values["overrides"] = _overriding(table.get("overrides", {}), f"{where}: overrides")
    output = parse_output(table.get("output", {}), f"{where}: output", folder)
    if output.kind == "embedding":
        values.setdefault("endpoint", Embeddings.path)
    task = TaskFile(**{**values, "output": output})
    _check(task, where)
    if task.as_is and (task.parameters or task.overrides.parameters or output.kind != "text"):
        raise TaskError(f"{where}: as_is: has no parameters, and the kind 'text'")
    embeds = task.endpoint == Embeddings.path
    if embeds != (output.kind == "embedding"):
        raise TaskError(f"{where}: endpoint: {task.endpoint} does not answer {output.kind!r}")
    if embeds:
        _check_embedding(task, table, where)
    return task


def _check_wording(table: Mapping[str, Any], where: str) -> None:
    """Refuses a file that says nothing, and one that says it in two ways."""
    wordings = [name for name in _WORDINGS if table.get(name)]
    if not wordings or (wordings == ["prompt"] and not table["prompt"].strip()):
        raise TaskError(f"{where}: prompt: missing")
    if len(wordings) > 1:
        raise TaskError(f"{where}: {wordings[0]} and {wordings[1]} exclude each other")
    for name, keys in _WORDINGS.items():
        for key in keys:
            if name != wordings[0] and key in table:
                raise TaskError(f"{where}: {key} goes with {name}, not with {wordings[0]}")


def _examples(values: list[Any], where: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for number, value in enumerate(values, start=1):
        place = f"{where}: examples: number {number}"
        if not isinstance(value, dict) or set(value) != set(_EXAMPLE):
            raise TaskError(f"{place}: must be a table with user and assistant")
        expect(value, _EXAMPLE, place)
        pairs.append((value["user"], value["assistant"]))
    return tuple(pairs)


def _messages(values: list[Any], where: str) -> tuple[Mapping[str, Any], ...]:
    for number, value in enumerate(values, start=1):
        place = f"{where}: messages: number {number}"
        if not isinstance(value, dict) or not {"role", "content"} <= value.keys():
            raise TaskError(f"{place}: must be a table with role and content")
        if value["role"] not in _ROLES:
            there_are = ", ".join(_ROLES)
            raise TaskError(f"{place}: role: no {value['role']!r}; there are {there_are}")
        if not isinstance(value["content"], str | list):
            raise TaskError(f"{place}: content: must be text, or an array of parts")
    return tuple(values)


def _overriding(table: Mapping[str, Any], where: str) -> Overriding:
    expect(table, _OVERRIDES, where)
    parameters = table.get("parameters", {})
    expect(parameters, dict.fromkeys(parameters, str), f"{where}: parameters")
    for key, column in [("model", table.get("model", "-")), *parameters.items()]:
        if not column.strip():
            raise TaskError(f"{where}: {key}: must name a column")
    return Overriding(**table)


def _check(task: TaskFile, where: str) -> None:
    if not _NAME.fullmatch(task.name):
        raise TaskError(
            f"{where}: name: must be of the letters a to z, digits, - and _, is {task.name!r}"
        )
    if task.endpoint not in ENDPOINTS:
        there_are = ", ".join(ENDPOINTS)
        raise TaskError(f"{where}: endpoint: no {task.endpoint!r}; there are {there_are}")
    if not task.id.strip():
        raise TaskError(f"{where}: id: must name a field, or be row")
    if task.max_output_tokens is not None and task.max_output_tokens < 1:
        raise TaskError(f"{where}: max_output_tokens: must be 1 or more")
    turns = ENDPOINTS[task.endpoint].turns
    for key in (*_NOT_PARAMETERS, turns):
        if key in task.parameters or key in task.overrides.parameters:
            raise TaskError(f"{where}: parameters: {key} is not a parameter of a task")
    if task.body:
        _check_body(task, turns, where)


def _check_embedding(task: TaskFile, table: Mapping[str, Any], where: str) -> None:
    for key in _NOT_EMBEDDED:
        if key in table:
            raise TaskError(f"{where}: {key}: kind 'embedding' has none")
    if not isinstance(task.body.get("input", ""), str):
        raise TaskError(f"{where}: body: input: must be text: a row has one vector")
    if "dimensions" in task.overrides.parameters:
        raise TaskError(f"{where}: overrides: dimensions: all vectors of a run have one length")
    asked: Any = task.dimensions
    if asked is not None and (type(asked) is not int or asked < 1):
        raise TaskError(f"{where}: parameters: dimensions: must be 1 or more, is {asked!r}")


def _check_body(task: TaskFile, turns: str, where: str) -> None:
    if turns not in task.body:
        raise TaskError(f"{where}: body: {turns}: missing; {task.endpoint} needs it")
    for key in _NOT_BODY:
        if key in task.body:
            raise TaskError(f"{where}: body: {key} does not belong into it")
    for key in task.parameters:
        if key in task.body:
            raise TaskError(f"{where}: body: {key} stands in parameters, too")
