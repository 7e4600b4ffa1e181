"""The error codes: every reason an item or a run can fail for, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Of the stops that have an exit code of their own.
BUDGET_CODE = "budget"
DEADLINE_CODE = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What an error code stands for.

    Attributes:
        code: As in results, statistics and logs.
        retryable: True when the request itself is not at fault: sent again unchanged, later or
            once the remedy is done, it may succeed.
        means: What happened, in one sentence.
        remedy: What to do about it, in one sentence.
    """

    code: str
    retryable: bool
    means: str
    remedy: str


_LATER = (
    Cause(
        code="rate_limited",
        retryable=True,
        means="The provider allows fewer calls a minute than were sent.",
        remedy="Run the same command again, with a lower --concurrency or --rpm.",
    ),
    Cause(
        code="slow_down",
        retryable=True,
        means="The provider asked for a slower start because the rate rose too fast.",
        remedy="Run the same command again in a quarter of an hour, with a lower --rpm.",
    ),
    Cause(
        code="daily_limit",
        retryable=True,
        means="The provider's limit for a whole day is used up.",
        remedy="Run the same command again tomorrow; the Batch API has its own limits.",
    ),
    Cause(
        code="blocked",
        retryable=True,
        means="The provider asked to wait far longer than a run should sleep.",
        remedy="Run the same command again after the time it named.",
    ),
    Cause(
        code="flex_unavailable",
        retryable=True,
        means="The cheaper flex service has no room at the moment; nothing was charged.",
        remedy="Run the same command again later.",
    ),
    Cause(
        code="server_error",
        retryable=True,
        means="The provider had a fault of its own.",
        remedy="Run `processor retry` later; see the provider's status page.",
    ),
    Cause(
        code="malformed",
        retryable=True,
        means="The provider said it succeeded, but its answer was empty or unreadable.",
        remedy="Run `processor retry`; if it stays so, check the base URL.",
    ),
    Cause(
        code="batch_expired",
        retryable=True,
        means="The batch's time ran out before this item's turn came; nothing was charged for it.",
        remedy="Run `processor retry`, then the same command again, or with --route direct.",
    ),
    Cause(
        code="batch_cancelled",
        retryable=True,
        means="The batch was cancelled before this item's turn came; nothing was charged for it.",
        remedy="Run `processor retry`, then the same command again.",
    ),
    Cause(
        code="missing",
        retryable=True,
        means="The batch ended, and the provider's files have no line for this item.",
        remedy="Run `processor retry`, then the same command again, or with --route direct.",
    ),
    Cause(
        code="witness",
        retryable=True,
        means="A request that had succeeded was sent again, to tell bad items from a bad provider.",
        remedy="Nothing needs to be done; it was paid for once more.",
    ),
)

_BATCHES = (
    Cause(
        code="batch_failed",
        retryable=True,
        means="The provider did not accept the batch; nothing was charged for it.",
        remedy="Mend what the message names, then `processor batch submit` sends its rows again.",
    ),
    Cause(
        code="batch_lost",
        retryable=True,
        means="The provider does not know a batch of this run any more.",
        remedy="Check key and project; `processor batch submit --again SHARD` sends its rows anew.",
    ),
    Cause(
        code="in_doubt",
        retryable=True,
        means="A batch may have been made, and the provider cannot be asked whether it was.",
        remedy="Look at its dashboard; then `processor batch submit` with --adopt or --again.",
    ),
    Cause(
        code="results_gone",
        retryable=True,
        means="The results of a batch are not at the provider any more.",
        remedy="Pay for its rows anew with `processor batch submit --again SHARD`.",
    ),
)

_NETWORK = (
    Cause(
        code="timeout",
        retryable=True,
        means="No complete answer came in the time allowed.",
        remedy="Raise --timeout, or lower --concurrency.",
    ),
    Cause(
        code="connection",
        retryable=True,
        means="The connection broke before the answer was complete.",
        remedy="Check the network and the firewall, then run the same command again.",
    ),
    Cause(
        code="unreachable",
        retryable=True,
        means="The provider's computer did not take the connection.",
        remedy="Check the base URL, the network and the firewall, then run the same command again.",
    ),
    Cause(
        code="dns",
        retryable=True,
        means="The provider's name could not be found on the network.",
        remedy="Check the base URL and the internet connection, then run the same command again.",
    ),
    Cause(
        code="tls",
        retryable=True,
        means="The provider's certificate is not trusted by this computer.",
        remedy="Add the certificate to the system's trust store, or name it in SSL_CERT_FILE.",
    ),
    Cause(
        code="proxy",
        retryable=True,
        means="The proxy between here and the provider failed.",
        remedy="Check HTTPS_PROXY and the proxy, then run the same command again.",
    ),
    Cause(
        code="proxy_auth",
        retryable=True,
        means="The proxy asks for a user name and a password.",
        remedy="Put them into HTTPS_PROXY, then run the same command again.",
    ),
    Cause(
        code="redirect",
        retryable=True,
        means="The address sends every call on to another address.",
        remedy="Set the base URL to the address it leads to.",
    ),
)

_ACCOUNT = (
    Cause(
        code="auth",
        retryable=True,
        means="The provider does not accept the API key.",
        remedy="Set OPENAI_API_KEY to a valid key and run the same command again.",
    ),
    Cause(
        code="forbidden",
        retryable=True,
        means="The provider, or a gateway before it, refuses this account, country or item.",
        remedy="Check the project's permissions and the supported countries; look at the item.",
    ),
    Cause(
        code="quota_exhausted",
        retryable=True,
        means="The account has no credit left, or has reached its spending limit.",
        remedy="Add credit or raise the spending limit, then run the same command again.",
    ),
    Cause(
        code="model_not_found",
        retryable=False,
        means="The provider has no such model, or this account may not use it.",
        remedy="Name another model with --model and --accept-change.",
    ),
    Cause(
        code="not_found",
        retryable=False,
        means="The address exists, but does not offer this service.",
        remedy="Check the base URL; it usually ends in /v1.",
    ),
    Cause(
        code="refused_parameter",
        retryable=False,
        means="The model does not accept one of the task's parameters.",
        remedy="Remove the named parameter from the task, or choose another model; then add "
        "--accept-change.",
    ),
)

_OWN = (
    Cause(
        code=BUDGET_CODE,
        retryable=True,
        means="The money that --budget allows is used up.",
        remedy="Run the same command again with a higher --budget.",
    ),
    Cause(
        code=DEADLINE_CODE,
        retryable=True,
        means="The time that --deadline allows is over.",
        remedy="Run the same command again with a later --deadline, or without one.",
    ),
)

_ITEM = (
    Cause(
        code="truncated",
        retryable=False,
        means="The answer was cut off at its length limit.",
        remedy="Run `processor retry --code truncated`, then raise --max-output-tokens.",
    ),
    Cause(
        code="refused",
        retryable=False,
        means="The model declined to answer.",
        remedy="Look at the item and the wording of the prompt.",
    ),
    Cause(
        code="filtered",
        retryable=False,
        means="The provider's content filter stopped the answer.",
        remedy="Look at the item and the wording of the prompt.",
    ),
    Cause(
        code="policy",
        retryable=False,
        means="The provider rejected the item because of its usage policy.",
        remedy="Look at the item and the wording of the prompt.",
    ),
    Cause(
        code="invalid",
        retryable=True,
        means="The answer did not pass the task's checks.",
        remedy="Run `processor retry`, or make the prompt clearer.",
    ),
    Cause(
        code="template",
        retryable=False,
        means="The task's prompt could not be filled in from this row; nothing was sent.",
        remedy="Read the message; mend the row or the prompt.",
    ),
    Cause(
        code="context_length",
        retryable=False,
        means="The item is longer than the model can read.",
        remedy="Shorten the item, or choose a model with a longer context.",
    ),
    Cause(
        code="too_large",
        retryable=False,
        means="The request is larger than the provider accepts.",
        remedy="Shorten the item.",
    ),
    Cause(
        code="bad_request",
        retryable=False,
        means="The provider found a fault in the request.",
        remedy="Read the message; check the task and the item.",
    ),
    Cause(
        code="unprocessable",
        retryable=False,
        means="The provider understood the request but could not work on it.",
        remedy="Read the message; check the task and the item.",
    ),
)

_UNKNOWN = Cause(
    code="unknown",
    retryable=True,
    means="Something failed that this version has no name for.",
    remedy="Read the message and the log, and send both to support.",
)

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {one.code: one for one in (*_LATER, *_BATCHES, *_NETWORK, *_ACCOUNT, *_OWN, *_ITEM, _UNKNOWN)}
)

# What providers call it, in an error's `code` or `type`. Lower case.
PROVIDER_CODES: Mapping[str, str] = MappingProxyType(
    {
        "insufficient_quota": "quota_exhausted",
        "billing_hard_limit_reached": "quota_exhausted",
        "billing_not_active": "quota_exhausted",
        "credit_balance_exhausted": "quota_exhausted",
        "organization_spend_limit_exceeded": "quota_exhausted",
        "project_spend_limit_exceeded": "quota_exhausted",
        "organization_usage_limit_exceeded": "quota_exhausted",
        "batch_expired": "batch_expired",
        "batch_cancelled": "batch_cancelled",
        "batch_canceled": "batch_cancelled",
        "rate_limit_exceeded": "rate_limited",
        "rate_limit_error": "rate_limited",
        "too_many_requests": "rate_limited",
        "slow_down": "slow_down",
        "resource_unavailable": "flex_unavailable",
        "capacity_exceeded": "flex_unavailable",
        "invalid_api_key": "auth",
        "account_deactivated": "auth",
        "unsupported_country_region_territory": "forbidden",
        "model_not_found": "model_not_found",
        "deploymentnotfound": "model_not_found",
        "unsupported_parameter": "refused_parameter",
        "unsupported_value": "refused_parameter",
        "unknown_parameter": "refused_parameter",
        "context_length_exceeded": "context_length",
        "string_above_max_length": "too_large",
        "max_tokens_per_request": "too_large",
        "content_policy_violation": "policy",
        "content_filter": "policy",
        "invalid_prompt": "policy",
        "moderation_blocked": "policy",
        "bio_policy": "policy",
        "misalignment_policy_violation": "policy",
        "image_content_policy_violation": "policy",
        # Of a response that failed for an image.
        "invalid_image": "bad_request",
        "invalid_image_format": "bad_request",
        "invalid_base64_image": "bad_request",
        "invalid_image_url": "bad_request",
        "invalid_image_mode": "bad_request",
        "image_too_large": "bad_request",
        "image_too_small": "bad_request",
        "image_file_too_large": "bad_request",
        "image_file_not_found": "bad_request",
        "image_parse_error": "bad_request",
        "empty_image_file": "bad_request",
        "unsupported_image_media_type": "bad_request",
        "failed_to_download_image": "unprocessable",
        "vector_store_timeout": "server_error",
        "server_error": "server_error",
        "internal_server_error": "server_error",
        "overloaded_error": "server_error",
    }
)


def cause_of(code: str) -> Cause:
    """The cause behind a code; for a code that is not in `CAUSES`, that of `unknown`."""
    return CAUSES.get(code, _UNKNOWN)
