"""Usual lines are read in one step as they are read in several."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from processor.batch import usual
from processor.batch.answer import TIER
from processor.batch.lines import Line, read_line
from processor.verdict import judge, judge_body

counts = st.one_of(st.integers(-1, 50), st.just(2**53), st.just(2**53 + 1), st.none(), st.just(1.5))
texts = st.one_of(st.text(), st.none())
DETAILS = st.one_of(st.none(), st.fixed_dictionaries({}, optional={"cached_tokens": counts}))
USAGE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"prompt_tokens": counts, "completion_tokens": counts},
        optional={"prompt_tokens_details": DETAILS},
    ),
)
CHOICE = st.fixed_dictionaries(
    {
        "message": st.fixed_dictionaries({"content": texts}, optional={"refusal": texts}),
        "finish_reason": st.sampled_from(["stop", "length", "content_filter", "tool_calls", None]),
    }
)
LINE = st.fixed_dictionaries(
    {
        "custom_id": st.just("item-7"),
        "response": st.fixed_dictionaries(
            {
                "status_code": st.sampled_from([200, 200, 200, 500, 0]),
                "body": st.fixed_dictionaries(
                    {"choices": st.lists(CHOICE, max_size=2), "usage": USAGE, "model": texts},
                    optional={"service_tier": texts, "error": st.none()},
                ),
            },
            optional={"request_id": texts},
        ),
    },
    optional={"error": st.one_of(st.none(), st.just({"code": "batch_expired", "message": "x"}))},
)


def usual_line(**changes: Any) -> dict[str, Any]:
    body = {
        "model": "gpt-6-luna",
        "choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        **changes,
    }
    return {"custom_id": "item-7", "response": {"status_code": 200, "body": body}, "error": None}


@given(LINE)
def test_it_means_what_the_long_way_says(told: dict[str, Any]) -> None:
    raw = json.dumps(told).encode()
    read = usual.read(raw, TIER)
    if read is None:
        return
    line = read_line(raw)
    assert isinstance(line, Line)
    assert line.body is not None
    longer = judge_body(200, orjson.loads(line.body))
    assert judge(200, line.body) == longer
    assert read[1] == replace(longer, tier=longer.tier or TIER)
    assert (read[0].custom_id, read[0].status, read[0].request_id) == (
        line.custom_id,
        line.status,
        line.request_id,
    )


def test_the_usual_one_is_read_in_one_step() -> None:
    read = usual.read(orjson.dumps(usual_line()), TIER)
    assert read is not None
    assert (read[1].answer, read[1].tier) == ("Yes.", "batch")


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": []},
        {"choices": [{"message": {"content": None}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "a", "refusal": "no"}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "a"}, "finish_reason": "length"}]},
        {"usage": None},
        {"error": {"message": "overloaded"}},
    ],
)
def test_everything_else_is_left_to_the_long_way(changes: dict[str, Any]) -> None:
    assert usual.read(orjson.dumps(usual_line(**changes)), TIER) is None
