"""What a model says in a conversation, and what that counts for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from processor.sandbox.answers.answerer import answer
from processor.sandbox.answers.question import Question
from processor.sandbox.call import Answer
from processor.sandbox.conversation import Conversation
from processor.sandbox.state import Sandbox
from processor.sandbox.tokens import count_tokens, cut

# What a prompt shares with an earlier one is cached from this length on, in steps.
_CACHED_FROM_TOKENS = 1024
_CACHED_STEP_TOKENS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model says.

    Attributes:
        text: Cut off where the conversation's bound is.
        whole: Whether it was not cut off.
        completion_tokens: Of all choices.
        cached_tokens: Of the prompt.
    """

    text: str
    whole: bool
    completion_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A valid request to go on with a conversation; implements `Ask`.

    Attributes:
        conversation: All of it.
        question: What in it is asked.
        form: Makes of a reply the body that is sent.
        stream: Makes of the body the events that are sent instead; None for the body.
    """

    conversation: Conversation
    question: Question
    form: Callable[[Sandbox, Reply], dict[str, Any]]
    stream: Callable[[dict[str, Any]], bytes] | None = None

    @property
    def model(self) -> str:
        """As it was asked for."""
        return self.conversation.model

    @property
    def key(self) -> str:
        """Names the item."""
        return self.question.key

    @property
    def text(self) -> str:
        """The message with the question."""
        return self.question.text

    @property
    def tier(self) -> str:
        """That serves it."""
        return self.conversation.tier

    @property
    def charge_tokens(self) -> int:
        """What the limits count it for."""
        return self.conversation.charge_tokens

    async def answer(self, sandbox: Sandbox, paid: int) -> Answer:
        """The reply: a function of the seed, the question and how often it was answered before.

        Raises:
            ConverterError: It needs pandoc, which is missing or failed.
        """
        asked_before = max(paid, self.question.answers_since)
        reply = await _reply_to(self.conversation, self.question, sandbox, asked_before)
        body = self.form(sandbox, reply)
        return Answer(
            body=body,
            events=None if self.stream is None else self.stream(body),
            prompt_tokens=self.conversation.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )


async def _reply_to(
    conversation: Conversation, question: Question, sandbox: Sandbox, asked_before: int
) -> Reply:
    content = await answer(
        question,
        asked_before,
        sandbox.config,
        sandbox.converter,
        json_mode=conversation.json_mode,
        schema=conversation.schema,
    )
    most = conversation.max_tokens
    told = content if most is None else cut(content, most)
    return Reply(
        text=told,
        whole=told == content,
        completion_tokens=count_tokens(told) * conversation.choices,
        cached_tokens=_cached(conversation.prompt_tokens) if asked_before else 0,
    )


def _cached(prompt_tokens: int) -> int:
    if prompt_tokens < _CACHED_FROM_TOKENS:
        return 0
    return prompt_tokens // _CACHED_STEP_TOKENS * _CACHED_STEP_TOKENS
