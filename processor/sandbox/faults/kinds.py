"""The registry of faults: a new one is a line here, and a function where it does something new."""

from collections.abc import Iterator, Mapping

from processor.sandbox.faults import spoilers, wire
from processor.sandbox.faults.fates import FATES, Fate
from processor.sandbox.faults.fault import Fault, FaultError
from processor.sandbox.faults.hit import Kind, Reader, seconds, share
from processor.sandbox.faults.lag import Lag
from processor.sandbox.faults.places import CALL, OPERATIONS
from processor.sandbox.faults.replies import ErrorReply, Garbled, Spoiled, html_page
from processor.sandbox.faults.wire import Wire

_EXHAUSTED = "You exceeded your current quota, please check your plan and billing details."


def _quota(code: str) -> ErrorReply:
    fields = {"type": "insufficient_quota", "code": code, "message": _EXHAUSTED}
    return ErrorReply(status=429, fields=fields)


def _spent(code: str) -> ErrorReply:
    """Told by the code alone."""
    return ErrorReply(status=429, fields={"code": code, "message": _EXHAUSTED})


_SERVER = {"type": "server_error", "message": "The server had an error processing your request."}
_SECONDS: Mapping[str, Reader] = {"seconds": seconds}
_SHARE: Mapping[str, Reader] = {"share": share}
_DONE_FIRST = ("create", CALL, *(place for place in OPERATIONS if place != "create"))

KINDS: Mapping[str, Kind] = {
    # Statuses. `status` is for any other: status:status=418,body=...
    "status": ErrorReply(status=500, fields=_SERVER),
    "rate_limit": ErrorReply(
        status=429,
        fields={
            "type": "requests",
            "code": "rate_limit_exceeded",
            "message": "Rate limit reached for requests.",
        },
    ),
    "daily_limit": ErrorReply(
        status=429,
        fields={
            "type": "requests",
            "code": "rate_limit_exceeded",
            "message": "Rate limit reached on requests per day (RPD): Limit 10000, Used 10000, "
            "Requested 1. Please try again in 8h0m0s.",
        },
        headers={
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "8h0m0s",
            "retry-after": "28800",
        },
    ),
    "slow_down": ErrorReply(
        status=503,
        fields={
            "type": "server_error",
            "code": "slow_down",
            "message": "Slow down: your request rate rose too fast. Go back to your earlier rate, "
            "hold it for 15 minutes, then raise it gradually.",
        },
    ),
    "flex_unavailable": ErrorReply(
        status=429,
        fields={
            "type": "resource_unavailable",
            "code": "resource_unavailable",
            "message": "Resource Unavailable: flex processing has no capacity right now.",
        },
    ),
    "insufficient_quota": _quota("insufficient_quota"),
    "billing_hard_limit_reached": _spent("billing_hard_limit_reached"),
    "credit_balance_exhausted": _spent("credit_balance_exhausted"),
    "organization_spend_limit_exceeded": _spent("organization_spend_limit_exceeded"),
    "project_spend_limit_exceeded": _spent("project_spend_limit_exceeded"),
    "organization_usage_limit_exceeded": _spent("organization_usage_limit_exceeded"),
    "quota_of_unknown_code": _quota("some_new_code"),
    "bad_key": ErrorReply(
        status=401,
        fields={"code": "invalid_api_key", "message": "Incorrect API key provided: sk-***."},
    ),
    "region": ErrorReply(
        status=403,
        fields={
            "type": "request_forbidden",
            "code": "unsupported_country_region_territory",
            "message": "Country, region, or territory not supported",
        },
    ),
    "model_not_found": ErrorReply(
        status=404,
        fields={
            "code": "model_not_found",
            "message": "The model does not exist or you do not have access to it.",
        },
    ),
    "bad_request": ErrorReply(status=400, fields={"message": "Something is wrong with it."}),
    "context_length": ErrorReply(
        status=400,
        fields={
            "code": "context_length_exceeded",
            "param": "messages",
            "message": "This model's maximum context length is 128000 tokens.",
        },
    ),
    "policy": ErrorReply(
        status=400,
        fields={
            "code": "content_policy_violation",
            "message": "Your request was rejected as a result of our safety system.",
        },
    ),
    "request_timeout": ErrorReply(
        status=408, fields={"type": "server_error", "message": "Request timed out."}
    ),
    "conflict": ErrorReply(status=409, fields={"message": "The resource is locked."}),
    "too_large": ErrorReply(status=413, fields={"message": "Request entity too large."}),
    "unprocessable": ErrorReply(status=422, fields={"message": "Unprocessable."}),
    "server_error": ErrorReply(status=500, fields=_SERVER),
    "bad_gateway": ErrorReply(status=502, page="502 Bad Gateway"),
    "overloaded": ErrorReply(
        status=503,
        fields={
            "type": "service_unavailable_error",
            "code": "server_is_overloaded",
            "message": "The engine is currently overloaded, please try again later.",
        },
    ),
    "unknown_error": ErrorReply(status=520, page="520: Web server is returning an unknown error"),
    "gateway_timeout": ErrorReply(status=524, page="524: A timeout occurred"),
    # What was asked is done, but the answer says that it was not.
    "late_error": ErrorReply(status=500, fields=_SERVER, paid=True, places=_DONE_FIRST),
    # What was made less than `seconds` (60) ago is not seen yet.
    "lag": Lag(),
    # The wire.
    "reset": Wire(send=wire.reset, paid=False),
    "lost_answer": Wire(send=wire.reset, paid=True),
    "reset_in_body": Wire(send=wire.reset_in_body, paid=True, params=_SHARE),
    "cut_short": Wire(send=wire.cut_short, paid=True, params=_SHARE),
    "hang": Wire(send=wire.hang, paid=False, params=_SECONDS),
    "silence": Wire(send=wire.silence, paid=True, params=_SECONDS),
    "drip": Wire(send=wire.drip, paid=True, whole=True, params=_SECONDS),
    "close": Wire(send=wire.close, paid=True, whole=True),
    "announced_close": Wire(send=wire.announced_close, paid=True, whole=True),
    "redirect": Wire(send=wire.redirect, paid=False, whole=True),
    # A 200 that is no success.
    "html": Garbled(make=lambda _: html_page("Sign in"), content_type="text/html"),
    "null": Garbled(make=lambda _: b"null"),
    "empty": Garbled(make=lambda _: b""),
    "error_object": Garbled(
        make=lambda _: (
            b'{"error":{"message":"An error in a 200.","type":"server_error",'
            b'"param":null,"code":null}}'
        )
    ),
    "truncated_json": Garbled(make=lambda body: body[: len(body) * 2 // 3], paid=True),
    "no_choices": Spoiled(changes=spoilers.NOTHING),
    "length": Spoiled(changes=spoilers.CUT_OFF),
    "content_filter": Spoiled(changes=spoilers.FILTERED),
    "refusal": Spoiled(changes=spoilers.REFUSED, params={"message": str}),
    "content": Spoiled(changes=spoilers.OTHER_CONTENT, params={"content": str}),
    "tool_call": Spoiled(changes=spoilers.TOOL_CALL),
    "failed": Spoiled(changes=spoilers.FAILED, params={"code": str, "message": str}),
    "vector": Spoiled(changes=spoilers.OTHER_VECTOR, params={"how": spoilers.spoilt_vector}),
    "no_usage": Spoiled(changes=spoilers.NO_USAGE),
    "other_model": Spoiled(changes=spoilers.OTHER_MODEL, params={"model": str}),
    "other_tier": Spoiled(changes=spoilers.OTHER_TIER, params={"tier": str}),
    "extra_fields": Spoiled(changes=spoilers.EXTRA_FIELDS),
}


# What goes wrong at one service tier only.
_TIERS: Mapping[str, str] = {"flex_unavailable": "flex"}


def listed() -> Iterator[str]:
    """Every kind in a line: its name, where it hits by itself, its parameters, what happens."""
    kinds: dict[str, Kind | Fate] = {**KINDS, **FATES}
    for name, kind in kinds.items():
        line = f"{name:<36}{kind.places[0]:<8}{' '.join(kind.params)}"
        yield f"{line:<76}{kind.words}" if isinstance(kind, Fate) else line.rstrip()


def place_of(fault: Fault) -> str:
    """Where a fault hits."""
    return fault.on or _kind_of(fault).places[0]


def tier_of(fault: Fault) -> str | None:
    """The service tier whose requests a fault hits; None for all."""
    return _TIERS.get(fault.kind)


def check_fault(fault: Fault) -> None:
    """Demand that the registry knows the kind, its parameters, and that it can hit there.

    Raises:
        FaultError: It does not, or a value does not read as its type.
    """
    kind = _kind_of(fault)
    for name, value in fault.params.items():
        if name not in kind.params:
            known = ", ".join(sorted(kind.params)) or "none"
            raise FaultError(f"fault {fault.kind} has no parameter {name!r}; it has: {known}")
        try:
            kind.params[name](value)
        except ValueError as error:
            raise FaultError(f"fault {fault.kind}: {name} cannot be {value!r}") from error
    if place_of(fault) not in kind.places:
        known = ", ".join(kind.places)
        raise FaultError(f"fault {fault.kind}: on cannot be {fault.on!r}, but: {known}")


def _kind_of(fault: Fault) -> Kind | Fate:
    kind = KINDS.get(fault.kind) or FATES.get(fault.kind)
    if kind is None:
        raise FaultError(
            f"no fault {fault.kind!r}; there are: {', '.join(sorted((*KINDS, *FATES)))}"
        )
    return kind
