"""What an answer means, whichever lane it came by. Pure.

The order of questions: did the call succeed (2xx with a readable answer); else, does the error
carry a code that we know (`codes.PROVIDER_CODES`); else, what does its status say. A code
outranks the status, because gateways send the same error under different statuses.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from processor import usual_chat
from processor.codes import PROVIDER_CODES
from processor.completion import CHAT, READERS, Completion
from processor.items import Usage
from processor.provider_error import ProviderError, clean, error_in
from processor.usual_chat import UsualChat

# Codes by which the provider asks for patience; the request has nothing to do with it.
PATIENCE = frozenset({"rate_limited", "slow_down", "flex_unavailable"})

# From here on a limit is one of a day, which no run should sleep out.
_DAY_LIMIT_RESET_S = 3600.0


class Kind(StrEnum):
    """Whom an answer concerns."""

    OK = "ok"
    ITEM = "item"  # this item failed for good
    RETRY = "retry"  # this item may be sent again
    FATAL = "fatal"  # every item would fare the same: the job stops
    OPEN = "open"  # the job, or rows that chose their own model: answers to others will tell


class Hints(Struct, frozen=True, kw_only=True, gc=False):
    """What the headers say about a failed call; batch lines have none.

    Attributes:
        retry_after_s: Nothing of this kind before so many seconds; None when not said.
        should_retry: What `x-should-retry` says; None when absent.
        limits_known: Whether any rate-limit header came.
        exhausted_reset_s: The longest reset of the dimensions that stand at 0; None when none
            does.
    """

    retry_after_s: float | None = None
    should_retry: bool | None = None
    limits_known: bool = False
    exhausted_reset_s: float | None = None


NO_HINTS = Hints()


class Verdict(Struct, frozen=True, kw_only=True, gc=False):
    """What an answer means.

    Attributes:
        kind: Whom it concerns.
        code: One of `codes.CAUSES`; empty when OK.
        message: One line for people, without secrets; empty when OK.
        answer: The model's text, only when OK.
        finish: Why the model stopped, in the provider's word.
        usage: None when the provider did not say.
        maybe_charged: The call may have been charged although `usage` is None.
        model: As the answer names it.
        tier: Service tier that the answer reports.
        retry_after_s: The provider asks for nothing earlier than so many seconds from now.
        congested: Too much at once: shrink the window.
        holds_all: With `retry_after_s`: it holds for every call, not for this item alone.
        unreachable: The call never reached the provider: reason to pause or stop the job, never
            to fail an item.
        barred: Every item would fare the same, or a gateway dislikes this one: the status does not
            say. Other items will show.
        max_attempts: The most attempts such an answer is worth in all; None leaves it to the
            retry policy.
        complaint: Equal for two unknown faults of the request that the provider words alike, which
            may be the task's rather than the items'; empty for everything else.
    """

    kind: Kind
    code: str = ""
    message: str = ""
    answer: str | None = None
    finish: str | None = None
    usage: Usage | None = None
    maybe_charged: bool = False
    model: str | None = None
    tier: str | None = None
    retry_after_s: float | None = None
    congested: bool = False
    holds_all: bool = False
    unreachable: bool = False
    barred: bool = False
    max_attempts: int | None = None
    complaint: str = ""


class Fault(StrEnum):
    """How a call can fail before there is an answer."""

    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    TLS = "tls"
    PROXY = "proxy"
    PROXY_AUTH = "proxy_auth"
    REDIRECT = "redirect"
    OTHER = "other"


class TransportFault(Struct, frozen=True, kw_only=True, gc=False):
    """A call that brought no answer.

    Attributes:
        fault: What went wrong.
        sent: Whether the request may have reached the provider, which may then charge for it.
        detail: The exception's own words; cleaned before anybody sees them.
    """

    fault: Fault
    sent: bool
    detail: str = ""


def judge(status: int, body: bytes, hints: Hints = NO_HINTS, *, endpoint: str = CHAT) -> Verdict:
    """What an HTTP answer means.

    Raises:
        KeyError: No reader for this endpoint.
    """
    if status == 200 and endpoint == CHAT and (chat := usual_chat.read(body)) is not None:
        return accept(chat)
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            parsed = parse_leniently(body)
        except (ValueError, TypeError, RecursionError):
            return _judge_unreadable(status, body, hints)
    return judge_body(status, parsed, hints, endpoint=endpoint)


def accept(chat: UsualChat, tier: str | None = None) -> Verdict:
    """What a usual chat completion means.

    Args:
        chat: The answer.
        tier: The service tier where the answer tells none.
    """
    usage, choice = chat.usage, chat.choices[0]
    details = usage.prompt_tokens_details
    return Verdict(
        kind=Kind.OK,
        answer=choice.message.content,
        finish=choice.finish_reason,
        usage=Usage(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
        ),
        model=chat.model,
        tier=tier if chat.service_tier is None else chat.service_tier,
    )


def judge_body(
    status: int, parsed: Any, hints: Hints = NO_HINTS, *, endpoint: str = CHAT
) -> Verdict:
    """What a parsed body means; for batch lines, which come without headers.

    Raises:
        KeyError: No reader for this endpoint.
    """
    if 200 <= status < 300:
        if not isinstance(parsed, dict):
            return _malformed(f"The answer is {_json_name(parsed)}, not an object")
        if parsed.get("error"):
            return _judge_error_in_success(parsed, hints, READERS[endpoint](parsed).usage)
        return _judge_completion(READERS[endpoint](parsed))
    error = error_in(parsed) or ProviderError(message=f"HTTP status {status}")
    return judge_error(status, error, hints)


def judge_error(status: int, error: ProviderError, hints: Hints = NO_HINTS) -> Verdict:
    """What an error means that came with a status; 0 for one that came without."""
    named = _named(status, error)
    code = named or _by_status(status)
    if code == "rate_limited" and _is_of_a_day(error, hints):
        code = "daily_limit"
    barred = named is None and code in _BARRING
    verdict = Verdict(
        kind=Kind.RETRY if barred else _kind_of(code),
        code=code,
        message=error.message or f"HTTP status {status}",
        congested=status in _CONGESTED_STATUSES or code in PATIENCE,
        holds_all=code == "slow_down" or (code == "rate_limited" and _holds_all(hints)),
        retry_after_s=hints.retry_after_s,
        maybe_charged=code == "timeout",
        barred=barred,
        max_attempts=_bound(code, known=named is not None),
        complaint=error.complaint if code in _COMPLAINTS else "",
    )
    return _as_advised(verdict, hints.should_retry)


def parse_leniently(body: bytes) -> Any:
    """JSON behind a BOM or with NaN in it, which some servers write; such an answer was paid for.

    Raises:
        ValueError: It is something else.
        TypeError: It holds what no file could: half a surrogate pair, a number beyond 64 bits.
        RecursionError: It is nested too deeply.
    """
    parsed = json.loads(body.decode("utf-8-sig"), parse_constant=lambda _: None)
    orjson.dumps(parsed)
    return parsed


def judge_failure(failure: TransportFault) -> Verdict:
    """What a call without an answer means."""
    code, kind = _FAULTS[failure.fault]
    return Verdict(
        kind=kind,
        code=code,
        message=clean(failure.detail) or f"The call failed: {failure.fault}",
        congested=failure.fault is Fault.TIMEOUT,
        unreachable=not failure.sent,
        barred=code in _BARRING,
        maybe_charged=failure.sent,
        max_attempts=_bound(code, known=False),
    )


_FAULTS: Mapping[Fault, tuple[str, Kind]] = MappingProxyType(
    {
        Fault.DNS: ("dns", Kind.RETRY),
        Fault.REFUSED: ("unreachable", Kind.RETRY),
        Fault.RESET: ("connection", Kind.RETRY),
        Fault.TIMEOUT: ("timeout", Kind.RETRY),
        Fault.TLS: ("tls", Kind.FATAL),
        Fault.PROXY: ("proxy", Kind.RETRY),
        Fault.PROXY_AUTH: ("proxy_auth", Kind.FATAL),
        Fault.REDIRECT: ("redirect", Kind.RETRY),
        Fault.OTHER: ("connection", Kind.RETRY),
    }
)

_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        401: "auth",
        402: "quota_exhausted",
        403: "forbidden",
        404: "not_found",
        405: "not_found",
        407: "proxy_auth",
        408: "timeout",
        409: "server_error",
        413: "too_large",
        422: "unprocessable",
        425: "server_error",
        429: "rate_limited",
        451: "forbidden",
        504: "timeout",
        524: "timeout",
    }
)
_PHRASES = (
    (400, "context length", "context_length"),
    (400, "api key", "auth"),
    (400, "be used with the responses api", "model_not_found"),
    (400, "service_tier", "refused_parameter"),
    (400, "specifying dimensions", "refused_parameter"),
    (400, "value for 'dimensions'", "refused_parameter"),
    (403, "embeddings from this model", "model_not_found"),
    (404, "invalid url", "not_found"),  # whose path may be that of models
    (404, "model", "model_not_found"),
    (429, "resource unavailable", "flex_unavailable"),
    (503, "slow down", "slow_down"),
)
_FATAL = frozenset(
    {
        "auth",
        "daily_limit",
        "forbidden",
        "model_not_found",
        "not_found",
        "proxy_auth",
        "quota_exhausted",
        "refused_parameter",
    }
)
_COMPLAINTS = frozenset({"bad_request", "unprocessable"})
_BARRING = frozenset({"forbidden", "redirect"})
_ITEM = frozenset({"bad_request", "context_length", "policy", "too_large"})
_CONGESTED_STATUSES = frozenset({408, 429, 503, 504, 524, 529})

_UNPROCESSABLE_ATTEMPTS = 2
_BARRED_ATTEMPTS = 2
_ADVISED_ATTEMPTS = 3  # the server says "again" to what looks like our mistake
_UNKNOWN_429_ATTEMPTS = 10


def _judge_unreadable(status: int, body: bytes, hints: Hints) -> Verdict:
    text = clean(body[:80_000].decode("utf-8", "replace"))
    if 200 <= status < 300:
        return _malformed(f"The answer is not JSON: {text}" if text else "The answer is empty")
    message = f"HTTP status {status}: {text}" if text else f"HTTP status {status}"
    return judge_error(status, ProviderError(message=message), hints)


def _judge_error_in_success(
    parsed: Mapping[str, Any], hints: Hints, usage: Usage | None
) -> Verdict:
    """A 200 whose body is an error is judged as that error, when it is one that we know.

    A response that failed on its way may have cost something; then it says so.
    """
    error = error_in(parsed)
    if error is None or (error.status is None and _named(200, error) is None):
        verdict = _malformed(error.message if error else "The answer holds an unreadable error")
    else:
        verdict = judge_error(error.status or 200, error, hints)
    return verdict if usage is None else replace(verdict, usage=usage, maybe_charged=False)


def _named(status: int, error: ProviderError) -> str | None:
    """Our code for an error that says what it is; None when only its status speaks."""
    if status == 429 and "request too large" in error.message.lower():
        return "too_large"  # it carries the code of a rate limit, and no waiting helps
    named = PROVIDER_CODES.get(error.code) or PROVIDER_CODES.get(error.type)
    return named or _from_words(status, error)


def _from_words(status: int, error: ProviderError) -> str | None:
    """For what providers say only in their message, or by the parameter they name."""
    if status in {400, 422} and error.param == "service_tier":
        return "refused_parameter"
    words = error.message.lower()
    said = (code for when, phrase, code in _PHRASES if when == status and phrase in words)
    return next(said, None)


def _by_status(status: int) -> str:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return "redirect"
    return "bad_request" if 400 <= status < 500 else "server_error"


def _kind_of(code: str) -> Kind:
    if code in _FATAL:
        return Kind.FATAL
    return Kind.ITEM if code in _ITEM else Kind.RETRY


def _is_of_a_day(error: ProviderError, hints: Hints) -> bool:
    return "per day" in error.message.lower() or (
        hints.exhausted_reset_s is not None and hints.exhausted_reset_s >= _DAY_LIMIT_RESET_S
    )


def _holds_all(hints: Hints) -> bool:
    return hints.exhausted_reset_s is not None or not hints.limits_known


def _bound(code: str, *, known: bool) -> int | None:
    if code == "unprocessable":
        return _UNPROCESSABLE_ATTEMPTS
    if code in _BARRING and not known:
        return _BARRED_ATTEMPTS
    return _UNKNOWN_429_ATTEMPTS if code == "rate_limited" and not known else None


def _as_advised(verdict: Verdict, should_retry: bool | None) -> Verdict:
    """Follow `x-should-retry`, within bounds, where the code leaves room for it."""
    if verdict.barred:
        return verdict
    if should_retry is True and verdict.kind is Kind.ITEM:
        return replace(verdict, kind=Kind.RETRY, max_attempts=_ADVISED_ATTEMPTS)
    if should_retry is False and verdict.kind is Kind.RETRY and verdict.code not in PATIENCE:
        return replace(verdict, max_attempts=1)
    return verdict


def _malformed(message: str) -> Verdict:
    return Verdict(kind=Kind.RETRY, code="malformed", message=message, maybe_charged=True)


def _json_name(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "an array"}
    return names.get(type(value), "a number")


def _judge_completion(completion: Completion) -> Verdict:
    kind = Kind.RETRY if completion.code == "malformed" else Kind.ITEM
    return Verdict(
        kind=kind if completion.code else Kind.OK,
        code=completion.code,
        message=completion.message,
        answer=None if completion.code else completion.text,
        finish=completion.finish,
        usage=completion.usage,
        maybe_charged=completion.usage is None,
        model=completion.model,
        tier=completion.tier,
    )
