"""A conversation, as the sandbox reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

FLEX = "flex"


class Turn(NamedTuple):
    """One message: who speaks, and the text of its text parts."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A valid request to go on with a conversation.

    Attributes:
        model: As it was asked for.
        turns: The messages in order.
        prompt_tokens: Estimated for all messages.
        max_tokens: Of the answer; None when the request sets no bound.
        choices: How many answers are wanted.
        tier: That serves it: `default`, `flex` or `priority`.
        json_mode: Whether the answer must be a JSON object.
        schema: The JSON Schema that the answer must fit; None for none.
        metadata: To be told with the answer, where that is stored.
        stored: Whether the answer can be fetched again.
        streamed: Whether it is sent as a stream of events.
        streams_usage: Whether that ends in the usage.
    """

    model: str
    turns: tuple[Turn, ...]
    prompt_tokens: int
    max_tokens: int | None = None
    choices: int = 1
    tier: str = "default"
    json_mode: bool = False
    schema: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] | None = None
    stored: bool = False
    streamed: bool = False
    streams_usage: bool = False

    @property
    def charge_tokens(self) -> int:
        """What the limits count it for: a bound reserves what it allows."""
        return max(self.max_tokens or 0, self.prompt_tokens)
