"""What lines of a batch mean, and what becomes of their items."""

from typing import Any

import orjson
import pytest

from processor.answer import KeepBodies
from processor.batch.answer import Settler, answer_of, missing, verdict_on
from processor.batch.lines import Line, read_line
from processor.completion import CHAT, EMBEDDINGS, RESPONSES
from processor.items import Attempt, Item, Outcome, Usage
from processor.ledger.pending import Pending
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse
from processor.verdict import Kind, Verdict

USAGE = {"prompt_tokens": 310, "completion_tokens": 24, "total_tokens": 334}
READ_USAGE = Usage(prompt_tokens=310, completion_tokens=24)
CHOOSE = """\
name = "stance"
model = "gpt-6-luna"
prompt = "{{ text }}"
[output]
kind = "label"
labels = { "0" = "for", "1" = "against" }
reask = 1
"""
TASK = PromptTask(parse(CHOOSE, where="test"), where="test")


def completion(content: Any = "1", **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop"}
    return {"model": "gpt-6-luna-2026", "choices": [choice], "usage": USAGE} | fields


def read(status: Any, body: Any = None, error: Any = None) -> Line:
    response = {"status_code": status, "request_id": "req_1", "body": body}
    found = read_line(orjson.dumps({"custom_id": "item-7", "response": response, "error": error}))
    assert isinstance(found, Line)
    return found


def of_error(code: str | int = "", message: str = "It failed", **fields: Any) -> Line:
    error = {"code": code, "message": message} | fields
    found = read_line(orjson.dumps({"custom_id": "item-7", "response": None, "error": error}))
    assert isinstance(found, Line)
    return found


def body_of(code: str = "", message: str = "It failed", **fields: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message} | fields}


def test_a_success_is_judged_as_a_direct_answer_and_tells_its_tier() -> None:
    verdict = verdict_on(read(200, completion()), CHAT)
    assert verdict == Verdict(
        kind=Kind.OK,
        answer="1",
        finish="stop",
        usage=READ_USAGE,
        model="gpt-6-luna-2026",
        tier="batch",
    )
    told = verdict_on(read(200, completion(service_tier="default")), CHAT)
    assert told.tier == "default"


@pytest.mark.parametrize(
    ("endpoint", "body", "answer"),
    [
        (CHAT, completion("x"), "x"),
        (
            RESPONSES,
            {
                "status": "completed",
                "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}],
            },
            "x",
        ),
        (EMBEDDINGS, {"data": [{"embedding": "AACAPw=="}]}, "AACAPw=="),
        (CHAT, orjson.dumps(completion("x")).decode(), "x"),
    ],
)
def test_every_endpoint_has_its_reader(endpoint: str, body: Any, answer: str) -> None:
    assert verdict_on(read(200, body), endpoint).answer == answer


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("line", "kind", "code"),
    [
        (read(None, completion()), Kind.OK, ""),
        (read(200, completion(), {"code": "server_error", "message": "?"}), Kind.OK, ""),
        (read(200, completion(None)), Kind.RETRY, "malformed"),
        (read(200, None), Kind.RETRY, "malformed"),
        (read(200, "<html>"), Kind.RETRY, "malformed"),
        (read(200, None, {"code": "batch_expired"}), Kind.RETRY, "batch_expired"),
        (read(200, body_of("rate_limit_exceeded")), Kind.RETRY, "rate_limited"),
        (read(None, body_of("context_length_exceeded")), Kind.ITEM, "context_length"),
        (read(None, None), Kind.RETRY, "malformed"),
        (read(0, None), Kind.RETRY, "server_error"),
        (read(0, {}), Kind.RETRY, "server_error"),
        (read(0, completion()), Kind.RETRY, "server_error"),
        (read(0, body_of("rate_limit_exceeded")), Kind.RETRY, "rate_limited"),
        (read(429, body_of("rate_limit_exceeded")), Kind.RETRY, "rate_limited"),
        (read(429, None), Kind.RETRY, "rate_limited"),
        (read(500, body_of("server_error")), Kind.RETRY, "server_error"),
        (read(503, "<html><title>503 Unavailable</title>"), Kind.RETRY, "server_error"),
        (read(408, None), Kind.RETRY, "timeout"),
        (read(400, body_of("invalid_image_url")), Kind.ITEM, "bad_request"),
        (read(400, body_of("something_new")), Kind.ITEM, "bad_request"),
        (read(400, body_of("context_length_exceeded")), Kind.ITEM, "context_length"),
        (read(400, body_of("content_policy_violation")), Kind.ITEM, "policy"),
        (read(413, None), Kind.ITEM, "too_large"),
        (read(422, {"detail": "no"}), Kind.RETRY, "unprocessable"),
        # Of the job, whichever row shows it.
        (read(400, body_of("unsupported_parameter")), Kind.FATAL, "refused_parameter"),
        (read(401, body_of("invalid_api_key")), Kind.FATAL, "auth"),
        (read(404, body_of("model_not_found")), Kind.FATAL, "model_not_found"),
        (read(429, body_of("insufficient_quota")), Kind.FATAL, "quota_exhausted"),
        (read(429, None, {"type": "insufficient_quota"}), Kind.FATAL, "quota_exhausted"),
        # Without a response.
        (of_error("batch_expired"), Kind.RETRY, "batch_expired"),
        (of_error("batch_cancelled"), Kind.RETRY, "batch_cancelled"),
        (of_error(type="batch_cancelled"), Kind.RETRY, "batch_cancelled"),
        (of_error("rate_limit_exceeded"), Kind.RETRY, "rate_limited"),
        (of_error("context_length_exceeded"), Kind.ITEM, "context_length"),
        (of_error("something_new"), Kind.RETRY, "server_error"),
        (of_error(code=400), Kind.ITEM, "bad_request"),
        (of_error(code=401), Kind.FATAL, "auth"),
        (of_error(code=503), Kind.RETRY, "server_error"),
    ],
)
def test_what_a_line_means(line: Line, kind: Kind, code: str) -> None:
    verdict = verdict_on(line, CHAT)
    assert (verdict.kind, verdict.code) == (kind, code)
    assert bool(verdict.message) == bool(code)


def test_the_words_of_an_error_are_kept_without_secrets() -> None:
    verdict = verdict_on(of_error("x", "Key sk-abcdefgh12345678 of\nthis project"), CHAT)
    assert verdict.message == "Key *** of this project"


ITEM = Item(seq=7, chunk=1, id="a", fields={"text": "x"})
FRESH = Pending(item=ITEM)
ASKED_AGAIN = Pending(item=ITEM, attempts=1, invalid=(("9", "It names no label."),))
TRUNCATED = completion() | {"choices": [{"message": {"content": "1"}, "finish_reason": "length"}]}


def settled(
    line: Line | None, sent: Pending = FRESH, number: int = 1, keep: KeepBodies = "failed"
) -> Outcome | Attempt:
    """What becomes of an item after a line; None is none."""
    settler = Settler(task=TASK, keep_bodies=keep, rounds=3)
    if line is None:
        return settler.settle(sent, missing(sent), number)
    return settler.settle(sent, answer_of(sent, line, verdict_on(line, CHAT)), number)


def test_a_success() -> None:
    outcome = settled(read(200, completion()), Pending(item=ITEM, attempts=2))
    assert isinstance(outcome, Outcome)
    assert outcome.accepted is not None
    assert (outcome.accepted.result, outcome.lane, outcome.attempts) == ("1", "batch", 3)
    assert (outcome.model, outcome.tier, outcome.usage) == ("gpt-6-luna-2026", "batch", READ_USAGE)
    assert (outcome.request_id, outcome.latency_ms, outcome.body) == ("req_1", 0.0, None)
    assert outcome.answered


@pytest.mark.parametrize(
    ("keep", "of_success", "of_failure"),
    [("all", True, True), ("failed", False, True), ("none", False, False)],
)
def test_bodies_are_kept_as_told(keep: KeepBodies, *, of_success: bool, of_failure: bool) -> None:
    for body, kept in ((completion(), of_success), (TRUNCATED, of_failure)):
        outcome = settled(read(200, body), keep=keep)
        assert isinstance(outcome, Outcome)
        assert outcome.body == (orjson.dumps(body).decode() if kept else None)


@pytest.mark.parametrize(
    ("line", "code", "answered", "retryable"),
    [
        (read(200, TRUNCATED), "truncated", True, False),
        (read(400, body_of("context_length_exceeded")), "context_length", False, False),
        (read(400, body_of("something_new")), "bad_request", False, False),
    ],
)
def test_what_is_the_row_s_fault_fails_at_once(
    line: Line, code: str, *, answered: bool, retryable: bool
) -> None:
    outcome = settled(line)
    assert isinstance(outcome, Outcome)
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == (code, retryable)
    assert (outcome.answered, outcome.usage is not None) == (answered, answered)


@pytest.mark.parametrize(
    ("line", "code", "rounds"),
    [
        (None, "missing", 3),  # 64
        (of_error("batch_expired"), "batch_expired", 3),  # 65
        (of_error("batch_cancelled"), "batch_cancelled", 3),  # 66
        (of_error("something_new"), "server_error", 3),
        (read(0, None), "server_error", 3),
        (read(429, body_of("rate_limit_exceeded")), "rate_limited", 3),
        (read(200, None), "malformed", 3),
        (read(422, body_of()), "unprocessable", 2),
    ],
)
def test_leftovers_go_round_a_bounded_number_of_times(
    line: Line | None, code: str, rounds: int
) -> None:
    for number in range(1, rounds):
        attempt = settled(line, Pending(item=ITEM, attempts=number - 1), number)
        assert isinstance(attempt, Attempt)
        assert (attempt.code, attempt.number, attempt.again) == (code, number, True)
        assert (attempt.lane, attempt.wait_s, attempt.usage) == ("batch", 0.0, None)
        assert attempt.message
    outcome = settled(line, Pending(item=ITEM, attempts=rounds - 1), rounds)
    assert isinstance(outcome, Outcome)
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.attempts) == (code, rounds)


@pytest.mark.parametrize("line", [None, of_error("batch_expired"), of_error("batch_cancelled")])
def test_what_never_ran_cost_nothing(line: Line | None) -> None:
    attempt = settled(line)
    assert not attempt.answered
    assert attempt.usage is None


def test_an_empty_success_may_have_cost_something() -> None:
    assert settled(read(200, None)).answered


def test_what_concerns_the_job_leaves_the_item_pending() -> None:
    attempt = settled(read(401, body_of("invalid_api_key")), number=3)
    assert isinstance(attempt, Attempt)
    assert (attempt.code, attempt.again, attempt.status) == ("auth", False, 401)


def test_an_invalid_answer_is_asked_again_with_what_was_wrong() -> None:
    attempt = settled(read(200, completion("9")))
    assert isinstance(attempt, Attempt)
    assert (attempt.code, attempt.answer, attempt.again) == ("invalid", "9", True)
    assert attempt.problem
    assert attempt.usage == READ_USAGE
    outcome = settled(read(200, completion("9")), ASKED_AGAIN, number=2)
    assert isinstance(outcome, Outcome)
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.attempts) == ("invalid", 2)
    assert outcome.failure.message == attempt.problem


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("req_0123", "req_0123"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 201),
        ("one\ntwo", "one two"),
        ("sk-abcdefgh12345678\r\n", "***"),
        ("", None),
    ],
)
def test_a_request_id_is_one_clean_line(told: str, kept: str | None) -> None:
    raw = {
        "custom_id": "item-7",
        "response": {"status_code": 200, "request_id": told, "body": completion()},
    }
    line = read_line(orjson.dumps(raw))
    assert isinstance(line, Line)
    outcome = settled(line)
    assert isinstance(outcome, Outcome)
    assert outcome.request_id == kept
