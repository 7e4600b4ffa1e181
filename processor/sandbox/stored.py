"""A chat completion that was stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.sandbox.conversation import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A completion that can be fetched again.

    Attributes:
        body: As it was answered.
        turns: That it answers.
    """

    body: Mapping[str, Any]
    turns: tuple[Turn, ...]
    metadata: Mapping[str, str] | None

    @property
    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {**self.body, "metadata": self.metadata or {}}
