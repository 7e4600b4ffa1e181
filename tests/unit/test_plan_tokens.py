"""Tokens of requests, against counts that OpenAI publishes, and by its rule."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.items import Request
from processor.plan.tokens import count, encoding_of, holds_more

CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
O200K, CL100K = "o200k_base", "cl100k_base"
# The example of https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken, and what
# the API said of it: 124 tokens for gpt-4o and gpt-4o-mini, 129 for gpt-4.
PUBLISHED = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate "
        "jargon into plain English.",
    },
    {
        "role": "system",
        "name": "example_user",
        "content": "New synergies will help drive top-line growth.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Things working well together will increase revenue.",
    },
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities "
        "for increased leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client "
        "deliverable.",
    },
]


def tokens(body: dict[str, Any], endpoint: str = CHAT, encoding: str = O200K) -> int:
    (found,) = count([Request(endpoint=endpoint, body=body)], encoding)
    return found


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", O200K),
        ("gpt-4o-2024-08-06", O200K),
        ("chatgpt-4o-latest", O200K),
        ("gpt-4.1-nano", O200K),
        ("gpt-5-mini", O200K),
        ("gpt-6-luna", O200K),
        ("o3-mini", O200K),
        ("openai/gpt-4o", O200K),
        ("ft:gpt-4o-mini:acme::x", O200K),
        ("gpt-oss-120b", "o200k_harmony"),
        ("gpt-4", CL100K),
        ("gpt-4-turbo-preview", CL100K),
        ("gpt-3.5-turbo", CL100K),
        ("ft:gpt-3.5-turbo:acme::x", CL100K),
        ("text-embedding-3-small", CL100K),
        ("claude-opus", None),
        ("llama-3-8b", None),
        ("my-deployment", None),
        ("orca", None),
        ("", None),
    ],
)
def test_the_tokenizer_of_a_model(model: str, encoding: str | None) -> None:
    assert encoding_of(model) == encoding


@pytest.mark.parametrize(("encoding", "expected"), [(O200K, 124), (CL100K, 129)])
def test_a_conversation_counts_as_the_api_counts_it(encoding: str, expected: int) -> None:
    assert tokens({"messages": PUBLISHED}, encoding=encoding) == expected


@pytest.mark.parametrize(
    ("endpoint", "body", "expected"),
    [
        # 3 around a message, its role, 3 before the answer
        (CHAT, {"messages": [{"role": "user", "content": "hello"}]}, 3 + 1 + 1 + 3),
        (CHAT, {"messages": [{"role": "user", "content": ""}]}, 3 + 1 + 3),
        (CHAT, {"messages": [{"role": "assistant", "content": None}]}, 3 + 1 + 3),
        (
            CHAT,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]},
            3 + 1 + 1 + 3,
        ),
        (RESPONSES, {"input": "hello"}, 3 + 1 + 1 + 3),
        (RESPONSES, {"input": [{"role": "user", "content": "hello"}]}, 3 + 1 + 1 + 3),
        (
            RESPONSES,
            {"instructions": "hello", "input": [{"role": "user", "content": "hello"}]},
            2 * (3 + 1 + 1) + 3,
        ),
        (EMBEDDINGS, {"input": "hello"}, 1),
        (EMBEDDINGS, {"input": ["hello", "hello"]}, 2),
        (EMBEDDINGS, {"input": [[1, 2, 3], [4]]}, 4),
        (EMBEDDINGS, {"input": [1, 2, 3]}, 3),
        (CHAT, {}, 3),
    ],
)
def test_what_surrounds_the_text(endpoint: str, body: dict[str, Any], expected: int) -> None:
    assert tokens(body, endpoint) == expected


def test_a_schema_and_tools_count() -> None:
    plain = {"messages": [{"role": "user", "content": "hello"}]}
    wish = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    assert tokens({**plain, "response_format": wish}) > tokens(plain) + 10
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    assert tokens({**plain, "tools": [tool]}) > tokens(plain) + 10


def test_several_are_counted_as_each_alone() -> None:
    bodies = [{"messages": PUBLISHED[:n]} for n in range(len(PUBLISHED) + 1)]
    together = count([Request(endpoint=CHAT, body=body) for body in bodies], O200K)
    assert together == [tokens(body) for body in bodies]
    assert count([], O200K) == []


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_has_at_most_as_many_tokens_as_bytes(text: str) -> None:
    assert tokens({"input": text}, EMBEDDINGS) <= len(text.encode())


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ("hello", False),
        (None, False),
        ([{"type": "text", "text": "hello"}], False),
        ([{"type": "input_text", "text": "hello"}], False),
        ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}], True),
        ([{"type": "input_image", "image_url": "x"}], True),
        ([{"type": "input_file", "file_id": "x"}], True),
    ],
)
def test_what_has_no_text_is_noticed(content: Any, more: bool) -> None:
    assert holds_more({"messages": [{"role": "user", "content": content}]}) is more
