"""The way of every request that a model answers, whatever its endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from processor.sandbox import azure, errors, events
from processor.sandbox.conversation import FLEX
from processor.sandbox.faults.book import Try
from processor.sandbox.faults.fault import Fault
from processor.sandbox.faults.hit import Hit
from processor.sandbox.faults.kinds import KINDS
from processor.sandbox.front import HEADERS, admit, arrives, as_json
from processor.sandbox.latency import lognormal_s
from processor.sandbox.pandoc import ConverterError
from processor.sandbox.state import SANDBOX, Sandbox
from processor.sandbox.validation import parse_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answers.

    Attributes:
        body: As it is sent.
        prompt_tokens: Paid for, as are those of the completion.
        events: What is sent instead of the body; None for the body.
    """

    body: dict[str, Any]
    prompt_tokens: int
    completion_tokens: int
    events: bytes | None = None


class Ask(Protocol):
    """A valid request."""

    @property
    def model(self) -> str:
        """As it was asked for."""

    @property
    def key(self) -> str:
        """Names the item: a request for the same again has the same key."""

    @property
    def text(self) -> str:
        """What is asked; faults select by it."""

    @property
    def tier(self) -> str:
        """Service tier that serves it."""

    @property
    def charge_tokens(self) -> int:
        """What the limits count it for."""

    async def answer(self, sandbox: Sandbox, paid: int) -> Answer:
        """The answer, made in no time.

        Args:
            sandbox: Its state.
            paid: How often the item was answered when the request came.

        Raises:
            ConverterError: It needs pandoc, which is missing or failed.
        """


Reader = Callable[[dict[str, Any], Sandbox], Ask]
"""From a body to the request in it; raises ApiError when it is refused."""


async def serve(request: web.Request, read: Reader) -> web.StreamResponse:
    """Check, count against the limits, go wrong if so told, take time, answer.

    Raises:
        ApiError: The request is refused.
    """
    sandbox = request.app[SANDBOX]
    ask = await _read(request, sandbox, read)
    count = sandbox.stats.item(ask.key)
    count.received += 1
    number = count.received
    limits = sandbox.limits.of(ask.model, sandbox.clock.monotonic())
    admit(request, limits, ask.charge_tokens)
    fault = sandbox.faults.choose(Try(ask.key, ask.text, number, tier=ask.tier))
    if fault is not None:
        return await _go_wrong(request, ask, number, fault)
    response = _response(await _answer(sandbox, ask, number))
    if arrives(request, response):
        sandbox.stats.answer(ask.key)
    return response


async def _read(request: web.Request, sandbox: Sandbox, read: Reader) -> Ask:
    """The valid request; an invalid one counts as a request all the same."""
    if request.content_type != "application/json":
        raise errors.wrong_content_type(request.content_type)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        # Nothing is unpacked here: bytes that say they are packed are no JSON, whatever they are.
        raise errors.unparsable()
    body = parse_object(await request.read())
    if azure.DEPLOYMENT in request.match_info:
        body["model"] = request.match_info[azure.DEPLOYMENT]
    try:
        return read(body, sandbox)
    except errors.ApiError as refusal:
        if refusal.status != 404 and isinstance(body.get("model"), str):
            now_s = sandbox.clock.monotonic()
            limits = sandbox.limits.of(body["model"], now_s)
            limits.charge(0, now_s)
            request[HEADERS].update(limits.headers(now_s))
        raise


async def _go_wrong(
    request: web.Request, ask: Ask, number: int, fault: Fault
) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    kind = KINDS[fault.kind]
    sandbox.stats.by_fault[fault.kind] += 1
    if fault.delay_s:
        await sandbox.clock.sleep(fault.delay_s)
    made = await _answer(sandbox, ask, number) if kind.paid else None
    hit = Hit(
        request=request,
        clock=sandbox.clock,
        params=fault.params,
        headers=fault.headers,
        completion=made.body if made else {},
        content=made.events if made else None,
        content_kind=events.CONTENT_TYPE,
    )
    response = await kind.respond(hit)
    if kind.whole and response.status == 200 and arrives(request, response):
        sandbox.stats.answer(ask.key)
    return response


def _response(answer: Answer) -> web.Response:
    if answer.events is None:
        return as_json(answer.body)
    return web.Response(body=answer.events, content_type=events.CONTENT_TYPE)


async def _answer(sandbox: Sandbox, ask: Ask, number: int) -> Answer:
    """The answer, after the time that it takes; paid for from here on."""
    config, paid = sandbox.config, sandbox.stats.item(ask.key).paid
    seconds = lognormal_s(config.latency_ms, config.latency_sigma, config.seed, ask.key, number)
    if ask.tier == FLEX:
        seconds *= config.flex_factor
    if seconds > 0:
        await sandbox.clock.sleep(seconds)
    try:
        made = await ask.answer(sandbox, paid)
    except ConverterError as error:
        raise errors.server_error(str(error)) from error
    sandbox.stats.pay(ask.key, made.prompt_tokens, made.completion_tokens)
    sandbox.stats.paid_by_tier[ask.tier] += 1
    return made
