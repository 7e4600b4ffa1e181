"""The values that flow through a run: frozen, without I/O."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Lane = Literal["direct", "flex", "batch"]
Check = Literal["verified", "review", "unchecked"]


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """One row as a source gives it.

    Attributes:
        number: Counted from 1 for the first data row of its source.
        fields: Column name to value, in the order of the columns.
        id: What names it where its form says so; the task's choice of a column goes before. None
            for rows of most forms.
    """

    number: int
    fields: Mapping[str, Any]
    id: Any = None


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """One row as the ledger knows it.

    Attributes:
        seq: Place in the order of import, from 1.
        chunk: Number of the chunk it belongs to, from 1; never changes.
        id: Unique in its run; text or integer, as it came.
        fields: The row's columns.
    """

    seq: int
    chunk: int
    id: str | int
    fields: Mapping[str, Any]


class Request(Struct, frozen=True, kw_only=True, gc=False):
    """An endpoint (`/v1/chat/completions`) and its JSON body, as on OpenAI's wire."""

    endpoint: str
    body: Mapping[str, Any]


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one or more answers, as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


class Accepted(Struct, frozen=True, kw_only=True, gc=False):
    """An answer that passed its task's checks.

    Attributes:
        result: What the item became.
        check: How sure the task is of it.
        notes: What was mended or is doubtful, for people.
        vector: Of an embedding, whose `result` only tells its form: little-endian float32.
    """

    result: str
    check: Check = "unchecked"
    notes: tuple[str, ...] = ()
    vector: bytes | None = None


class Invalid(Struct, frozen=True, kw_only=True, gc=False):
    """An answer that failed its task's checks.

    Attributes:
        problem: What is wrong with it, said so that the model can mend it.
    """

    problem: str


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """Why an item failed: a code of `codes`, a message, and whether asking again may help."""

    code: str
    message: str
    retryable: bool


class Outcome(Struct, frozen=True, kw_only=True, gc=False):
    """What became of an item: exactly one of `accepted` and `failure` is set.

    Attributes:
        attempts: Requests sent for the item, over all resumes; 0 if none could be made.
        latency_ms: Of the last call; 0 when it is not known, as of a batch's answers.
        answered: A model answered the last call; without `usage` its price is unknown.
        usage: Of the last answer; None when the provider did not say.
        model: As the answer names it.
        tier: Service tier that the answer reports.
        body: The answer as it came, kept for failures.
    """

    item: Item
    lane: Lane
    attempts: int
    latency_ms: float
    answered: bool
    accepted: Accepted | None = None
    failure: Failure | None = None
    model: str | None = None
    tier: str | None = None
    usage: Usage | None = None
    body: str | None = None
    request_id: str | None = None


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """A request that did not settle its item: retried or asked again.

    Attributes:
        number: Which attempt of the item it was, from 1.
        code: Why it did not settle the item (see `codes`).
        status: HTTP status; None when no answer came.
        wait_s: How long the item waits before it is sent again.
        answered: A model answered; without `usage` its price is unknown.
        again: The item is sent again in this session; otherwise it stays pending.
        answer: The invalid answer, when it is asked again.
        problem: What was wrong with that answer.
    """

    item: Item
    lane: Lane
    number: int
    code: str
    message: str
    latency_ms: float
    wait_s: float
    status: int | None = None
    answered: bool = False
    again: bool = True
    usage: Usage | None = None
    model: str | None = None
    tier: str | None = None
    answer: str | None = None
    problem: str | None = None
