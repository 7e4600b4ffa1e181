"""Whether the provider can be reached, takes the key, has the model, and what it allows."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from processor.access import Access
from processor.clock import Clock
from processor.codes import cause_of
from processor.completion import CHAT
from processor.direct.answer import judged
from processor.direct.transport import Reply, Transport, TransportError
from processor.doctor.finding import Finding, Level, note, ok, skipped, wrong
from processor.headers import Limit, read_limits
from processor.proxy import proxy_for
from processor.tasks.endpoint import ENDPOINTS
from processor.verdict import Fault, Kind, TransportFault, Verdict, judge_failure

_MODELS = "/v1/models"
_STEP_MOST_S = 15.0  # a step that takes longer is as good as failed
_CALL_TOKENS = 16  # the least that every endpoint of OpenAI's accepts
_SKEW_SMALL_S, _SKEW_LARGE_S = 5.0, 60.0
_PORTS = {"http": 80, "https": 443}
_LATER = ("models", "model", "call", "limits", "clock")
_NO_LIST = frozenset({404, 405, 501})
_ANOTHER_MODEL = "Name another with --model."  # there is no run whose model would change


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be looked at.

    Attributes:
        access: How the provider is reached.
        trust_env: Whether proxies count, the one of `access` or the environment's.
        model: To look for, and to ask; None for no such step.
        call: Whether to ask the model, which costs as much as 16 tokens do.
        timeout_s: How long the call may take; a step may take 15 s of it.
    """

    access: Access
    trust_env: bool
    model: str | None
    call: bool
    timeout_s: float

    @property
    def step_s(self) -> float:
        """How long a step may take."""
        return min(_STEP_MOST_S, self.timeout_s)


async def examine(plan: Plan, clock: Clock) -> AsyncIterator[Finding]:
    """One step after the other; after one that failed the rest is skipped."""
    access, trust_env = plan.access, plan.trust_env
    proxy = proxy_for(access) if trust_env else None
    target = urlsplit(str(proxy[0]) if proxy else access.base_url)
    host, port = target.hostname or "", target.port or _PORTS.get(target.scheme, 443)
    if proxy is None:
        yield ok("proxy", "none for this address")
    else:
        by = "by the environment" if access.proxy is None else "by --proxy or a profile"
        yield ok("proxy", f"{target.scheme}://{host}:{port}, {by}")
    tls = proxy is None and target.scheme == "https"
    async for finding in _line(host, port, tls=tls, most_s=plan.step_s, clock=clock):
        yield finding
        if finding.level is Level.WRONG:
            for name in _LATER:
                yield skipped(name, "the provider was not reached")
            return
    async with Transport(access, trust_env=trust_env, connect_s=plan.step_s) as transport:
        async for finding in _Visit(plan, transport, clock).steps():
            yield finding


async def _line(
    host: str, port: int, *, tls: bool, most_s: float, clock: Clock
) -> AsyncIterator[Finding]:
    """Name and connection."""
    begun_s = clock.monotonic()
    try:
        async with asyncio.timeout(most_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except (OSError, UnicodeError, TimeoutError) as error:
        yield _failed("name", f"{host} was not found ({_said(error)})", "dns")
        return
    addresses = sorted({str(each[4][0]) for each in found})
    yield ok("name", f"{host} is {', '.join(addresses[:4])}{_took(begun_s, clock)}")
    begun_s = clock.monotonic()
    try:
        async with asyncio.timeout(most_s):
            said = await _connected(host, port, ssl.create_default_context() if tls else None)
    except ssl.SSLCertVerificationError as error:
        yield _failed("connection", f"{host}:{port}: {_said(error)}", "tls")
    except (OSError, TimeoutError) as error:
        yield _failed("connection", f"{host}:{port}: {_said(error)}", "unreachable")
    else:
        yield ok("connection", f"{host}:{port}{said}{_took(begun_s, clock)}")


async def _connected(host: str, port: int, context: ssl.SSLContext | None) -> str:
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    encrypted = writer.get_extra_info("ssl_object")
    said = f", {encrypted.version()}" if encrypted is not None else ", without TLS"
    writer.close()
    return said


class _Visit:
    """The steps that ask the provider itself.

    Args:
        plan: What is to be looked at.
        transport: Open.
        clock: Time.
    """

    def __init__(self, plan: Plan, transport: Transport, clock: Clock) -> None:
        self._plan = plan
        self._transport = transport
        self._clock = clock
        self._replies: list[Reply] = []
        self._skew_s: float | None = None

    async def steps(self) -> AsyncIterator[Finding]:
        """List of models, the model, a call, and what the headers of all of these tell."""
        listed = await self._list_models()
        yield listed
        if listed.level is Level.WRONG:
            for name in ("model", "call"):
                yield skipped(name, "the provider refused before")
        else:
            yield await self._find_model()
            yield await self._ask_model()
        yield self._limits()
        yield self._clock_skew()

    async def _list_models(self) -> Finding:
        begun_s = self._clock.monotonic()
        reply, verdict = await self._get(_MODELS)
        took = _took(begun_s, self._clock)
        if reply is not None and reply.status in _NO_LIST and not _names_model(verdict):
            said = f"status {reply.status}: this server lists no models{took}"
            return note("models", said, "The base URL usually ends in /v1; --call tells for sure.")
        if reply is None or not 200 <= reply.status < 300:
            return _refused("models", verdict)
        known = _ids(reply.body)
        if known is None:
            return _failed("models", "the answer is no list of models", "not_found")
        key = "the key is accepted" if self._plan.access.sent_headers() else "no key was sent"
        return ok("models", f"{key}, {len(known)} are listed{took}")

    async def _find_model(self) -> Finding:
        model = self._plan.model
        if model is None:
            return skipped("model", "none is named; --model looks for one")
        if self._plan.access.is_azure:
            return skipped("model", "Azure lists no deployments; --call asks one")
        known = _ids(self._replies[-1].body) if self._replies else None
        if known is not None and model in known:
            return ok("model", f"{model} is there")
        reply, verdict = await self._get(f"{_MODELS}/{quote(model, safe='')}")
        if reply is not None and 200 <= reply.status < 300:
            return ok("model", f"{model} is there")
        if known is None and not _names_model(verdict):
            return skipped("model", "this server does not tell; --call asks it")
        return _refused("model", verdict)

    async def _ask_model(self) -> Finding:
        model = self._plan.model
        if model is None or not self._plan.call:
            return skipped("call", f"--call asks a model for {_CALL_TOKENS} tokens at most")
        body = {
            "model": model,
            "messages": [{"role": "user", "content": "Say OK."}],
            ENDPOINTS[CHAT].cap(model): _CALL_TOKENS,
        }
        begun_s = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._plan.timeout_s):
                reply = await self._transport.post(CHAT, orjson.dumps(body), model)
            self._replies.append(reply)
            verdict = judged(reply, CHAT, self._clock)
        except TransportError as error:
            verdict = judge_failure(error.fault)
        except TimeoutError:
            verdict = _late(self._plan.timeout_s)
        if verdict.kind is not Kind.OK and verdict.code != "truncated":
            return _refused("call", verdict)
        usage = verdict.usage
        spent = f", {usage.prompt_tokens} + {usage.completion_tokens} tokens" if usage else ""
        return ok("call", f"{verdict.model or model} answered{spent}{_took(begun_s, self._clock)}")

    async def _get(self, endpoint: str) -> tuple[Reply | None, Verdict]:
        """The answer, and what it means when it is a refusal."""
        try:
            async with asyncio.timeout(self._plan.step_s):
                reply = await self._transport.get(endpoint)
        except TransportError as error:
            return None, judge_failure(error.fault)
        except TimeoutError:
            return None, _late(self._plan.step_s)
        self._note_time(reply)
        self._replies.append(reply)
        return reply, judged(reply, CHAT, self._clock)

    def _note_time(self, reply: Reply) -> None:
        """How far this clock goes before the provider's, whose header tells whole seconds."""
        try:
            theirs_s = parsedate_to_datetime(reply.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return
        self._skew_s = self._clock.time() - theirs_s - 0.5

    def _limits(self) -> Finding:
        for reply in reversed(self._replies):
            limits = read_limits(reply.headers)
            told = [
                f"{limit.limit:g} {unit}, {limit.remaining:g} left"
                for unit, limit in _dimensions(limits.requests, limits.tokens)
            ]
            if told:
                return ok("limits", "; ".join(told))
        return skipped("limits", "no headers told any; --call may bring them")

    def _clock_skew(self) -> Finding:
        if self._skew_s is None:
            return skipped("clock", "the provider did not tell its time")
        side = "ahead of" if self._skew_s > 0 else "behind"
        said = f"{abs(self._skew_s):.0f} s {side} the provider's"
        way_out = "Let the system set its clock (NTP); waits told as dates are misread."
        if abs(self._skew_s) > _SKEW_LARGE_S:
            return wrong("clock", said, way_out)
        if abs(self._skew_s) > _SKEW_SMALL_S:
            return note("clock", said, way_out)
        return ok("clock", "agrees with the provider's")


def _dimensions(requests: Limit | None, tokens: Limit | None) -> Iterator[tuple[str, Limit]]:
    for unit, limit in (("requests/min", requests), ("tokens/min", tokens)):
        if limit is not None:
            yield unit, limit


def _ids(body: bytes) -> set[str] | None:
    """The models that an answer lists; None when it is no list of any."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    listed = parsed.get("data") if isinstance(parsed, dict) else None
    if not isinstance(listed, list):
        return None
    return {str(each.get("id")) for each in listed if isinstance(each, dict)}


def _names_model(verdict: Verdict) -> bool:
    return verdict.code == "model_not_found"


def _refused(name: str, verdict: Verdict) -> Finding:
    return _failed(name, verdict.message or cause_of(verdict.code).means, verdict.code)


def _failed(name: str, said: str, code: str) -> Finding:
    remedy = _ANOTHER_MODEL if code == "model_not_found" else cause_of(code).remedy
    return wrong(name, said, remedy, remote=True)


def _late(seconds: float) -> Verdict:
    detail = f"No whole answer within {seconds:g} s"
    return judge_failure(TransportFault(fault=Fault.TIMEOUT, sent=True, detail=detail))


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error)


def _took(begun_s: float, clock: Clock) -> str:
    return f" ({(clock.monotonic() - begun_s) * 1000:.0f} ms)"
