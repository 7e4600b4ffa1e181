"""What a model says in a conversation, and what that counts for."""

from dataclasses import dataclass

from processor.sandbox.answers.answerer import answer
from processor.sandbox.answers.question import Question
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


async def reply_to(
    conversation: Conversation, question: Question, sandbox: Sandbox, paid: int
) -> Reply:
    """The reply: a function of the seed, the question and how often it was answered before.

    Args:
        conversation: All of it.
        question: What in it is asked.
        sandbox: Its state.
        paid: How often the question was answered when the request came.

    Raises:
        ConverterError: It needs pandoc, which is missing or failed.
    """
    asked_before = max(paid, question.answers_since)
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
