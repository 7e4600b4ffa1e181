"""What happens while a run works, as a value; logs and screens turn it into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened.

    Attributes:
        event: Its name, such as `rate_limit`.
        serious: Whether it deserves a warning.
        facts: What belongs to it.
    """

    event: str
    serious: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
