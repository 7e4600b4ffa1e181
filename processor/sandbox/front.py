"""What every request passes on its way in and every response on its way out."""

import hmac
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from processor.sandbox import azure, errors
from processor.sandbox.config import SandboxConfig
from processor.sandbox.limits import ORGANIZATION, ModelLimits
from processor.sandbox.state import SANDBOX, Sandbox

HEADERS: web.RequestKey[dict[str, str]] = web.RequestKey("headers", dict[str, str])
_ARRIVED: web.RequestKey[float] = web.RequestKey("arrived", float)
_API = ("/v1/", azure.PREFIX)


@web.middleware
async def front(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request, check its key, and turn every refusal into OpenAI's error object."""
    if not request.path.startswith(_API):
        return await _handle(request, handler)
    sandbox = request.app[SANDBOX]
    request[HEADERS] = {}
    request[_ARRIVED] = sandbox.clock.monotonic()
    with sandbox.stats.arrival(_route(request), sandbox.clock.time()):
        response = await _handle(request, handler, sandbox.config)
        status = str(response.status) if arrives(request, response) else "dropped"
        sandbox.stats.by_status[status] += 1
        return response


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put OpenAI's headers on a response; those that it has already stay."""
    if _ARRIVED not in request:
        return
    sandbox: Sandbox = request.app[SANDBOX]
    elapsed_s = sandbox.clock.monotonic() - request[_ARRIVED]
    headers = response.headers
    headers.setdefault("x-request-id", f"req_{sandbox.new_id()}")
    headers.setdefault("openai-processing-ms", str(int(elapsed_s * 1000)))
    headers.setdefault("openai-version", "2020-10-01")
    headers.setdefault("openai-organization", sandbox.config.organization or ORGANIZATION)
    for name, value in request[HEADERS].items():
        headers.setdefault(name, value)


def admit(request: web.Request, limits: ModelLimits, tokens: int = 0) -> None:
    """Count a request against limits, whose state goes into the response's headers.

    Raises:
        ApiError: 429, with the time to wait.
    """
    now_s = request.app[SANDBOX].clock.monotonic()
    try:
        limits.admit(tokens, now_s)
    finally:
        request[HEADERS].update(limits.headers(now_s))


def as_json(value: dict[str, Any]) -> web.Response:
    """A response whose body is an object."""
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def arrives(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether a response was begun already, or still can be."""
    is_open = request.transport is not None and not request.transport.is_closing()
    return response.prepared or is_open


def _route(request: web.Request) -> str:
    """Method and path, with the names of path parameters for their values."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else 'elsewhere'}"


async def _handle(
    request: web.Request, handler: Handler, keys: SandboxConfig | None = None
) -> web.StreamResponse:
    try:
        if keys is not None:
            _check(request, keys)
        return await handler(request)
    except (errors.ApiError, web.HTTPException, web.RequestPayloadError) as error:
        refusal = _in_openais_words(request, error)
        return _refuse(azure.reworded(request, refusal) if azure.speaks(request) else refusal)
    except ConnectionError:
        # The client left in the middle of its request or of the answer: nobody reads this.
        return web.Response()


def _in_openais_words(request: web.Request, error: Exception) -> errors.ApiError:
    match error:
        case errors.ApiError():
            return error
        case web.HTTPMethodNotAllowed():
            return errors.wrong_method(request.method, request.path)
        case web.HTTPRequestEntityTooLarge():
            return errors.too_large(request.app[SANDBOX].config.max_body_bytes)
        case web.HTTPNotFound():
            return errors.no_such_url(request.method, request.path)
        case _:
            return errors.unparsable()


def _refuse(refusal: errors.ApiError) -> web.Response:
    return web.Response(
        status=refusal.status,
        body=refusal.body,
        content_type="application/json",
        headers=refusal.headers,
    )


def _check(request: web.Request, config: SandboxConfig) -> None:
    if azure.speaks(request):
        azure.check(request, config.api_key)
        return
    _check_key(request, config.api_key)
    for kind, own in (("organization", config.organization), ("project", config.project)):
        if own is not None and request.headers.get(f"openai-{kind}", own) != own:
            raise errors.wrong_account(kind)


def _check_key(request: web.Request, demanded: str | None) -> None:
    if demanded is None:
        return
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise errors.missing_key()
    if not hmac.compare_digest(key.encode(errors="surrogateescape"), demanded.encode()):
        raise errors.wrong_key(key)
