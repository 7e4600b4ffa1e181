"""An answer to one call."""

from processor.answer import Answer
from processor.clock import Clock
from processor.direct.backlog import Work
from processor.direct.transport import Reply
from processor.headers import read_hints
from processor.verdict import Verdict, judge


def judged(reply: Reply, endpoint: str, clock: Clock) -> Verdict:
    """The verdict on an answer that came whole."""
    if 200 <= reply.status < 300:
        return judge(reply.status, reply.body, endpoint=endpoint)
    hints = read_hints(reply.headers, clock.time())
    return judge(reply.status, reply.body, hints, endpoint=endpoint)


def answer_of(work: Work, verdict: Verdict, reply: Reply | None, latency_ms: float) -> Answer:
    """What a call brought; `reply` is None when nothing came."""
    if reply is None:
        return Answer("direct", work.item, work.attempts, verdict, latency_ms)
    return Answer(
        "direct",
        work.item,
        work.attempts,
        verdict,
        latency_ms,
        reply.status,
        reply.body,
        reply.headers.get("x-request-id"),
    )
