"""Why a call for a file or a batch failed, and whom that concerns. Pure."""

import re
from collections.abc import Mapping

import orjson

from processor.batch.remote_values import RemoteError, Trouble
from processor.codes import CAUSES, PROVIDER_CODES
from processor.headers import read_hints
from processor.provider_error import ProviderError, error_in
from processor.verdict import Fault, TransportFault, judge, judge_failure

QUOTA_CODE = "token_limit_exceeded"
_QUOTA_CODES = frozenset(
    {QUOTA_CODE, "enqueued_token_limit_exceeded", "batch_token_limit_exceeded"}
)
_QUOTA_WORDS = re.compile(r"\benqueued[\s_-]+(?:prompt[\s_-]+)?tokens?\b", re.IGNORECASE)
_NO_FILE_STATUSES = frozenset({400, 422})
_NO_FILE = re.compile(
    r"\b(?:cannot|can't|could not|couldn't) find (?:the |input )*file\b|\bno such (?:input )?file\b"
    r"|\bfile\b.{0,80}\b(?:not found|not be found|does not exist|doesn't exist)\b",
    re.IGNORECASE,
)

# The account, the key, or the way to the provider: no other call would fare better.
_FATAL = frozenset({"auth", "forbidden", "proxy_auth", "quota_exhausted", "redirect", "tls"})
_AGAIN = frozenset({"rate_limited", "slow_down", "daily_limit", "flex_unavailable", "malformed"})
_GONE_STATUSES = frozenset({404, 405, 410, 501})
_AGAIN_STATUSES = frozenset({408, 409, 425, 429})
_NO_SUCH_ROUTE = 501  # nothing was done
# A gateway gave up, or another call was at it: what was asked may have been done.
_UNCLEAR_STATUSES = frozenset({408, 409})


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, changes: bool, now_s: float
) -> RemoteError:
    """An HTTP answer that is no success, or that only calls itself one.

    Args:
        status: Of the answer.
        headers: Case-insensitive.
        body: Without secrets.
        changes: Whether the call was to change something at the provider.
        now_s: Seconds since 1970, which HTTP dates are compared with.
    """
    if 300 <= status < 400:
        return redirect(status, headers.get("location", ""))
    hints = read_hints(headers, now_s)
    verdict = judge(status, body, hints)
    error = _error(body)
    trouble = _trouble(error.status or status, verdict.code, error)
    return RemoteError(
        verdict.message,
        trouble=trouble,
        code=_OWN_CODES.get(trouble, verdict.code),
        status=status,
        in_doubt=changes and trouble is not Trouble.QUOTA and _is_unclear(status),
        retry_after_s=hints.retry_after_s,
    )


def unanswered(fault: TransportFault, *, changes: bool) -> RemoteError:
    """A call that brought no whole answer.

    Args:
        fault: Without secrets.
        changes: As in `refusal`.
    """
    verdict = judge_failure(fault)
    return RemoteError(
        verdict.message,
        trouble=Trouble.FATAL if verdict.code in _FATAL else Trouble.AGAIN,
        code=verdict.code,
        in_doubt=changes and fault.sent,
    )


def refused(message: str, *, status: int | None = None) -> RemoteError:
    """A request that is wrong, and will be again."""
    return RemoteError(message, trouble=Trouble.REFUSED, code="bad_request", status=status)


def is_about_file(error: RemoteError) -> bool:
    """Whether what is GONE is a file, as far as its words tell, and no route."""
    return _NO_FILE.search(str(error)) is not None


def redirect(status: int, location: str) -> RemoteError:
    """An answer that sends the call to another address."""
    target = location.partition("?")[0] or "nowhere"
    detail = f"HTTP status {status}, to {target}"
    fault = TransportFault(fault=Fault.REDIRECT, sent=True, detail=detail)
    return unanswered(fault, changes=False)


def malformed(message: str, *, changes: bool = False) -> RemoteError:
    """A success that cannot be one: something between here and the provider spoke instead."""
    return RemoteError(message, trouble=Trouble.AGAIN, code="malformed", in_doubt=changes)


def with_remedy(problem: str) -> str:
    """Why a batch failed, and what cures that where its code is one of a call, too."""
    code = problem.partition(":")[0]
    cause = CAUSES.get(PROVIDER_CODES.get(code, code))
    return problem if cause is None else f"{problem}. {cause.remedy}"


def no_list(what: str) -> RemoteError:
    """There is no list that could be relied upon."""
    return RemoteError(
        f"The provider has no usable list of {what}", trouble=Trouble.GONE, code="not_found"
    )


_OWN_CODES = {Trouble.QUOTA: QUOTA_CODE, Trouble.GONE: "not_found"}


def _trouble(status: int, code: str, error: ProviderError) -> Trouble:
    if _is_quota(status, error):
        return Trouble.QUOTA
    if code in _FATAL:
        return Trouble.FATAL
    if _names_model(error):
        return Trouble.REFUSED
    if status in _GONE_STATUSES or _misses_file(status, error):
        return Trouble.GONE
    if code in _AGAIN or status in _AGAIN_STATUSES or status >= 500:
        return Trouble.AGAIN
    return Trouble.REFUSED


def _is_unclear(status: int) -> bool:
    if status == _NO_SUCH_ROUTE:
        return False
    return status < 300 or status >= 500 or status in _UNCLEAR_STATUSES


def _names_model(error: ProviderError) -> bool:
    """Whether it is about the model; by its code, as words may quote a file named after one."""
    return "model_not_found" in {PROVIDER_CODES.get(error.code), PROVIDER_CODES.get(error.type)}


def _misses_file(status: int, error: ProviderError) -> bool:
    """Whether a file is unknown: to the maker of batches a fresh one is, for a moment, by a 400."""
    return status in _NO_FILE_STATUSES and _NO_FILE.search(error.message) is not None


def _is_quota(status: int, error: ProviderError) -> bool:
    """Whether too much is enqueued already; it comes as a 400 or as a 429."""
    if status >= 500:
        return False
    named = error.code in _QUOTA_CODES or error.type in _QUOTA_CODES
    return named or _QUOTA_WORDS.search(error.message) is not None


def _error(body: bytes) -> ProviderError:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ProviderError()
    return error_in(parsed) or ProviderError()
