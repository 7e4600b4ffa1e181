"""`POST /v1/responses`, and what was answered there before."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from aiohttp import web

from processor.sandbox import errors, models
from processor.sandbox.answers.question import find_question
from processor.sandbox.call import serve
from processor.sandbox.front import as_json
from processor.sandbox.reply import Reply, Talk
from processor.sandbox.response_request import ResponseRequest, check_response
from processor.sandbox.state import SANDBOX, Sandbox

# As they are told when the request says nothing of them.
_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "background": False,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "safety_identifier": None,
        "store": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
    }
)


async def create(request: web.Request) -> web.StreamResponse:
    """Answer a conversation.

    Raises:
        ApiError: The request is refused.
    """
    return await serve(request, read)


async def retrieve(request: web.Request) -> web.Response:
    """A response that was stored.

    Raises:
        ApiError: There is none of this name.
    """
    name = request.match_info["response"]
    body = request.app[SANDBOX].responses.get(name)
    if body is None:
        raise errors.no_such_response(name)
    return as_json(body)


async def delete(request: web.Request) -> web.Response:
    """Forget a response.

    Raises:
        ApiError: There is none of this name.
    """
    name = request.match_info["response"]
    if request.app[SANDBOX].responses.pop(name, None) is None:
        raise errors.no_such_response(name)
    return as_json({"id": name, "object": "response", "deleted": True})


def read(body: dict[str, Any], sandbox: Sandbox) -> Talk:
    """The response that a body asks for.

    Raises:
        ApiError: It is refused.
    """
    wanted = check_response(body, sandbox.config)
    conversation = wanted.conversation
    question = find_question(conversation.turns)
    return Talk(conversation=conversation, question=question, form=partial(_response, wanted))


def _response(wanted: ResponseRequest, sandbox: Sandbox, reply: Reply) -> dict[str, Any]:
    body = _body(wanted, sandbox, reply)
    if wanted.store:
        sandbox.keep_response(body)
    return body


def _body(wanted: ResponseRequest, sandbox: Sandbox, reply: Reply) -> dict[str, Any]:
    conversation, given = wanted.conversation, wanted.given
    told = {name: given.get(name, default) for name, default in _DEFAULTS.items()}
    return {
        "id": f"resp_{sandbox.new_id()}",
        "object": "response",
        "created_at": int(sandbox.clock.time()),
        "status": "completed" if reply.whole else "incomplete",
        "error": None,
        "incomplete_details": None if reply.whole else {"reason": "max_output_tokens"},
        "model": conversation.model,
        "output": _output(sandbox, conversation.model, reply),
        "reasoning": {"effort": None, "summary": None, **given.get("reasoning", {})},
        "service_tier": conversation.tier,
        "text": {"format": {"type": "text"}, "verbosity": "medium", **given.get("text", {})},
        "usage": {
            "input_tokens": conversation.prompt_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens},
            "output_tokens": reply.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": conversation.prompt_tokens + reply.completion_tokens,
        },
        **told,
    }


def _output(sandbox: Sandbox, model: str, reply: Reply) -> list[dict[str, Any]]:
    """The message, behind the reasoning of a model that reasons."""
    message = {
        "id": f"msg_{sandbox.new_id()}",
        "type": "message",
        "status": "completed" if reply.whole else "incomplete",
        "role": "assistant",
        "content": [{"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}],
    }
    if not models.is_reasoning(model):
        return [message]
    return [{"id": f"rs_{sandbox.new_id()}", "type": "reasoning", "summary": []}, message]
