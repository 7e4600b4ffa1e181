"""What a task says to the model: a prompt, messages or a whole request, as its file has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from processor.tasks.endpoint import Endpoint, message
from processor.tasks.structure import Structure
from processor.tasks.taskfile import TaskFile
from processor.tasks.template import Template


class Wording(Protocol):
    """Something to say about a row."""

    @property
    def required(self) -> Sequence[str]:
        """The fields it cannot do without, sorted."""

    def said(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A request's part about one row; what is in it may be shared with other rows.

        Raises:
            TaskError: A required field is missing or null, or an expression fails on it.
        """


def wording_of(file: TaskFile, endpoint: Endpoint, *, where: str) -> Wording:
    """The compiled wording of a task file.

    Raises:
        TaskError: A template's syntax is wrong; names its place.
    """
    if file.body:
        capped = endpoint.caps if file.max_output_tokens is not None else ()
        body = {key: value for key, value in file.body.items() if key not in capped}
        return _Body(body, where=where)
    if file.messages:
        return _Messages(file.messages, endpoint, where=where)
    return _Prompt(file, endpoint, where=where)


class _Prompt:
    """The text of the user's last message, after what stands as it is."""

    def __init__(self, file: TaskFile, endpoint: Endpoint, *, where: str) -> None:
        self._template = Template(file.prompt, where=f"{where}: prompt")
        self._endpoint = endpoint
        self._before = [
            *([message("system", file.system)] if file.system else []),
            *(
                message(role, content)
                for example in file.examples
                for role, content in zip(("user", "assistant"), example, strict=True)
            ),
        ]
        self.required = self._template.required

    def said(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        last = message("user", self._template.render(fields))
        return self._endpoint.said([*self._before, last])


class _Messages:
    """All messages as templates."""

    def __init__(
        self, messages: Sequence[Mapping[str, Any]], endpoint: Endpoint, *, where: str
    ) -> None:
        self._messages = Structure(list(messages), where=f"{where}: messages", typed=False)
        self._endpoint = endpoint
        self.required = self._messages.required

    def said(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return self._endpoint.said(self._messages.render(fields))


class _Body:
    """A whole request as templates."""

    def __init__(self, body: Mapping[str, Any], *, where: str) -> None:
        self._body = Structure(body, where=f"{where}: body", typed=True)
        self.required = self._body.required

    def said(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = self._body.render(fields)
        return body
