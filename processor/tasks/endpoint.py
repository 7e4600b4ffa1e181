"""Endpoints of the API: under which keys of a request they take what a task says."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from processor.errors import TaskError

Message = Mapping[str, Any]

# OpenAI's models, also behind a router ("openai/gpt-…") and fine-tuned ("ft:gpt-…"). They know
# max_completion_tokens, the later ones nothing else; other servers know max_tokens.
_OPENAI_MODEL = re.compile(r"(?:openai/)?(?:ft:)?(?:gpt-(?!oss)|chatgpt-|o\d)")


class Endpoint(Protocol):
    """One route of the API."""

    @property
    def path(self) -> str:
        """Such as `/v1/chat/completions`."""

    @property
    def turns(self) -> str:
        """The key under which messages stand, and answers that are asked again."""

    @property
    def usual(self) -> Mapping[str, Any]:
        """What a request holds unless the task says otherwise."""

    @property
    def caps(self) -> Sequence[str]:
        """The keys under which a cap of output tokens may stand."""

    def cap(self, model: str) -> str:
        """The key under which a model takes it.

        Raises:
            TaskError: None does.
        """

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """A conversation as part of a request."""

    def continued(self, turns: Any, answer: str, problem: str) -> Any:
        """What stands under `turns`, with an answer and what is wrong with it."""

    def formatted(self, name: str, schema: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """The wish for an answer that fits a JSON Schema, as part of a request.

        Raises:
            TaskError: Nothing here gives one.
        """


class Chat:
    """Chat completions."""

    path = "/v1/chat/completions"
    turns = "messages"
    usual: Mapping[str, Any] = MappingProxyType({})
    caps = ("max_completion_tokens", "max_tokens")

    def cap(self, model: str) -> str:
        """OpenAI's models know one, all others the other."""
        return self.caps[0] if _OPENAI_MODEL.match(model) else self.caps[1]

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """The messages as they are."""
        return {"messages": messages}

    def continued(self, turns: Any, answer: str, problem: str) -> Any:
        """Two more messages."""
        return _continued(turns, answer, problem)

    def formatted(self, name: str, schema: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """As `response_format`."""
        wish = {"name": name, "schema": schema, "strict": strict}
        return {"response_format": {"type": "json_schema", "json_schema": wish}}


class Responses:
    """Responses, of which the provider is asked to keep no copy.

    Left to itself it keeps each for a month, rows of the table and all; chat completions it does
    not keep, and nothing here ever asks for one again.
    """

    path = "/v1/responses"
    turns = "input"
    usual: Mapping[str, Any] = MappingProxyType({"store": False})
    caps = ("max_output_tokens",)

    def cap(self, _model: str) -> str:
        """The same for every model."""
        return self.caps[0]

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """What the system says first as instructions, all else as input."""
        first = messages[0]
        if first["role"] != "system" or not isinstance(first["content"], str):
            return {"input": messages}
        return {"instructions": first["content"], "input": messages[1:]}

    def continued(self, turns: Any, answer: str, problem: str) -> Any:
        """Two more messages."""
        return _continued(turns, answer, problem)

    def formatted(self, name: str, schema: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """As the format of the text."""
        wish = {"type": "json_schema", "name": name, "schema": schema, "strict": strict}
        return {"text": {"format": wish}}


class Embeddings:
    """Vectors of texts, as base64: a third of the bytes that their digits take."""

    path = "/v1/embeddings"
    turns = "input"
    usual: Mapping[str, Any] = MappingProxyType({"encoding_format": "base64"})
    caps = ()

    def cap(self, model: str) -> str:
        """There is none.

        Raises:
            TaskError: Always.
        """
        raise TaskError(f"max_output_tokens: {model} writes no text")

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """The text alone."""
        return {"input": messages[-1]["content"]}

    def continued(self, turns: Any, _answer: str, _problem: str) -> Any:
        """The same text: nobody is there who could listen."""
        return turns

    def formatted(
        self,
        _name: str,
        _schema: Mapping[str, Any],
        *,
        strict: bool,  # noqa: ARG002 - one signature for all
    ) -> dict[str, Any]:
        """There is none.

        Raises:
            TaskError: Always.
        """
        raise TaskError(f"output: schema: {self.path} has none")


def message(role: str, content: str) -> Message:
    """A message, as every endpoint takes it."""
    return {"role": role, "content": content}


def _continued(turns: Any, answer: str, problem: str) -> list[Message]:
    """A conversation, or the one text that it consists of, with an answer and its problem."""
    begun = [message("user", turns)] if isinstance(turns, str) else turns
    return [*begun, message("assistant", answer), message("user", problem)]


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {each.path: each for each in (Chat(), Responses(), Embeddings())}
)
