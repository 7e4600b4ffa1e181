"""What the bodies of successful answers hold, an endpoint a table."""

import base64
import struct
from typing import Any

import pytest

from processor.completion import read_embedding, read_response
from processor.items import Usage

USAGE = {
    "input_tokens": 310,
    "input_tokens_details": {"cached_tokens": 128},
    "output_tokens": 24,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 334,
}


def words(text: str, kind: str = "output_text") -> dict[str, Any]:
    return {"type": kind, "text": text, "annotations": []}


def refusal(text: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": text}


def message(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts), **fields}


THOUGHT = words("Let me see.", "reasoning_text")
REASONING = {"type": "reasoning", "summary": [], "content": [THOUGHT]}
CALL = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
SEARCH = {"type": "web_search_call", "status": "completed"}


@pytest.mark.parametrize(
    ("output", "text", "code"),
    [
        ([message(words("x"))], "x", ""),
        ([message(words("a"), words("b"))], "ab", ""),
        ([message(words("a")), message(words("b"))], "ab", ""),
        ([{"role": "assistant", "content": [{"text": "x"}]}], "x", ""),
        ([message(words(""))], "", ""),
        ([REASONING, message(words("x"))], "x", ""),
        ([SEARCH, message(words("x"))], "x", ""),
        ([message(words("On it."), phase="commentary"), message(words("x"))], "x", ""),
        ([message(words("x"), phase="final_answer")], "x", ""),
        ([message(words("x"), phase="commentary")], "x", ""),
        ([CALL, message(words("x"))], "x", ""),
        ([REASONING, CALL], None, "invalid"),
        ([CALL, message(words(""))], "", "invalid"),
        ([{"type": "custom_tool_call"}], None, "invalid"),
        ([{"type": "mcp_approval_request"}], None, "invalid"),
        ([message(refusal("No."))], None, "refused"),
        ([message(words("Well,"), refusal("no."))], "Well,", "refused"),
        ([REASONING], None, "malformed"),
        ([SEARCH], None, "malformed"),
        ([], None, "malformed"),
        (None, None, "malformed"),
        ({"0": message(words("x"))}, None, "malformed"),
        ([None, 7, message(None, 7, {"type": "output_text", "text": 7})], None, "malformed"),
        ([message()], None, "malformed"),
        ([{"type": "message", "content": "x"}], None, "malformed"),
    ],
)
def test_the_text_of_a_response(output: Any, text: str | None, code: str) -> None:
    completion = read_response(
        {"status": "completed", "output": output, "usage": USAGE, "model": "m", "error": None}
    )
    assert (completion.text, completion.code) == (text, code)
    assert bool(completion.message) == bool(code)
    assert completion.usage == Usage(prompt_tokens=310, completion_tokens=24, cached_tokens=128)
    assert (completion.model, completion.finish) == ("m", "completed")


@pytest.mark.parametrize(
    ("status", "details", "code"),
    [
        ("completed", None, ""),
        (None, None, ""),  # some servers leave it out
        ("incomplete", {"reason": "max_output_tokens"}, "truncated"),
        ("incomplete", {"reason": "content_filter"}, "filtered"),
        ("incomplete", {"reason": "max_messages"}, "malformed"),
        ("incomplete", {"reason": ["odd"]}, "malformed"),
        ("incomplete", None, "malformed"),
        ("failed", None, "malformed"),
        ("cancelled", None, "malformed"),
        ("queued", None, "malformed"),
        ("in_progress", None, "malformed"),
        (7, None, "malformed"),
        (["completed"], None, "malformed"),
    ],
)
def test_how_a_response_ends(status: Any, details: Any, code: str) -> None:
    body = {"status": status, "incomplete_details": details, "output": [message(words("x"))]}
    assert read_response(body).code == code


def test_what_is_refused_at_its_length_limit_is_truncated() -> None:
    details = {"reason": "max_output_tokens"}
    body = {"status": "incomplete", "incomplete_details": details, "output": [REASONING]}
    assert read_response(body).code == "truncated"


def base64_of(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([{"embedding": base64_of(0.6, 0.8)}], base64_of(0.6, 0.8)),
        ([{"embedding": [0.6, 0.8]}], base64_of(0.6, 0.8)),
        ([{"embedding": [0, 1]}], base64_of(0, 1)),
        ([{"embedding": "!!!"}], "!!!"),  # a matter of the task's check
    ],
)
def test_the_vector_of_an_answer(data: Any, text: str) -> None:
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    completion = read_embedding({"data": data, "model": "m", "usage": usage})
    assert (completion.code, completion.text) == ("", text)
    assert completion.usage == Usage(prompt_tokens=8, completion_tokens=0)
    assert completion.model == "m"


def test_two_vectors_for_one_input_are_nobodys() -> None:
    completion = read_embedding({"data": [{"embedding": "x"}, {"embedding": "y"}]})
    assert completion.code == "invalid"
    assert "2 vectors" in completion.message


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        [None],
        [{}],
        [{"embedding": None}],
        [{"embedding": ""}],
        [{"embedding": []}],
        [{"embedding": [None]}],  # NaN, read leniently
        [{"embedding": ["0.6"]}],
        [{"embedding": [[0.6]]}],
        [{"embedding": [1e39]}],  # no float32
        [{"embedding": {"0": 0.6}}],
    ],
)
def test_an_answer_without_a_vector_is_malformed(data: Any) -> None:
    completion = read_embedding({"data": data})
    assert (completion.code, completion.text) == ("malformed", None)
    assert completion.message
    assert completion.usage is None


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": -1}, {"prompt_tokens": True}])
def test_the_usage_of_a_vector_that_was_not_said_is_unknown(usage: Any) -> None:
    body = {"data": [{"embedding": base64_of(1)}], "usage": usage}
    assert read_embedding(body).usage is None
