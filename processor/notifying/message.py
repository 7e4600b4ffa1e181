"""Something that is told of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.occasion import Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told.

    Attributes:
        title: One line.
        body: Some lines of plain text.
        facts: The same for programs, as JSON values.
    """

    occasion: Occasion
    title: str
    body: str
    facts: Mapping[str, Any]
