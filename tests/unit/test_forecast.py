"""When a run under a deadline will be done: a table of moments, and what holds in every moment."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, strategies as st

from processor.plan.decide import CANCEL_S, Decision, Open, View, decide
from processor.plan.forecast import forecast
from processor.plan.latency import Latencies, Seen
from processor.plan.offer import Verdict

HOUR_S = 3_600.0
QUICK = Latencies([Seen(1_000, 600.0)] * 30)
NEVER = Latencies([Seen(1_000, inf)] * 50)
NOW = View(now_s=1_000.0, deadline_s=1_000.0 + 2 * HOUR_S, fresh=0, per_s=1.0, latencies=QUICK)
WAIT = Decision(reason="wait")
HALF = Open(number=1, items=1_000, answered=500, age_s=1_200.0)
DUMB = Open(number=1, items=1_000, age_s=0.0)


@pytest.mark.parametrize(
    ("view", "decision", "in_s", "verdict"),
    [
        pytest.param(replace(NOW, queued=600), WAIT, 600, "yes", id="directly"),
        pytest.param(
            replace(NOW, fresh=300, queued=100), Decision(direct=300, reason=""), 400, "yes",
            id="and-what-is-sent-now",
        ),
        pytest.param(replace(NOW, queued=7_300), WAIT, 7_300, "no", id="too-much-directly"),
        pytest.param(replace(NOW, open=(HALF,)), WAIT, 1_200, "yes", id="a-batch-by-its-pace"),
        pytest.param(replace(NOW, open=(DUMB,)), WAIT, 620, "yes", id="a-batch-as-others-were"),
        pytest.param(
            replace(NOW, open=(DUMB,), latencies=NEVER), WAIT, 2 * HOUR_S, "yes",
            id="one-that-is-late-is-taken-back-in-time",
        ),
        pytest.param(
            replace(NOW, open=(replace(DUMB, items=4_000),), per_s=0.5), WAIT, 620, "perhaps",
            id="it-hangs-on-the-batch-alone",
        ),
        pytest.param(
            replace(NOW, open=(replace(DUMB, items=4_000),), per_s=0.5, latencies=NEVER), WAIT,
            CANCEL_S + 8_000, "no", id="a-batch-that-is-too-large-and-too-late",
        ),
        pytest.param(
            replace(NOW, open=(replace(HALF, cancelling=True),)), WAIT, CANCEL_S + 500, "yes",
            id="one-that-comes-back",
        ),
        pytest.param(
            replace(NOW, open=(replace(HALF, cancelling=True, back_s=CANCEL_S + 121),)), WAIT,
            CANCEL_S + 500, "perhaps", id="one-that-should-have-come-back",
        ),
        pytest.param(
            replace(NOW, queued=600, is_still=True), WAIT, 600, "perhaps", id="no-calls-are-made"
        ),
        pytest.param(
            replace(NOW, fresh=1_000), Decision(batch=1_000, reason=""), 620, "yes",
            id="one-that-is-about-to-go",
        ),
        pytest.param(
            replace(NOW, fresh=1_000), Decision(batch=400, reason=""), 620, "perhaps",
            id="the-budget-is-not-enough-for-all",
        ),
        pytest.param(
            replace(NOW, deadline_s=None, open=(HALF,)), WAIT, 1_200, None, id="no-deadline"
        ),
        pytest.param(
            replace(NOW, deadline_s=None, open=(DUMB,), latencies=NEVER), WAIT, inf, None,
            id="nobody-knows",
        ),
    ],
)  # fmt: skip
def test_when_it_will_be_done(
    view: View, decision: Decision, in_s: float, verdict: str | None
) -> None:
    told = forecast(view, decision)
    assert told.done_s - view.now_s == pytest.approx(in_s, abs=90)
    assert told.verdict == (None if verdict is None else Verdict(verdict))


@given(
    fresh=st.integers(0, 100_000),
    queued=st.integers(0, 2_000),
    held=st.lists(st.tuples(st.integers(1, 5_000), st.floats(0, 1), st.floats(0, 40_000))),
    per_s=st.floats(0.01, 500),
    left_s=st.floats(1, 100_000),
)
def test_what_will_be_made_is_done_before(
    fresh: int,
    queued: int,
    held: list[tuple[int, float, float]],
    per_s: float,
    left_s: float,
) -> None:
    shards = tuple(
        Open(number=number, items=items, answered=int(share * items), age_s=age_s)
        for number, (items, share, age_s) in enumerate(held)
    )
    view = View(now_s=0.0, deadline_s=left_s, fresh=fresh, queued=queued, per_s=per_s, open=shards)
    told = forecast(view, decide(view))
    assert told.done_s >= view.now_s
    assert (told.done_s <= left_s) == (told.verdict is not Verdict.NO)


def test_what_calls_cannot_rescue_is_not_sure() -> None:
    view = replace(NOW, open=(Open(number=1, items=500),), per_s=400.0)
    assert forecast(view, WAIT).verdict is Verdict.YES
    assert forecast(replace(view, has_direct=False), WAIT).verdict is Verdict.PERHAPS


def test_many_shards_are_told_at_once() -> None:
    shards = tuple(Open(number=n, items=500, age_s=float(n % 50)) for n in range(400))
    view = replace(NOW, open=shards, per_s=400.0, latencies=NEVER)
    assert forecast(view, WAIT).verdict is Verdict.YES
