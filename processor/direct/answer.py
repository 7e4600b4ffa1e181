"""An answer to one call, and the records that can be made of it."""

from typing import Literal

from msgspec import Struct

from processor.clock import Clock
from processor.codes import cause_of
from processor.direct.backlog import Work
from processor.direct.transport import Reply
from processor.headers import read_hints
from processor.items import Accepted, Attempt, Failure, Outcome
from processor.provider_error import clean
from processor.verdict import Verdict, judge

KeepBodies = Literal["all", "failed", "none"]
WITNESS = "witness"
_BODY_KEPT_BYTES = 20_000
_ID_CHARS = 200


class Answer(Struct, frozen=True, gc=False):
    """What a call brought; `reply` is None when nothing came."""

    work: Work
    verdict: Verdict
    reply: Reply | None
    latency_ms: float

    def succeeded(self, accepted: Accepted, keep: KeepBodies) -> Outcome:
        """The item's success."""
        return self._outcome(accepted, None, kept=keep == "all")

    def failed(self, keep: KeepBodies, *, code: str = "", message: str = "") -> Outcome:
        """The item's failure, by default for the verdict's reason."""
        verdict = self.verdict
        failure = _failure(code or verdict.code, message or verdict.message)
        return self._outcome(None, failure, kept=keep != "none")

    def retried(self, wait_s: float) -> Attempt:
        """The attempt, when the item is sent again."""
        return self._attempt(self.verdict.code, self.verdict.message, wait_s=wait_s)

    def left(self) -> Attempt:
        """The attempt, when the job stops and the item stays pending."""
        return self._attempt(self.verdict.code, self.verdict.message, again=False)

    def witnessed(self) -> Attempt:
        """The attempt of an item that was sent as a witness; it keeps the outcome that it has."""
        message = self.verdict.message or cause_of(WITNESS).means
        return self._attempt(WITNESS, message, again=False)

    def invalid(self, problem: str) -> Attempt:
        """The attempt, when the item is asked again because of a problem with its answer."""
        return self._attempt("invalid", problem, problem=problem)

    def _outcome(
        self, accepted: Accepted | None, failure: Failure | None, *, kept: bool
    ) -> Outcome:
        verdict, reply = self.verdict, self.reply
        return Outcome(
            item=self.work.item,
            lane="direct",
            attempts=self.work.attempts,
            latency_ms=self.latency_ms,
            answered=self._answered,
            accepted=accepted,
            failure=failure,
            model=verdict.model,
            tier=verdict.tier,
            usage=verdict.usage,
            body=_text(reply) if kept else None,
            request_id=_request_id(reply) if reply else None,
        )

    def _attempt(
        self,
        code: str,
        message: str,
        *,
        wait_s: float = 0.0,
        again: bool = True,
        problem: str | None = None,
    ) -> Attempt:
        verdict, reply = self.verdict, self.reply
        return Attempt(
            item=self.work.item,
            lane="direct",
            number=self.work.attempts,
            code=code,
            message=message,
            latency_ms=self.latency_ms,
            wait_s=wait_s,
            again=again,
            status=reply.status if reply else None,
            answered=self._answered,
            usage=verdict.usage,
            model=verdict.model,
            tier=verdict.tier,
            answer=verdict.answer if problem is not None else None,
            problem=problem,
        )

    @property
    def _answered(self) -> bool:
        if self.verdict.usage is not None:
            return True
        return self.reply is not None and self.reply.status < 300 and self.verdict.maybe_charged


def _request_id(reply: Reply) -> str | None:
    """As it came, for the provider's support; cleaned when it is unlike any id."""
    told = reply.headers.get("x-request-id")
    if told is None or (told.isascii() and told.isprintable() and len(told) <= _ID_CHARS):
        return told
    return clean(told)


def judged(reply: Reply, endpoint: str, clock: Clock) -> Verdict:
    """The verdict on an answer that came whole."""
    if 200 <= reply.status < 300:
        return judge(reply.status, reply.body, endpoint=endpoint)
    hints = read_hints(reply.headers, clock.time())
    return judge(reply.status, reply.body, hints, endpoint=endpoint)


def failure_of(verdict: Verdict) -> Failure:
    """The failure of an item that a verdict is for."""
    return _failure(verdict.code, verdict.message)


def _failure(code: str, message: str) -> Failure:
    return Failure(code=code, message=message, retryable=cause_of(code).retryable)


def unsent(work: Work, failure: Failure) -> Outcome:
    """The failure of an item for which nothing is sent, or nothing more."""
    return Outcome(
        item=work.item,
        lane="direct",
        attempts=work.attempts,
        latency_ms=0.0,
        answered=False,
        failure=failure,
    )


def _text(reply: Reply | None) -> str | None:
    return reply.body[:_BODY_KEPT_BYTES].decode("utf-8", "replace") if reply else None
