"""`POST /v1/chat/completions`."""

from functools import partial
from typing import Any

from aiohttp import web

from processor.sandbox.answers.question import find_question
from processor.sandbox.call import serve
from processor.sandbox.chat_request import check_chat
from processor.sandbox.conversation import Conversation
from processor.sandbox.events import as_events
from processor.sandbox.reply import Reply, Talk
from processor.sandbox.state import Sandbox
from processor.sandbox.stored import Stored


async def create(request: web.Request) -> web.StreamResponse:
    """Answer a conversation.

    Raises:
        ApiError: The request is refused.
    """
    return await serve(request, read)


def read(body: dict[str, Any], sandbox: Sandbox) -> Talk:
    """The conversation that a body asks for.

    Raises:
        ApiError: It is refused.
    """
    chat = check_chat(body, sandbox.config)
    question = find_question(chat.turns)
    stream = partial(as_events, with_usage=chat.streams_usage) if chat.streamed else None
    return Talk(
        conversation=chat, question=question, form=partial(_completion, chat), stream=stream
    )


def _completion(chat: Conversation, sandbox: Sandbox, reply: Reply) -> dict[str, Any]:
    body = _body(chat, sandbox, reply)
    if chat.stored:
        sandbox.keep_completion(Stored(body=body, turns=chat.turns, metadata=chat.metadata))
    return body


def _body(chat: Conversation, sandbox: Sandbox, reply: Reply) -> dict[str, Any]:
    finish_reason = "stop" if reply.whole else "length"
    return {
        "id": f"chatcmpl-{sandbox.new_id()}",
        "object": "chat.completion",
        "created": int(sandbox.clock.time()),
        "model": chat.model,
        "choices": [_choice(index, reply.text, finish_reason) for index in range(chat.choices)],
        "usage": _usage(chat, reply),
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


def _usage(chat: Conversation, reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": chat.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": chat.prompt_tokens + reply.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
