"""`POST /v1/chat/completions`."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from processor.sandbox.answers.question import Question, find_question
from processor.sandbox.call import Answer, serve
from processor.sandbox.chat_request import check_chat
from processor.sandbox.conversation import Conversation
from processor.sandbox.reply import Reply, reply_to
from processor.sandbox.state import Sandbox


async def create(request: web.Request) -> web.StreamResponse:
    """Answer a conversation.

    Raises:
        ApiError: The request is refused.
    """
    return await serve(request, _read)


def _read(body: dict[str, Any], sandbox: Sandbox) -> "_Ask":
    chat = check_chat(body, sandbox.config)
    return _Ask(chat=chat, question=find_question(chat.turns))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """A conversation, and the question in it; implements `Ask`."""

    chat: Conversation
    question: Question

    @property
    def model(self) -> str:
        return self.chat.model

    @property
    def key(self) -> str:
        return self.question.key

    @property
    def text(self) -> str:
        return self.question.text

    @property
    def charge_tokens(self) -> int:
        return self.chat.charge_tokens

    async def answer(self, sandbox: Sandbox, paid: int) -> Answer:
        reply = await reply_to(self.chat, self.question, sandbox, paid)
        return Answer(
            body=_completion(sandbox, self.chat, reply),
            prompt_tokens=self.chat.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )


def _completion(sandbox: Sandbox, chat: Conversation, reply: Reply) -> dict[str, Any]:
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
