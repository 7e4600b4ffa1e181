"""What the process that sends messages is given, and what it answers: JSON between two of ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from processor.notifying.message import Message
from processor.occasion import Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something to be done with addresses.

    Attributes:
        addresses: Secrets.
        message: What to send to each; None to see only whether they can be understood.
        most_s: Seconds that it may take in all.
        report_of: Folder of the run whose report goes with it; None for none.
        content: Whether rows and answers may be in the report.
    """

    addresses: Sequence[str]
    message: Message | None
    most_s: float
    report_of: str | None = None
    content: bool = False

    def to_json(self) -> bytes:
        """As one document."""
        # Not by orjson: the name of a folder may be no text, and is escaped here.
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, document: bytes) -> "Errand":
        """What `to_json` wrote."""
        read = json.loads(document)
        return cls(**{**read, "message": _message(read["message"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one address.

    Attributes:
        at: Its position among the addresses.
        service: What it is, such as `Slack`; None for one that nobody understands.
        problem: Why the message did not arrive; None if it did. Nothing of the address is in it.
    """

    at: int
    service: str | None
    problem: str | None = None

    def to_json(self) -> bytes:
        """As one line."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def of(cls, line: bytes) -> "Delivery":
        """What `to_json` wrote."""
        return cls(**orjson.loads(line))


def _message(read: Mapping[str, Any] | None) -> Message | None:
    return None if read is None else Message(**{**read, "occasion": Occasion(read["occasion"])})
