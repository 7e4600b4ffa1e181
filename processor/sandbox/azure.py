"""Azure's routes, in Azure's words.

Dated routes (`/openai/deployments/NAME/…?api-version=2024-10-21`) name the deployment and demand
a version; `/openai/v1` is OpenAI's own. A deployment has the name of its model here.
"""

import hmac
import re
from typing import Any

import orjson
from aiohttp import web

from processor.sandbox.errors import ApiError

PREFIX = "/openai/"
DEPLOYMENT = "deployment"  # the part of a path
_V1 = "/openai/v1/"
_DATED = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
_UNDATED = ("preview", "latest")


def speaks(request: web.Request) -> bool:
    """Whether a request came by one of Azure's routes."""
    return request.path.startswith(PREFIX)


def check(request: web.Request, demanded: str | None) -> None:
    """See whether key and version are right.

    Args:
        request: By one of Azure's routes.
        demanded: The key; None takes any, and none.

    Raises:
        ApiError: They are not.
    """
    if demanded is not None:
        _check_key(request, demanded)
    version = request.query.get("api-version")
    if request.path.startswith(_V1):
        if version is not None and version not in _UNDATED:
            raise _refusal(400, "BadRequest", "API version not supported")
    elif version is None:
        raise _not_found()
    elif not _DATED.fullmatch(version):
        raise _refusal(400, "BadRequest", "API version not supported")


def reworded(request: web.Request, refusal: ApiError) -> ApiError:
    """A refusal of OpenAI's as Azure words it; most are the same."""
    if refusal.code == "model_not_found":
        return _refusal(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again.",
        )
    if refusal.status == 404 and refusal.code is None:
        return _not_found()
    if refusal.code == "rate_limit_exceeded":
        return _refusal(429, "429", _rate_limited(request, refusal), refusal.headers)
    return refusal


def _check_key(request: web.Request, demanded: str) -> None:
    key = request.headers.get("api-key")
    if key is None and request.path.startswith(_V1):
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else None
    if key is None:
        # Elsewhere a bearer is a token of Entra, and no key is one.
        raise _raw(
            401,
            {
                "statusCode": 401,
                "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
                "(https://cognitiveservices.azure.com), or have expired.",
            },
        )
    if not hmac.compare_digest(key.encode(errors="surrogateescape"), demanded.encode()):
        raise _refusal(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource.",
        )


def _rate_limited(request: web.Request, refusal: ApiError) -> str:
    kind = "token" if "tokens" in str(refusal) else "call"
    version = request.query.get("api-version", "v1")
    wait_s = refusal.headers.get("retry-after", "60")
    return (
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
        f"{version} have exceeded {kind} rate limit of your current OpenAI S0 pricing tier. "
        f"Please retry after {wait_s} seconds. Please go here: https://aka.ms/oai/quotaincrease "
        "if you would like to further increase the default rate limit."
    )


def _not_found() -> ApiError:
    return _refusal(404, "404", "Resource not found")


def _refusal(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> ApiError:
    return _raw(status, {"error": {"code": code, "message": message}}, headers)


def _raw(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> ApiError:
    refusal = ApiError(status, "", headers=headers)
    refusal.body = orjson.dumps(body)
    return refusal
