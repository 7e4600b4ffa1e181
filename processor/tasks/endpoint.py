"""Endpoints of the API: under which keys of a request they take what a task says."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

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
    def caps(self) -> Sequence[str]:
        """The keys under which a cap of output tokens may stand."""

    def cap(self, model: str) -> str:
        """The key under which a model takes it."""

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """A conversation as part of a request."""

    def formatted(self, name: str, schema: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """The wish for an answer that fits a JSON Schema, as part of a request."""


class Chat:
    """Chat completions."""

    path = "/v1/chat/completions"
    turns = "messages"
    caps = ("max_completion_tokens", "max_tokens")

    def cap(self, model: str) -> str:
        """OpenAI's models know one, all others the other."""
        return self.caps[0] if _OPENAI_MODEL.match(model) else self.caps[1]

    def said(self, messages: list[Message]) -> dict[str, Any]:
        """The messages as they are."""
        return {"messages": messages}

    def formatted(self, name: str, schema: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """As `response_format`."""
        wish = {"name": name, "schema": schema, "strict": strict}
        return {"response_format": {"type": "json_schema", "json_schema": wish}}


def message(role: str, content: str) -> Message:
    """A message, as every endpoint takes it."""
    return {"role": role, "content": content}


def continued(turns: Any, answer: str, problem: str) -> list[Message]:
    """A conversation, or the one text that it consists of, with an answer and its problem."""
    begun = [message("user", turns)] if isinstance(turns, str) else turns
    return [*begun, message("assistant", answer), message("user", problem)]


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType({each.path: each for each in (Chat(),)})
