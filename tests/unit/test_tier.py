"""The service tier of calls: who waits for room, who falls, when the job stops."""

from dataclasses import replace
from math import inf

import orjson
import pytest
from hypothesis import given, strategies as st

from processor.direct.backlog import Work
from processor.direct.request import fill_in
from processor.direct.rules import TierRules
from processor.direct.tier import ASK_AGAIN_S, FULL_AFTER, TOLD_AFTER_S, Tier, lacks_room
from processor.items import Item, Usage
from processor.notice import Notice
from processor.plan.estimate import Size
from processor.settings import FLEX_TIMEOUT_S, Settings
from processor.stop import Stop
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse
from processor.verdict import Kind, Verdict

FULL = Verdict(kind=Kind.RETRY, code="flex_unavailable", message="No room.", congested=True)
SERVED = Verdict(kind=Kind.OK, usage=Usage(prompt_tokens=1, completion_tokens=1))
PATIENCE_S = 600.0


class Lane:
    """A tier, and calls that end at times that the test names."""

    def __init__(self, *, falls: bool = False, patience_s: float = PATIENCE_S) -> None:
        self.notices: list[Notice] = []
        rules = TierRules(name="flex", patience_s=patience_s, falls=falls)
        self.oldest_s = inf
        self.tier = Tier(rules, self.notices.append, lambda: self.oldest_s)

    def see(
        self, verdict: Verdict, work: Work, now_s: float, *, took_s: float = 0.0
    ) -> Stop | None:
        return self.tier.observe(verdict, work, sent_s=now_s - took_s, now_s=now_s)

    def refuse(self, now_s: float, works: list[Work] | None = None) -> list[Stop | None]:
        """As often as it takes to be full."""
        works = works or [at_flex() for _ in range(FULL_AFTER)]
        return [self.see(FULL, work, now_s) for work in works]

    @property
    def events(self) -> list[str]:
        return [notice.event for notice in self.notices]


def at_flex(*, asked_by_lane: bool = True) -> Work:
    work = Work(item=Item(seq=1, chunk=1, id=1, fields={}), attempts=0, invalid=())
    work.tier = "flex" if asked_by_lane else None
    work.size = Size(input_bytes=10, tier="flex")
    return work


def at_standard() -> Work:
    work = at_flex(asked_by_lane=False)
    work.size = Size(input_bytes=10)
    return work


@pytest.mark.parametrize(
    ("verdict", "work", "lacks"),
    [
        (FULL, at_flex(), True),
        (FULL, at_flex(asked_by_lane=False), True),
        (FULL, at_standard(), False),
        (SERVED, at_flex(), False),
        (Verdict(kind=Kind.RETRY, code="rate_limited"), at_flex(), False),
    ],
)
def test_only_who_asked_for_a_tier_lacks_room_there(
    verdict: Verdict, work: Work, *, lacks: bool
) -> None:
    assert lacks_room(verdict, work) is lacks
    assert Lane().tier.rule(verdict, work).congested is (verdict.congested and not lacks)


@pytest.mark.parametrize(
    ("message", "work", "told"),
    [
        ("Invalid service_tier argument", at_flex(), True),
        ("Flex is not available for this model.", at_flex(), True),
        ("Unsupported parameter: temperature", at_flex(), False),
        ("Invalid service_tier argument", at_flex(asked_by_lane=False), False),
        ("Invalid service_tier argument", at_standard(), False),
    ],
)
def test_a_refused_tier_tells_who_asked_for_it(message: str, work: Work, *, told: bool) -> None:
    verdict = Verdict(kind=Kind.FATAL, code="refused_parameter", message=message)
    ruled = Lane().tier.rule(verdict, work)
    assert (ruled.kind, ruled.code) == (verdict.kind, verdict.code)
    assert ("--route direct goes without" in ruled.message) is told
    assert ruled.message.startswith(message.rstrip("."))


def test_it_is_full_after_some_refusals_in_a_row() -> None:
    lane = Lane()
    for _ in range(FULL_AFTER - 1):
        lane.see(FULL, at_flex(), 0)
    assert not lane.tier.is_full(0)
    lane.see(SERVED, at_flex(), 0)
    lane.refuse(1)
    assert lane.tier.is_full(1)
    lane.see(SERVED, at_standard(), 2)  # says nothing of flex
    lane.see(Verdict(kind=Kind.RETRY, code="server_error"), at_flex(), 2)  # nor this of room
    assert lane.tier.is_full(2)
    lane.see(Verdict(kind=Kind.OK), at_flex(), 2)
    assert not lane.tier.is_full(2)


def test_what_lasts_is_told_once() -> None:
    lane = Lane()
    for now_s in range(int(TOLD_AFTER_S) + 5):
        lane.refuse(now_s)
    assert lane.events == ["flex_full"]
    assert lane.notices[0].facts == {"wait_s": PATIENCE_S, "falls": False}
    lane.see(SERVED, at_flex(), 20)
    lane.refuse(21)
    lane.see(SERVED, at_flex(), 22)
    assert lane.events == ["flex_full", "flex_again"]


@pytest.mark.parametrize(
    ("oldest_s", "refusal_took_s", "is_full"),
    [
        (inf, 0.1, True),
        (995.0, 0.1, True),  # it may be refused yet
        (989.0, 0.1, False),  # refusals come at once: it is served
        (989.0, 6.0, True),  # refusals take their time
        (980.0, 6.0, False),
    ],
)
def test_who_is_served_at_this_moment_proves_that_there_is_room(
    oldest_s: float, refusal_took_s: float, *, is_full: bool
) -> None:
    lane = Lane()
    lane.refuse(0)
    lane.oldest_s = oldest_s
    stop = lane.see(FULL, at_flex(), 1_000, took_s=refusal_took_s)
    assert lane.tier.is_full(1_000) is is_full
    assert (stop is not None) is is_full


@pytest.mark.parametrize("served_at_s", [None, 0.0, 300.0, 599.0])
def test_the_job_stops_when_nobody_was_served_for_so_long(served_at_s: float | None) -> None:
    lane = Lane()
    assert lane.refuse(0) == [None] * FULL_AFTER
    if served_at_s is not None:
        lane.see(SERVED, at_flex(), served_at_s)
        lane.refuse(served_at_s)
    begun_s = served_at_s or 0.0
    assert lane.see(FULL, at_flex(), begun_s + PATIENCE_S - 0.1) is None
    stop = lane.see(FULL, at_flex(), begun_s + PATIENCE_S)
    assert stop is not None
    assert stop.code == "flex_unavailable"
    assert stop.message == (
        "No room; nobody was served for 600 s. --fallback direct would go on at the standard price."
    )


def test_given_up_work_goes_at_the_standard_tier_and_one_asks_again_now_and_then() -> None:
    lane = Lane(falls=True)
    lane.refuse(0)
    assert lane.tier.of(at_flex(), 1) == "flex"
    assert not any(lane.refuse(PATIENCE_S))
    assert not lane.tier.is_full(PATIENCE_S)  # others may be begun
    assert lane.tier.of(at_flex(), PATIENCE_S + 1) is None
    asked_s = PATIENCE_S + ASK_AGAIN_S
    assert [lane.tier.of(at_flex(), asked_s) for _ in range(3)] == ["flex", None, None]
    lane.see(FULL, at_flex(), asked_s + 1)
    assert lane.tier.of(at_flex(), asked_s + 2) is None
    assert lane.tier.of(at_flex(), asked_s + ASK_AGAIN_S) == "flex"
    lane.see(SERVED, at_flex(), asked_s + ASK_AGAIN_S + 1)
    assert lane.tier.of(at_flex(), asked_s + ASK_AGAIN_S + 2) == "flex"
    assert lane.events == ["flex_given_up", "flex_again"]


def test_who_fell_does_not_come_back() -> None:
    lane, work = Lane(falls=True), at_flex()
    work = replace(work, body=b"{}")
    assert lane.tier.fall(work)
    assert not work.body
    assert lane.tier.of(work, 0) is None


@pytest.mark.parametrize(
    ("falls", "work"), [(False, at_flex()), (True, at_flex(asked_by_lane=False))]
)
def test_who_may_not_fall_does_not(work: Work, *, falls: bool) -> None:
    assert not Lane(falls=falls).tier.fall(work)
    assert not work.at_standard


@pytest.mark.parametrize(
    ("patience_s", "now_s", "asked_s", "left_s"),
    [
        (600, 0, None, 600),
        (600, 599, None, 1),
        (600, 600, None, 0),
        (600, 900, None, 0),
        (600, 0, 600, 600),
        (600, 0, 601, 0),  # there will be no room in time
        (600, 590, 20, 0),
        (0, 0, None, 0),
    ],
)
def test_how_long_an_item_waits_yet(
    patience_s: float, now_s: float, asked_s: float | None, left_s: float
) -> None:
    lane, work = Lane(patience_s=patience_s), at_flex()
    lane.see(FULL, work, 0)
    verdict = Verdict(kind=Kind.RETRY, code="flex_unavailable", retry_after_s=asked_s)
    assert max(0.0, lane.tier.wait_most_s(work, verdict, now_s)) == left_s


def test_once_given_up_nobody_who_may_fall_waits() -> None:
    lane = Lane(falls=True)
    lane.refuse(0)
    late, own = at_flex(), at_flex(asked_by_lane=False)
    lane.refuse(PATIENCE_S, [late, own])
    assert lane.tier.wait_most_s(late, FULL, PATIENCE_S) == 0
    assert lane.tier.wait_most_s(own, FULL, PATIENCE_S) == PATIENCE_S


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=60), st.floats(0, 200))
def test_a_job_never_stops_while_somebody_is_served_within_its_patience(
    answers: list[tuple[bool, float]], patience_s: float
) -> None:
    lane, now_s, refused_since_s, refusals = Lane(patience_s=patience_s), 0.0, None, 0
    for is_served, after_s in answers:
        now_s += after_s
        stop = lane.see(SERVED if is_served else FULL, at_flex(), now_s)
        refusals = 0 if is_served else refusals + 1
        refused_since_s = None if is_served else now_s if refusals == 1 else refused_since_s
        is_over = refused_since_s is not None and now_s - refused_since_s >= patience_s
        assert (stop is not None) is (is_over and refusals >= FULL_AFTER)


CHAT = 'name = "greet"\nmodel = "gpt-6-luna"\nprompt = "Say {{ word }}."\n'
RESPONSES = f'{CHAT}endpoint = "/v1/responses"\n'
EMBEDDINGS = f'{CHAT}endpoint = "/v1/embeddings"\n[output]\nkind = "embedding"\n'


@pytest.mark.parametrize(
    ("text", "tier", "sent", "asked"),
    [
        (CHAT, None, None, None),
        (CHAT, "flex", "flex", "flex"),
        (RESPONSES, "flex", "flex", "flex"),
        (f"{CHAT}[parameters]\nservice_tier = 'default'\n", "flex", "default", None),
        (f"{CHAT}[parameters]\nservice_tier = 'flex'\n", "flex", "flex", None),
        (f"{CHAT}[parameters]\nservice_tier = 'priority'\n", None, "priority", None),
        (EMBEDDINGS, None, None, None),
    ],
)
def test_what_a_request_asks_for(
    text: str, tier: str | None, sent: str | None, asked: str | None
) -> None:
    task = PromptTask(parse(text, where="test"), where="test")
    before = dict(task.identity)
    work = Work(item=Item(seq=1, chunk=1, id=1, fields={"word": "x"}), attempts=0, invalid=())
    assert fill_in(work, task, tier) is None
    assert orjson.loads(work.body or b"").get("service_tier") == sent
    assert work.tier == asked
    assert work.size is not None
    assert work.size.tier == sent
    assert dict(task.identity) == before
    assert fill_in(work, task) is None  # as it goes when it has fallen
    assert work.tier is None


def test_embeddings_have_no_tier() -> None:
    task = PromptTask(parse(EMBEDDINGS, where="test"), where="test")
    work = Work(item=Item(seq=1, chunk=1, id=1, fields={"word": "x"}), attempts=0, invalid=())
    failure = fill_in(work, task, "flex")
    assert failure is not None
    assert "/v1/embeddings has no flex tier" in failure.message
    assert work.body is None


@pytest.mark.parametrize(
    ("values", "tier", "timeout_s"),
    [
        ({}, None, 120),
        ({}, "flex", FLEX_TIMEOUT_S),
        ({"timeout_s": 30}, "flex", 30),
        ({"timeout_s": 120}, "flex", 120),
        ({"timeout_s": 30}, None, 30),
    ],
)
def test_a_call_at_flex_has_a_quarter_of_an_hour_unless_told_otherwise(
    values: dict[str, float], tier: str | None, timeout_s: float
) -> None:
    assert Settings.of(values).timeout_at(tier) == timeout_s


def test_a_pause_takes_nothing_from_anybodys_patience() -> None:
    lane, work = Lane(patience_s=600), at_flex()
    lane.see(FULL, work, 0)
    lane.refuse(0)
    lane.tier.rested(7_200)
    assert lane.tier.wait_most_s(work, FULL, 7_300) == 500
    assert lane.see(FULL, at_flex(), 7_799) is None
    assert lane.see(FULL, at_flex(), 7_800) is not None
