"""An answer that came in a batch's files: what it means, and what becomes of its item."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from msgspec.structs import replace

from processor.answer import Answer, KeepBodies
from processor.batch.lines import Line
from processor.codes import cause_of
from processor.items import Accepted, Attempt, Invalid, Item, Outcome
from processor.tasks.task import Task
from processor.verdict import Kind, Verdict, judge, judge_error

TIER = "batch"
MISSING = Verdict(kind=Kind.RETRY, code="missing", message=cause_of("missing").means)
_UNTOLD_STATUS = 200  # then the body tells
_judge_error = lru_cache(maxsize=256)(judge_error)  # thousands of lines expire in the same words


class Sent(Protocol):
    """A pending item of which a batch had a line."""

    @property
    def item(self) -> Item:
        """The item."""

    @property
    def attempts(self) -> int:
        """Requests sent for it before that line."""

    @property
    def invalid(self) -> tuple[tuple[str, str], ...]:
        """(answer, problem) pairs that the line showed."""


def verdict_on(line: Line, endpoint: str) -> Verdict:
    """What a line means. An answer that can be read outranks an error that is told beside it.

    Raises:
        KeyError: No reader for this endpoint.
    """
    if line.error is not None and line.body is None:
        return _judge_error(line.status or 0, line.error)
    status = _UNTOLD_STATUS if line.status is None else line.status
    verdict = judge(status, line.body or b"", endpoint=endpoint)
    if line.error is not None and (status != 200 or verdict.code == "malformed"):
        return _judge_error(line.status or 0, line.error)
    if verdict.tier is None and verdict.usage is not None:
        return replace(verdict, tier=TIER)
    return verdict


def answer_of(sent: Sent, line: Line, verdict: Verdict) -> Answer:
    """What a line brought its item."""
    return Answer(
        "batch",
        sent.item,
        sent.attempts + 1,
        verdict,
        0.0,
        line.status,
        line.body,
        line.request_id,
    )


def missing(sent: Sent) -> Answer:
    """What an item got of which the batch's files have no line."""
    return Answer("batch", sent.item, sent.attempts + 1, MISSING, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Decides what becomes of items.

    Attributes:
        task: Checks answers.
        keep_bodies: Which answers go whole into the ledger.
        rounds: How many batches an item may be in, before it fails for good.
        direct_after: What a batch did not answer goes by the direct lane, and never fails here for
            want of rounds.
    """

    task: Task
    keep_bodies: KeepBodies = "failed"
    rounds: int = 3
    direct_after: bool = False

    def settle(self, sent: Sent, answer: Answer, number: int) -> Outcome | Attempt:
        """The record of an answer.

        Args:
            sent: The item.
            answer: Of `answer_of` or `missing`.
            number: Which round of the item it was in, from 1.

        Returns:
            An outcome; or an attempt, after which the item stays pending: its `again` says that
            it goes into the next round, otherwise the job stops.
        """
        verdict = answer.verdict
        if verdict.kind is Kind.OK and verdict.answer is not None:
            checked = self.task.check(sent.item, verdict.answer)
            if isinstance(checked, Accepted):
                return answer.succeeded(checked, self.keep_bodies)
            return self._ask_again(sent, answer, checked)
        if verdict.kind is Kind.FATAL:
            return answer.left()
        rounds = min(self.rounds, verdict.max_attempts or self.rounds)
        if verdict.kind is Kind.RETRY and (number < rounds or self.direct_after):
            return answer.retried(0.0)
        return answer.failed(self.keep_bodies)

    def keeps_body(self, record: Outcome | Attempt) -> bool:
        """Whether the answer of a record goes whole into the ledger."""
        if self.keep_bodies == "failed":
            return isinstance(record, Outcome) and record.failure is not None
        return self.keep_bodies == "all" and isinstance(record, Outcome)

    def _ask_again(self, sent: Sent, answer: Answer, bad: Invalid) -> Outcome | Attempt:
        if len(sent.invalid) >= self.task.reasks:
            return answer.failed(self.keep_bodies, code="invalid", message=bad.problem)
        return answer.invalid(bad.problem)
