"""`POST /v1/chat/completions`."""

from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from processor.sandbox import errors
from processor.sandbox.answers.answerer import answer
from processor.sandbox.answers.question import Question, find_question
from processor.sandbox.conversation import ChatRequest
from processor.sandbox.faults.book import Try
from processor.sandbox.faults.fault import Fault
from processor.sandbox.faults.hit import Hit
from processor.sandbox.faults.kinds import KINDS
from processor.sandbox.front import HEADERS, arrives
from processor.sandbox.latency import lognormal_s
from processor.sandbox.pandoc import ConverterError
from processor.sandbox.state import SANDBOX, Sandbox
from processor.sandbox.tokens import count_tokens, cut
from processor.sandbox.validation import check_chat, parse_object

# What a prompt shares with an earlier one is cached from this length on, in steps.
_CACHED_FROM_TOKENS = 1024
_CACHED_STEP_TOKENS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """A valid request, and the question in it."""

    chat: ChatRequest
    question: Question
    number: int


async def create(request: web.Request) -> web.StreamResponse:
    """Check, count against the limits, go wrong if so told, take time, answer.

    Raises:
        ApiError: The request is refused.
    """
    sandbox = request.app[SANDBOX]
    chat = await _read(request, sandbox)
    question = find_question(chat.turns)
    count = sandbox.stats.item(question.key)
    count.received += 1
    ask = _Ask(chat=chat, question=question, number=count.received)
    _admit(request, sandbox, chat)
    fault = sandbox.faults.choose(Try(question.key, question.text, ask.number))
    if fault is not None:
        return await _go_wrong(request, sandbox, ask, fault)
    completion = await _complete(sandbox, ask)
    response = web.Response(body=orjson.dumps(completion), content_type="application/json")
    if arrives(request, response):
        sandbox.stats.answer(question.key)
    return response


async def _read(request: web.Request, sandbox: Sandbox) -> ChatRequest:
    """The valid request; an invalid one counts as a request all the same."""
    if request.content_type != "application/json":
        raise errors.wrong_content_type(request.content_type)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        # Nothing is unpacked here: bytes that say they are packed are no JSON, whatever they are.
        raise errors.unparsable()
    body = parse_object(await request.read())
    try:
        return check_chat(body, sandbox.config)
    except errors.ApiError as refusal:
        if refusal.status != 404 and isinstance(body.get("model"), str):
            now_s = sandbox.clock.monotonic()
            limits = sandbox.limits.of(body["model"], now_s)
            limits.charge(0, now_s)
            request[HEADERS].update(limits.headers(now_s))
        raise


def _admit(request: web.Request, sandbox: Sandbox, chat: ChatRequest) -> None:
    now_s = sandbox.clock.monotonic()
    limits = sandbox.limits.of(chat.model, now_s)
    try:
        limits.admit(max(chat.max_tokens or 0, chat.prompt_tokens), now_s)
    finally:
        request[HEADERS].update(limits.headers(now_s))


async def _go_wrong(
    request: web.Request, sandbox: Sandbox, ask: _Ask, fault: Fault
) -> web.StreamResponse:
    kind = KINDS[fault.kind]
    sandbox.stats.by_fault[fault.kind] += 1
    if fault.delay_s:
        await sandbox.clock.sleep(fault.delay_s)
    hit = Hit(
        request=request,
        clock=sandbox.clock,
        params=fault.params,
        headers=fault.headers,
        completion=await _complete(sandbox, ask) if kind.paid else {},
    )
    response = await kind.respond(hit)
    if kind.whole and response.status == 200 and arrives(request, response):
        sandbox.stats.answer(ask.question.key)
    return response


async def _complete(sandbox: Sandbox, ask: _Ask) -> dict[str, Any]:
    """The answer, after the time that it takes; paid for from here on."""
    config, question = sandbox.config, ask.question
    asked_before = max(sandbox.stats.item(question.key).paid, question.answers_since)
    try:
        content = await answer(
            question, asked_before, config, sandbox.converter, json_mode=ask.chat.json_mode
        )
    except ConverterError as error:
        raise errors.server_error(str(error)) from error
    await _take_time(sandbox, ask)
    completion = _completion(sandbox, ask.chat, content, cached=asked_before > 0)
    usage = completion["usage"]
    sandbox.stats.pay(question.key, usage["prompt_tokens"], usage["completion_tokens"])
    return completion


async def _take_time(sandbox: Sandbox, ask: _Ask) -> None:
    config = sandbox.config
    seconds = lognormal_s(
        config.latency_ms, config.latency_sigma, config.seed, ask.question.key, ask.number
    )
    if seconds > 0:
        await sandbox.clock.sleep(seconds)


def _completion(
    sandbox: Sandbox, chat: ChatRequest, content: str, *, cached: bool
) -> dict[str, Any]:
    told = content if chat.max_tokens is None else cut(content, chat.max_tokens)
    finish_reason = "stop" if told == content else "length"
    return {
        "id": f"chatcmpl-{sandbox.new_id()}",
        "object": "chat.completion",
        "created": int(sandbox.clock.time()),
        "model": chat.model,
        "choices": [_choice(index, told, finish_reason) for index in range(chat.choices)],
        "usage": _usage(chat, told, cached=cached),
        "service_tier": chat.tier,
        "system_fingerprint": f"fp_sandbox{sandbox.config.seed}",
    }


def _choice(index: int, content: str, finish_reason: str) -> dict[str, Any]:
    return {
        "index": index,
        "message": {"role": "assistant", "content": content, "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": finish_reason,
    }


def _usage(chat: ChatRequest, content: str, *, cached: bool) -> dict[str, Any]:
    completion_tokens = count_tokens(content) * chat.choices
    long_enough = cached and chat.prompt_tokens >= _CACHED_FROM_TOKENS
    step = _CACHED_STEP_TOKENS
    return {
        "prompt_tokens": chat.prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": chat.prompt_tokens + completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": chat.prompt_tokens // step * step if long_enough else 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
