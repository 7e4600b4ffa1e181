"""An answer to a request, whichever lane it came by, and the records that can be made of it."""

from typing import Literal

from msgspec import Struct

from processor.codes import cause_of
from processor.items import Accepted, Attempt, Failure, Item, Lane, Outcome
from processor.provider_error import clean
from processor.verdict import Verdict

KeepBodies = Literal["all", "failed", "none"]
WITNESS = "witness"
_BODY_KEPT_BYTES = 20_000
_ID_CHARS = 200


class Answer(Struct, frozen=True, gc=False):
    """What a request brought.

    Attributes:
        attempts: Requests sent for the item, this one included, over all resumes.
        latency_ms: Of the call; 0 when it is not known, as of an answer that came in a file.
        status: HTTP status; None when no answer came.
        body: As it came; None when there is none.
        request_id: As it came.
    """

    lane: Lane
    item: Item
    attempts: int
    verdict: Verdict
    latency_ms: float
    status: int | None = None
    body: bytes | None = None
    request_id: str | None = None

    def succeeded(self, accepted: Accepted, keep: KeepBodies) -> Outcome:
        """The item's success."""
        return self._outcome(accepted, None, kept=keep == "all")

    def failed(self, keep: KeepBodies, *, code: str = "", message: str = "") -> Outcome:
        """The item's failure, by default for the verdict's reason."""
        failure = failure_for(code or self.verdict.code, message or self.verdict.message)
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
        verdict, body, request_id = self.verdict, self.body, self.request_id
        if request_id is not None and not (
            len(request_id) <= _ID_CHARS and request_id.isascii() and request_id.isprintable()
        ):
            request_id = clean(request_id)  # it is unlike any id
        return Outcome(
            item=self.item,
            lane=self.lane,
            attempts=self.attempts,
            latency_ms=self.latency_ms,
            answered=self._answered,
            accepted=accepted,
            failure=failure,
            model=verdict.model,
            tier=verdict.tier,
            usage=verdict.usage,
            body=_text(body) if kept and body is not None else None,
            request_id=request_id,
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
        verdict = self.verdict
        return Attempt(
            item=self.item,
            lane=self.lane,
            number=self.attempts,
            code=code,
            message=message,
            latency_ms=self.latency_ms,
            wait_s=wait_s,
            again=again,
            status=self.status,
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
        return self.status is not None and self.status < 300 and self.verdict.maybe_charged


def failure_for(code: str, message: str) -> Failure:
    """A failure for one of the reasons of `codes`."""
    return Failure(code=code, message=message, retryable=cause_of(code).retryable)


def unsent(lane: Lane, item: Item, attempts: int, failure: Failure) -> Outcome:
    """The failure of an item for which nothing is sent, or nothing more."""
    return Outcome(
        item=item,
        lane=lane,
        attempts=attempts,
        latency_ms=0.0,
        answered=False,
        failure=failure,
    )


def _text(body: bytes) -> str:
    return body[:_BODY_KEPT_BYTES].decode("utf-8", "replace")
