"""What answers mean: one table a group of faults, numbered as in the list of faults."""

from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from processor.codes import CAUSES
from processor.items import Usage
from processor.verdict import (
    NO_HINTS,
    Fault,
    Hints,
    Kind,
    TransportFault,
    Verdict,
    judge,
    judge_body,
    judge_failure,
)

USAGE = {"prompt_tokens": 310, "completion_tokens": 24, "total_tokens": 334}
READ_USAGE = Usage(prompt_tokens=310, completion_tokens=24)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"


def completion(finish: Any = "stop", **message: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "x^2", "refusal": None} | message
    return {
        "id": "chatcmpl-1",
        "model": "gpt-6-luna-2026-06-01",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": USAGE,
        "service_tier": "default",
    }


def failed(status: int, hints: Hints = NO_HINTS, **error: Any) -> Verdict:
    return judge(status, orjson.dumps({"error": error}), hints)


def test_a_plain_answer() -> None:
    verdict = judge(200, orjson.dumps(completion()))
    assert verdict == Verdict(
        kind=Kind.OK,
        answer="x^2",
        finish="stop",
        usage=READ_USAGE,
        model="gpt-6-luna-2026-06-01",
        tier="default",
    )


@pytest.mark.parametrize(
    ("finish", "message", "kind", "code"),
    [
        ("length", {}, Kind.ITEM, "truncated"),  # 46
        ("length", {"content": ""}, Kind.ITEM, "truncated"),
        ("content_filter", {}, Kind.ITEM, "filtered"),  # 47
        ("stop", {"content": None, "refusal": "I can't"}, Kind.ITEM, "refused"),  # 48
        ("tool_calls", {"content": None}, Kind.ITEM, "invalid"),
        ("error", {}, Kind.RETRY, "malformed"),
        ("stop", {"content": None}, Kind.RETRY, "malformed"),
        ("stop", {"content": 7}, Kind.RETRY, "malformed"),
        ({"odd": 1}, {}, Kind.OK, ""),
        (None, {}, Kind.OK, ""),
        ("eos", {}, Kind.OK, ""),
        ("stop", {"content": ""}, Kind.OK, ""),
    ],
)
def test_how_an_answer_ends(finish: Any, message: dict[str, Any], kind: Kind, code: str) -> None:
    verdict = judge(200, orjson.dumps(completion(finish, **message)))
    assert (verdict.kind, verdict.code) == (kind, code)
    assert verdict.usage == READ_USAGE  # paid for, whatever became of it
    assert (verdict.answer is not None) == (kind is Kind.OK)


@pytest.mark.parametrize("spoil", [b"\xef\xbb\xbf%b", b'{"logprobs": NaN, "x": -Infinity, %b'])
def test_an_answer_that_strict_json_refuses_is_read_all_the_same(spoil: bytes) -> None:
    body = orjson.dumps(completion())
    verdict = judge(200, spoil % (body[1:] if spoil.startswith(b"{") else body))
    assert (verdict.kind, verdict.answer, verdict.usage) == (Kind.OK, "x^2", READ_USAGE)


def test_an_answer_in_parts_is_joined() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"text": "b"}]
    assert judge(200, orjson.dumps(completion(content=parts))).answer == "ab"


@pytest.mark.parametrize(
    "body",
    [
        HTML,  # 41
        b"null",  # 42
        b"",
        b'{"choices": [{"message": {"content": "x',  # 43
        b"[]",
        b'"text"',
        b"7",
        b"{}",
        b'{"choices": []}',  # 45
        b'{"choices": null}',
        b'{"choices": [null]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": {"0": 1}}',
        b'{"error": {"message": "what?"}}',
        b'{"error": true}',
        b"\xff\xfe",
        b"[" * 100_000,
        orjson.dumps(completion(content="x?")).replace(b"?", b"\\ud83d"),
    ],
)
def test_a_success_that_cannot_be_read_is_sent_again(body: bytes) -> None:
    verdict = judge(200, body)
    assert (verdict.kind, verdict.code) == (Kind.RETRY, "malformed")
    assert verdict.message
    assert verdict.maybe_charged


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ({"code": "insufficient_quota"}, Kind.FATAL, "quota_exhausted"),
        ({"code": "rate_limit_exceeded"}, Kind.RETRY, "rate_limited"),
        ({"code": "server_error"}, Kind.RETRY, "server_error"),
        ({"code": 429, "message": "upstream"}, Kind.RETRY, "rate_limited"),
        ({"code": "502", "message": "upstream"}, Kind.RETRY, "server_error"),
        ({"code": "invalid_image_url"}, Kind.ITEM, "bad_request"),
        ({"code": "failed_to_download_image"}, Kind.RETRY, "unprocessable"),
        ({"code": "bio_policy"}, Kind.ITEM, "policy"),
        ({"code": "vector_store_timeout"}, Kind.RETRY, "server_error"),
        ({"code": 7}, Kind.RETRY, "malformed"),
    ],
)
def test_an_error_inside_a_success(error: dict[str, Any], kind: Kind, code: str) -> None:
    verdict = failed(200, **error)
    assert (verdict.kind, verdict.code) == (kind, code)


@pytest.mark.parametrize("code", ["server_error", "invalid_prompt", "never heard of"])
def test_a_response_that_failed_may_have_cost_something(code: str) -> None:
    error = {"code": code, "message": "It broke."}
    body = {"status": "failed", "error": error, "output": []}
    used = body | {"usage": {"input_tokens": 310, "output_tokens": 24}}
    verdict = judge_body(200, used, endpoint="/v1/responses")
    assert (verdict.usage, verdict.maybe_charged) == (READ_USAGE, False)
    assert judge_body(200, body, endpoint="/v1/responses").usage is None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 3},
        {"prompt_tokens": 3, "completion_tokens": None},
        {"prompt_tokens": 3, "completion_tokens": -1},
        {"prompt_tokens": 2**60, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        [],
    ],
)
def test_usage_that_was_not_said_is_unknown(usage: Any) -> None:  # 52
    verdict = judge(200, orjson.dumps(completion() | {"usage": usage}))
    assert verdict.kind is Kind.OK
    assert verdict.usage is None
    assert verdict.maybe_charged


def test_cached_tokens_are_read() -> None:
    usage = USAGE | {"prompt_tokens_details": {"cached_tokens": 128}}
    verdict = judge(200, orjson.dumps(completion() | {"usage": usage}))
    assert verdict.usage == Usage(prompt_tokens=310, completion_tokens=24, cached_tokens=128)


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (429, {"code": "rate_limit_exceeded"}, Kind.RETRY, "rate_limited"),  # 16
        (429, {"type": "tokens"}, Kind.RETRY, "rate_limited"),
        (429, {"code": "insufficient_quota"}, Kind.FATAL, "quota_exhausted"),  # 22
        (429, {"code": "billing_hard_limit_reached"}, Kind.FATAL, "quota_exhausted"),
        (429, {"code": "credit_balance_exhausted"}, Kind.FATAL, "quota_exhausted"),
        (429, {"code": "organization_spend_limit_exceeded"}, Kind.FATAL, "quota_exhausted"),
        (429, {"code": "project_spend_limit_exceeded"}, Kind.FATAL, "quota_exhausted"),
        (429, {"code": "organization_usage_limit_exceeded"}, Kind.FATAL, "quota_exhausted"),
        (429, {"code": "new", "type": "insufficient_quota"}, Kind.FATAL, "quota_exhausted"),  # 23
        (400, {"code": "billing_hard_limit_reached"}, Kind.FATAL, "quota_exhausted"),
        (402, {"message": "Insufficient Balance"}, Kind.FATAL, "quota_exhausted"),
        (429, {"message": "1000 requests per day (RPD)"}, Kind.FATAL, "daily_limit"),  # 26
        (429, {"code": "slow_down"}, Kind.RETRY, "slow_down"),  # 27
        (503, {"message": "Slow Down"}, Kind.RETRY, "slow_down"),
        (429, {"message": "Resource Unavailable"}, Kind.RETRY, "flex_unavailable"),  # 28
        (429, {"code": "resource_unavailable"}, Kind.RETRY, "flex_unavailable"),
        (498, {"code": "capacity_exceeded"}, Kind.RETRY, "flex_unavailable"),
        (400, {"message": "Invalid service_tier argument"}, Kind.FATAL, "refused_parameter"),
        (500, {"type": "server_error"}, Kind.RETRY, "server_error"),  # 29
        (503, {"message": "Overloaded"}, Kind.RETRY, "server_error"),  # 30
        (524, {}, Kind.RETRY, "timeout"),
        (401, {"code": "invalid_api_key"}, Kind.FATAL, "auth"),  # 31
        (400, {"message": "API key not valid."}, Kind.FATAL, "auth"),
        (403, {"code": "unsupported_country_region_territory"}, Kind.FATAL, "forbidden"),  # 33
        (403, {"code": "model_not_found"}, Kind.FATAL, "model_not_found"),
        (404, {"code": "model_not_found"}, Kind.FATAL, "model_not_found"),  # 34
        (404, {"message": "The model `x` does not exist."}, Kind.FATAL, "model_not_found"),
        (404, {"message": "Not Found"}, Kind.FATAL, "not_found"),
        (404, {"message": "Invalid URL (GET /v2/models)"}, Kind.FATAL, "not_found"),
        (
            404,
            {"message": "This is not a chat model and thus not supported in", "param": "model"},
            Kind.FATAL,
            "model_not_found",
        ),
        (
            400,
            {"message": "The requested model 'x' cannot be used with the Responses API."},
            Kind.FATAL,
            "model_not_found",
        ),
        (
            403,
            {"message": "You are not allowed to generate embeddings from this model"},
            Kind.FATAL,
            "model_not_found",
        ),
        (
            400,
            {"message": "This model does not support specifying dimensions."},
            Kind.FATAL,
            "refused_parameter",
        ),
        (
            400,
            {"message": "Invalid value for 'dimensions' = 9. Must be less than or equal to 8."},
            Kind.FATAL,
            "refused_parameter",
        ),
        (
            400,
            {"message": "Invalid 'input': maximum context length is 8192 tokens."},
            Kind.ITEM,
            "context_length",
        ),
        (400, {"code": "max_tokens_per_request"}, Kind.ITEM, "too_large"),
        (400, {"code": "context_length_exceeded"}, Kind.ITEM, "context_length"),  # 35
        (400, {"message": "maximum context length is 8"}, Kind.ITEM, "context_length"),
        (400, {"code": "content_policy_violation"}, Kind.ITEM, "policy"),
        (400, {"param": "service_tier"}, Kind.FATAL, "refused_parameter"),
        (400, {"code": "unsupported_parameter"}, Kind.FATAL, "refused_parameter"),
        (400, {"code": "unsupported_value"}, Kind.FATAL, "refused_parameter"),
        (400, {"message": "Odd"}, Kind.ITEM, "bad_request"),
        (418, {"message": "Odd"}, Kind.ITEM, "bad_request"),
        (413, {}, Kind.ITEM, "too_large"),  # 37
        (
            429,
            {"code": "rate_limit_exceeded", "message": "Request too large for x on tokens"},
            Kind.ITEM,
            "too_large",
        ),
        (422, {"message": "No"}, Kind.RETRY, "unprocessable"),  # 38
        (407, {}, Kind.FATAL, "proxy_auth"),
        (408, {}, Kind.RETRY, "timeout"),
        (409, {}, Kind.RETRY, "server_error"),
        (301, {}, Kind.RETRY, "redirect"),
        (403, {"message": "Blocked by rule 7"}, Kind.RETRY, "forbidden"),
        (451, {}, Kind.RETRY, "forbidden"),
        (0, {}, Kind.RETRY, "server_error"),
    ],
)
def test_errors(status: int, error: dict[str, Any], kind: Kind, code: str) -> None:
    verdict = failed(status, **error)
    assert (verdict.kind, verdict.code) == (kind, code)
    assert verdict.message
    assert verdict.usage is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": "model 'x' not found"},
        {"object": "error", "message": "The model `x` does not exist.", "code": 404},
        {"detail": "no such model"},
        [{"error": {"message": "models/x is not found", "code": 404}}],
    ],
)
def test_errors_in_other_shapes(body: Any) -> None:
    verdict = judge(404, orjson.dumps(body))
    assert verdict.code == "model_not_found"
    assert "x" in verdict.message or "model" in verdict.message


@pytest.mark.parametrize(
    ("status", "error", "barred"),
    [
        (403, {}, True),
        (403, {"message": "Attention required"}, True),
        (403, {"code": "new"}, True),
        (302, {}, True),
        (403, {"code": "unsupported_country_region_territory"}, False),
        (401, {}, False),
        (404, {}, False),
    ],
)
def test_a_status_that_may_be_about_one_item_only_says_so(
    status: int, error: dict[str, Any], barred: bool
) -> None:  # 33
    for hints in (NO_HINTS, Hints(should_retry=False), Hints(should_retry=True)):
        verdict = failed(status, hints, **error)
        assert verdict.barred is barred
        assert (verdict.max_attempts == 2) is barred
        assert (verdict.kind is Kind.FATAL) is not barred


def test_html_errors_are_shortened_to_their_title() -> None:  # 11, 30
    verdict = judge(502, HTML)
    assert (verdict.kind, verdict.code) == (Kind.RETRY, "server_error")
    assert verdict.message == "HTTP status 502: 502 Bad Gateway"


@pytest.mark.parametrize(
    ("status", "code", "congested"),
    [
        (429, "x", True),
        (503, "x", True),
        (504, "", True),
        (500, "", False),
        (429, "slow_down", True),
    ],
)
def test_what_shrinks_the_window(status: int, code: str, congested: bool) -> None:
    assert failed(status, code=code).congested is congested


@pytest.mark.parametrize(
    ("hints", "holds_all"),
    [
        (Hints(retry_after_s=2), True),
        (Hints(retry_after_s=2, limits_known=True), False),
        (Hints(retry_after_s=2, limits_known=True, exhausted_reset_s=5), True),
    ],
)
def test_whom_a_rate_limit_holds(hints: Hints, holds_all: bool) -> None:  # 16
    verdict = failed(429, hints, code="rate_limit_exceeded")
    assert verdict.holds_all is holds_all
    assert verdict.retry_after_s == 2


def test_a_reset_of_hours_is_a_limit_of_a_day() -> None:  # 26
    hints = Hints(limits_known=True, exhausted_reset_s=8 * 3600)
    assert failed(429, hints, code="rate_limit_exceeded").code == "daily_limit"
    assert failed(429, Hints(exhausted_reset_s=59), code="x").code == "rate_limited"


def test_bounds_on_attempts() -> None:
    assert failed(422, message="No").max_attempts == 2  # 38
    assert failed(429, code="new_code").max_attempts == 10
    assert failed(429, code="rate_limit_exceeded").max_attempts is None
    assert failed(500).max_attempts is None


def test_advice_to_retry_is_followed_within_bounds() -> None:  # 25
    again, never = Hints(should_retry=True), Hints(should_retry=False)
    verdict = failed(400, again, message="Odd")
    assert (verdict.kind, verdict.max_attempts) == (Kind.RETRY, 3)
    assert failed(401, again).kind is Kind.FATAL
    assert failed(500, never).max_attempts == 1
    assert failed(429, never, code="rate_limit_exceeded").max_attempts is None


def test_the_same_unknown_complaint_is_recognised() -> None:
    one, two = (failed(400, message=f"messages[{n}]: odd") for n in (3, 12))
    assert one.complaint == two.complaint != ""
    assert failed(400, message="even").complaint != one.complaint
    assert failed(422, message="odd").complaint != ""
    for status, code in ((400, "context_length_exceeded"), (429, "new"), (500, ""), (413, "")):
        assert failed(status, code=code, message="odd").complaint == ""


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-abcDEF123_456", "sk-abc", "sk-ab***yz", "gsk_0123456789abcdef", "AIzaSyA0123456789"],
)
def test_keys_are_masked(secret: str) -> None:  # 95
    for message in (f"Incorrect API key provided: {secret}.", f"Authorization: Bearer {secret}"):
        assert secret not in failed(401, message=message).message
    assert secret not in judge(401, f"<p>{secret}</p>".encode()).message


def test_accounts_are_masked() -> None:
    message = "Rate limit reached in organization org-a1b2c3d4e5f6g7h8i9 on an org-wide limit"
    said = failed(429, message=message).message
    assert "a1b2c3" not in said
    assert said.endswith("on an org-wide limit")


def test_an_unusual_key_is_masked_where_it_is_quoted() -> None:
    assert "hunter2" not in failed(401, message="Incorrect API key provided: hunter2.").message
    fault = TransportFault(fault=Fault.PROXY_AUTH, sent=False, detail="http://me:hunter2@proxy:80")
    assert judge_failure(fault).message == "http://***@proxy:80"  # 10


def test_messages_are_one_short_line() -> None:
    verdict = failed(500, message="a\nb\x1b[31m\u2028c\x00 " + "long " * 500)
    assert verdict.message.startswith("a b [31m c long")
    assert len(verdict.message) == 300
    assert verdict.message.isprintable()


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault.DNS, Kind.RETRY, "dns"),  # 1, 2
        (Fault.REFUSED, Kind.RETRY, "unreachable"),  # 3
        (Fault.RESET, Kind.RETRY, "connection"),  # 4, 5
        (Fault.TIMEOUT, Kind.RETRY, "timeout"),  # 6, 7
        (Fault.TLS, Kind.FATAL, "tls"),  # 9
        (Fault.PROXY_AUTH, Kind.FATAL, "proxy_auth"),  # 10
        (Fault.PROXY, Kind.RETRY, "proxy"),  # 11
        (Fault.REDIRECT, Kind.RETRY, "redirect"),  # 15
        (Fault.OTHER, Kind.RETRY, "connection"),
    ],
)
def test_calls_without_an_answer(fault: Fault, kind: Kind, code: str) -> None:
    unsent = judge_failure(TransportFault(fault=fault, sent=False))
    assert (unsent.kind, unsent.code) == (kind, code)
    assert unsent.unreachable
    assert not unsent.maybe_charged
    sent = judge_failure(TransportFault(fault=fault, sent=True, detail="words"))
    assert (sent.message, sent.unreachable, sent.maybe_charged) == ("words", False, True)
    assert sent.congested is (fault is Fault.TIMEOUT)


WIRE_NAMES = ["error", "code", "type", "message", "param", "detail", "choices", "usage"]
WIRE_NAMES += ["content", "finish_reason", "refusal", "model", "prompt_tokens"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WIRE_NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(0, 999), parsed=json_values)
def test_no_body_is_beyond_judgement(status: int, parsed: Any) -> None:
    verdict = judge_body(status, parsed)
    assert verdict.code in CAUSES or (verdict.kind is Kind.OK and verdict.code == "")
    assert judge(status, orjson.dumps(parsed)) == verdict


@given(status=st.integers(0, 999), body=st.binary(max_size=64))
def test_no_bytes_are_beyond_judgement(status: int, body: bytes) -> None:
    verdict = judge(status, body)
    assert len(verdict.message) <= 340
    assert verdict.message.isprintable()
