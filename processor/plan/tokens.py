"""Tokens of a request, counted offline.

What a request says is counted by the tokenizer of its model. What stands around it is told by the
rule that OpenAI publishes: 3 tokens for each message, 1 more for a name, 3 that begin the answer
(https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken). Schemas and tools are
charged in a form that nobody outside knows; their JSON stands for it here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from processor.items import Request

_PER_MESSAGE = 3
_PER_NAME = 1
_BEFORE_ANSWER = 3
# Also behind a router ("openai/gpt-…"), and fine-tuned ("ft:gpt-…").
_MAKER = re.compile(r"(?:openai/)?(?:ft:)?")
# The first that fits holds; as OpenAI's tiktoken has them, and its later models as those before.
_ENCODINGS = (
    (re.compile(r"gpt-oss"), "o200k_harmony"),
    (re.compile(r"gpt-(?:4o|4\.[1-9]|[5-9])|chatgpt-|codex-|o[1-9]"), "o200k_base"),
    (re.compile(r"gpt-(?:4|3\.5)|text-embedding-"), "cl100k_base"),
)
_EMBEDDINGS = "/v1/embeddings"
_SPECIFIED = ("tools", "functions", "response_format", "text")
_TEXTS = frozenset({"text", "input_text", "output_text", "refusal"})


def encoding_of(model: str) -> str | None:
    """The encoding of a model's tokenizer; None when it is not known."""
    name = model[_MAKER.match(model).end() :]  # type: ignore[union-attr] # it fits anything
    return next((encoding for form, encoding in _ENCODINGS if form.match(name)), None)


def count(requests: Sequence[Request], encoding: str) -> list[int]:
    """Tokens of each of several requests.

    Args:
        requests: For texts or embeddings.
        encoding: As `encoding_of` names it.
    """
    from toktok import batch_count  # noqa: PLC0415 - its tables take 0.3 s

    texts: list[str] = []
    ends, around = [], []
    for request in requests:
        around.append(_around(request))
        texts.extend(_texts(request.body))
        ends.append(len(texts))
    # One core is enough: it counts a hundred times faster than requests are rendered.
    counts = batch_count(texts, encoding, threads=1)
    totals, begin = [], 0
    for end, more in zip(ends, around, strict=True):
        totals.append(more + sum(counts[begin:end]))
        begin = end
    return totals


def holds_more(body: Mapping[str, Any]) -> bool:
    """Whether a request holds what has no text to count: pictures, sound, files."""
    contents = (turn.get("content") for turn in _turns(body) if isinstance(turn, Mapping))
    return any(
        isinstance(part, Mapping) and part.get("type") not in _TEXTS
        for content in contents
        if isinstance(content, list)
        for part in content
    )


def _turns(body: Mapping[str, Any]) -> Sequence[Any]:
    """The messages of a conversation; a text alone is one, and so is each text of embeddings."""
    turns = body.get("messages", body.get("input", ()))
    if isinstance(turns, str):
        return (turns,)
    return turns if isinstance(turns, list) else ()


def _around(request: Request) -> int:
    """Tokens that nobody wrote, and those that were given as numbers."""
    turns = _turns(request.body)
    given = sum(len(turn) if isinstance(turn, list) else isinstance(turn, int) for turn in turns)
    if request.endpoint == _EMBEDDINGS:
        return given
    instructions = "instructions" in request.body
    names = sum(isinstance(turn, Mapping) and "name" in turn for turn in turns)
    # The role of a text that stands without one is a token, too.
    roles = sum(isinstance(turn, str) for turn in turns) + instructions
    messages = len(turns) + instructions
    return given + _PER_MESSAGE * messages + _PER_NAME * names + roles + _BEFORE_ANSWER


def _texts(body: Mapping[str, Any]) -> Iterator[str]:
    instructions = body.get("instructions")
    if isinstance(instructions, str):
        yield instructions
    for turn in _turns(body):
        if isinstance(turn, str):
            yield turn
        elif isinstance(turn, Mapping):
            yield from _of_message(turn)
    for name in _SPECIFIED:
        if isinstance(body.get(name), Mapping | list):
            yield orjson.dumps(body[name]).decode()


def _of_message(message: Mapping[str, Any]) -> Iterator[str]:
    for value in message.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                    yield part["text"]
                elif isinstance(part, Mapping) and part.get("type") == "function":
                    yield orjson.dumps(part).decode()
