"""The wish for structured output: the schema of an answer as a part of the request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.tasks import strictness
from processor.tasks.endpoint import Endpoint
from processor.tasks.taskfile import TaskFile

_NAME_CHARS = 64


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        key: Of the request.
        value: To be merged into what stands there.
        advice: What its author should know, to be read after the schema's name; may be empty.
    """

    key: str
    value: Mapping[str, Any]
    advice: str = ""

    def put_into(self, body: dict[str, Any]) -> None:
        """Ask for it in a request."""
        body[self.key] = {**body.get(self.key, {}), **self.value}


def wish_of(file: TaskFile, endpoint: Endpoint) -> Wish | None:
    """The wish of a task file; None where it has none, or has put one into the request itself."""
    schema = file.output.sent_schema
    if schema is None or not strictness.is_object(schema):
        return None
    problem = strictness.problem_with(schema)
    wish = endpoint.formatted(file.name[:_NAME_CHARS], schema, strict=problem is None)
    ((key, value),) = wish.items()
    set_already = file.parameters.get(key, file.body.get(key, {}))
    if (
        key in file.overrides.parameters
        or not isinstance(set_already, Mapping)
        or not value.keys().isdisjoint(set_already)
    ):
        return None
    return Wish(key, value, f"is sent with strict = false, because {problem}" if problem else "")


def advice_on(file: TaskFile, wish: Wish | None) -> str:
    """What the author of a task file should know about its schema; empty for nothing."""
    if wish is not None:
        return wish.advice
    schema = file.output.sent_schema
    if schema is None or strictness.is_object(schema):
        return ""
    return "is not sent, because its type is not object"
