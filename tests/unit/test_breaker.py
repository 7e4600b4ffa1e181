"""The breaker, fed with verdicts at times that the test names."""

import pytest
from msgspec.structs import replace

from processor.direct.breaker import (
    CANARIES,
    OUTAGE_AFTER,
    SAME_COMPLAINTS,
    WITNESS_EVERY,
    Breaker,
    Next,
)
from processor.stop import Stop
from processor.verdict import Kind, Verdict

OK = Verdict(kind=Kind.OK, answer="yes")
ITEM = Verdict(kind=Kind.ITEM, code="context_length", message="too long")
LIMITED = Verdict(kind=Kind.RETRY, code="rate_limited", message="slow")
DOWN = Verdict(kind=Kind.RETRY, code="server_error", message="500")
GONE = Verdict(kind=Kind.RETRY, code="unreachable", message="refused", unreachable=True)
FATAL = Verdict(kind=Kind.FATAL, code="auth", message="bad key")
BARRED = Verdict(kind=Kind.RETRY, code="forbidden", message="403", barred=True)
ODD = Verdict(kind=Kind.ITEM, code="bad_request", message="odd", complaint="odd")


class Job:
    """Verdicts on items that are numbered as they come."""

    def __init__(self, give_up_s: float = 300.0, *, witness: bool = False) -> None:
        self.breaker = Breaker(give_up_s)
        self.breaker.has_witness = witness
        self.seq = 0

    def see(
        self, verdict: Verdict, now_s: float = 0.0, *, seq: int | None = None, sent_s: float = -1.0
    ) -> Stop | None:
        self.seq += 1
        return self.breaker.observe(
            verdict, seq=self.seq if seq is None else seq, sent_s=sent_s, now_s=now_s
        )

    def probe(self, verdict: Verdict, now_s: float, *, seq: int | None = None) -> Stop | None:
        """A call that goes and fails at once."""
        return self.see(verdict, now_s, seq=seq, sent_s=now_s)

    def wants(self) -> Next:
        return self.breaker.next

    def break_down(self, now_s: float = 0.0) -> None:
        """Into an outage, after a good answer."""
        self.see(OK, now_s)
        for _ in range(OUTAGE_AFTER):
            assert self.see(DOWN, now_s) is None
        assert self.breaker.outage


def test_it_begins_with_canaries() -> None:
    assert Breaker(300).room(100, 0) == CANARIES
    assert Breaker(300).room(1, 0) == 1


@pytest.mark.parametrize("verdict", [OK, ITEM, LIMITED, ODD])
def test_an_answer_that_is_not_about_the_job_opens_the_gate(verdict: Verdict) -> None:
    job = Job()
    assert job.see(verdict) is None
    assert job.breaker.room(100, 0) == 100


@pytest.mark.parametrize("code", ["server_error", "timeout", "connection", "malformed"])
def test_a_failure_of_the_provider_says_nothing_about_the_job(code: str) -> None:
    job = Job()
    assert job.see(Verdict(kind=Kind.RETRY, code=code, message="x")) is None
    assert job.breaker.room(100, 0) == CANARIES
    assert not job.breaker.outage


@pytest.mark.parametrize("before", [[], [OK], [OK] * 50, [DOWN] * 50])
def test_a_fatal_verdict_stops_at_any_time(before: list[Verdict]) -> None:
    job = Job()
    for verdict in before:
        job.see(verdict)
    assert job.see(FATAL) == Stop(code="auth", message="bad key")


def test_nothing_but_failures_begins_an_outage() -> None:
    job = Job()
    job.see(OK)
    for number in range(OUTAGE_AFTER):
        assert not job.breaker.outage, number
        job.see(DOWN)
    assert job.breaker.outage
    assert job.breaker.room(100, 0.0) == 0


def test_one_good_answer_among_failures_prevents_it() -> None:
    job = Job()
    for _ in range(20):
        job.see(OK)
        for _ in range(OUTAGE_AFTER - 1):
            job.see(DOWN)
    assert not job.breaker.outage


def test_few_items_that_fail_over_and_over_are_no_outage() -> None:
    job = Job()
    job.see(OK)
    for number in range(200):
        job.see(DOWN, seq=number % (OUTAGE_AFTER - 1))
    assert not job.breaker.outage


def test_an_unreachable_provider_is_an_outage_whichever_items_it_meets() -> None:
    job = Job()
    job.see(OK)
    for _ in range(OUTAGE_AFTER):
        job.see(GONE, seq=1)
    assert job.breaker.outage


def test_a_provider_that_was_never_reached_is_an_outage_at_once() -> None:
    job = Job()
    assert job.see(GONE) is None
    assert job.breaker.outage


def test_probes_go_one_at_a_time_further_and_further_apart() -> None:
    job = Job(give_up_s=1e9)
    job.break_down()
    waits_s = []
    now_s = 0.0
    for _ in range(12):
        due_s = job.breaker.room_grows_at_s
        assert job.breaker.room(100, due_s - 0.01) == 0
        assert job.breaker.room(100, due_s) == 1
        waits_s.append(due_s - now_s)
        now_s = due_s
        job.probe(DOWN, now_s)
    assert waits_s[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits_s == sorted(waits_s)
    assert waits_s[-1] == waits_s[-2] == 30.0


def test_failures_of_calls_that_were_in_flight_do_not_put_the_probe_off() -> None:
    job = Job()
    job.break_down()
    due_s = job.breaker.room_grows_at_s
    for _ in range(50):
        job.see(DOWN, due_s / 2)
        job.see(DOWN, due_s + 10)  # a timeout, of a call that went before
    assert job.breaker.room_grows_at_s == due_s


def test_a_late_answer_from_before_the_outage_does_not_end_it() -> None:
    job = Job()
    job.break_down(now_s=10.0)
    outages = []
    for now_s, sent_s in ((10.1, 9.0), (10.9, 10.5)):
        job.see(OK, now_s, sent_s=sent_s)
        outages.append(job.breaker.outage)
    assert outages == [True, False]
    assert job.breaker.room(100, 10.9) == 100
    assert job.breaker.room_grows_at_s == float("inf")


def test_a_tier_without_room_is_not_the_end_of_the_job() -> None:
    job = Job(give_up_s=10.0)
    full = Verdict(kind=Kind.RETRY, code="flex_unavailable", message="no room")
    asked_too_much = replace(full, congested=True)
    assert [job.see(full, now_s) for now_s in (0.0, 10.0, 1_000.0)] == [None] * 3
    assert job.breaker.room(100, 0) == 100  # the provider answers: the gate is open
    assert job.see(asked_too_much, 1_000.0) is None
    assert job.see(asked_too_much, 1_010.0) == Stop(code="flex_unavailable", message="no room")


def test_patience_ends() -> None:
    job = Job(give_up_s=300)
    job.break_down()
    stops = {now_s: job.probe(DOWN, now_s) for now_s in (100.0, 200.0, 299.0, 330.0)}
    assert [now_s for now_s, stop in stops.items() if stop] == [330.0]
    assert stops[330.0] == Stop(code="server_error", message="500")


def test_patience_with_an_address_that_was_never_reached_is_short() -> None:
    job = Job(give_up_s=300)
    assert job.see(GONE, 0.0) is None
    assert job.probe(GONE, 29.0) is None
    assert job.probe(GONE, 61.0) == Stop(code="unreachable", message="refused")


def test_patience_that_is_set_shorter_counts() -> None:
    job = Job(give_up_s=0)
    assert job.see(GONE, 0.0) == Stop(code="unreachable", message="refused")


def test_a_second_outage_is_probed_as_the_first() -> None:
    job = Job()
    job.break_down()
    for now_s in (1.0, 5.0, 15.0, 31.0):
        job.probe(DOWN, now_s)
    job.see(OK, 60.0, sent_s=59.0)
    job.break_down(now_s=100.0)
    assert job.breaker.room_grows_at_s == 100.5


def test_a_complaint_that_every_item_earns_stops_the_job() -> None:
    job = Job()
    stops = [job.see(ODD) for _ in range(SAME_COMPLAINTS)]
    assert stops[:-1] == [None] * (SAME_COMPLAINTS - 1)
    assert stops[-1] == Stop(code="bad_request", message="odd")


def test_a_complaint_after_a_success_is_about_its_item() -> None:
    job = Job()
    job.see(OK)
    assert {job.see(ODD) for _ in range(10 * SAME_COMPLAINTS)} == {None}


def test_complaints_that_differ_are_not_added_up_nor_all_remembered() -> None:
    job = Job()
    for number in range(5_000):
        complaint = f"item {number} is odd"
        assert job.see(Verdict(kind=Kind.ITEM, code="bad_request", complaint=complaint)) is None
    assert len(job.breaker._complaints) <= 100


def test_every_so_many_probes_a_witness_goes_if_there_is_one() -> None:
    for job, expected in (
        (Job(give_up_s=1e9), Next.UNTRIED),
        (Job(give_up_s=1e9, witness=True), Next.WITNESS),
    ):
        for _ in range(OUTAGE_AFTER):
            job.see(DOWN)
        wanted = []
        for _ in range(2 * WITNESS_EVERY):
            wanted.append(job.breaker.next)
            job.probe(DOWN, job.breaker.room_grows_at_s)
        assert wanted[WITNESS_EVERY - 1 :: WITNESS_EVERY] == [expected] * 2
        assert wanted.count(Next.UNTRIED) >= 2 * WITNESS_EVERY - 2


def test_no_witness_goes_to_a_provider_that_cannot_be_reached() -> None:
    job = Job(give_up_s=1e9, witness=True)
    job.see(OK)
    for _ in range(OUTAGE_AFTER):
        job.see(GONE)
    for _ in range(2 * WITNESS_EVERY):
        assert job.wants() is Next.UNTRIED
        job.probe(GONE, job.breaker.room_grows_at_s)


def test_what_failed_before_a_witness_succeeded_makes_no_second_outage() -> None:
    job = Job()
    job.see(OK, seq=999)
    for seq in range(OUTAGE_AFTER):
        job.see(DOWN, 1.0, seq=seq)
    while job.wants() is not Next.WITNESS:
        job.probe(DOWN, job.breaker.room_grows_at_s, seq=0)
    job.see(OK, 20.0, seq=999, sent_s=19.0)
    assert job.wants() is Next.ANY
    for seq in range(OUTAGE_AFTER):
        assert job.see(DOWN, 21.0, seq=seq) is None
    assert not job.breaker.outage
    for seq in range(100, 100 + OUTAGE_AFTER):
        assert job.see(DOWN, 22.0, seq=seq) is None
    assert job.breaker.outage


def test_an_outage_that_ends_by_itself_leaves_no_item_in_doubt() -> None:
    job = Job()
    for now_s in (1.0, 30.0):
        job.see(OK, now_s, seq=999, sent_s=now_s)
        for seq in range(OUTAGE_AFTER):
            assert not job.breaker.outage
            job.see(DOWN, now_s + 1, seq=seq)
        assert job.breaker.outage
        assert job.wants() is Next.UNTRIED


def test_items_that_are_done_with_are_forgotten() -> None:
    job = Job()
    for seq in range(1_000):
        job.see(DOWN, seq=seq)
        if seq % 2:
            job.see(OK, seq=seq)
        else:
            job.breaker.forget(seq)
    assert not job.breaker._first_failed_s


def test_a_bar_from_the_start_stops_after_two_calls() -> None:
    job = Job()
    assert job.see(BARRED) is None
    assert job.breaker.room(100, 0) == 1  # no third call while the second canary is out
    assert job.see(BARRED) == Stop(code="forbidden", message="403")


def test_bars_of_single_items_stop_nothing() -> None:
    job = Job()
    job.see(OK)
    for at_s in range(10, 1_000, 10):
        assert job.see(BARRED, at_s) is None
        assert job.wants() is Next.UNTRIED
        job.see(OK, at_s + 0.1, sent_s=at_s - 0.1)
        assert job.wants() is Next.UNTRIED  # what succeeded had gone before
        job.see(OK, at_s + 0.3, sent_s=at_s + 0.2)
        assert job.wants() is Next.ANY
        assert job.breaker.room(100, at_s + 0.3) == 100


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_bar_of_many_items_is_put_to_a_witness(*, succeeds: bool) -> None:
    job = Job()
    job.see(OK)
    for _ in range(OUTAGE_AFTER):
        assert not job.breaker.outage
        assert job.see(BARRED, 1.0) is None
    assert job.wants() is Next.WITNESS
    now_s = job.breaker.room_grows_at_s
    assert job.see(BARRED, now_s + 1, sent_s=0.9) is None  # it was in flight
    if succeeds:
        assert job.see(OK, now_s, sent_s=now_s) is None
        assert job.breaker.room(100, now_s) == 100
    else:
        assert job.probe(BARRED, now_s) == Stop(code="forbidden", message="403")


def test_a_bar_at_a_resume_is_put_to_the_witness_at_once() -> None:
    job = Job(witness=True)
    for _ in range(CANARIES):
        assert job.see(BARRED) is None
    assert job.wants() is Next.WITNESS


def test_a_bar_during_an_outage_puts_the_next_probe_off() -> None:
    job = Job(give_up_s=100)
    job.break_down()
    due_s = job.breaker.room_grows_at_s
    assert job.probe(BARRED, due_s) is None
    assert job.breaker.room(100, due_s) == 0
    assert job.probe(BARRED, 101.0) == Stop(code="forbidden", message="403")


TIMED_OUT = Verdict(kind=Kind.RETRY, code="timeout", message="late")
NO_CONNECTION = Verdict(kind=Kind.RETRY, code="timeout", message="late", unreachable=True)


def fail_last(job: Job, verdict: Verdict = DOWN, *, at_s: float = 1.0, sent_s: float = 0.9) -> None:
    """An item, one of the last of its job, fails and has one try left."""
    job.see(verdict, at_s, seq=500, sent_s=sent_s)
    job.breaker.suspect(verdict, seq=500, now_s=at_s)


@pytest.mark.parametrize(
    ("before", "verdict", "asks"),
    [
        ([(OK, 0.0)], DOWN, True),
        ([(OK, 0.0)], TIMED_OUT, True),
        ([(DOWN, 0.0)], DOWN, False),  # nothing ever succeeded: there is no witness
        ([(OK, 0.0)], LIMITED, False),  # the provider is there
        ([(OK, 0.0)], BARRED, False),  # `_bar` decides
        ([(OK, 0.0)], GONE, False),  # which counts as no try of the item
        ([(OK, 0.0)], NO_CONNECTION, False),
    ],
)
def test_a_last_item_is_put_to_a_witness_before_it_fails_for_good(
    before: list[tuple[Verdict, float]], verdict: Verdict, *, asks: bool
) -> None:
    job = Job()
    for earlier, now_s in before:
        job.see(earlier, now_s)
    fail_last(job, verdict)
    assert (job.wants() is Next.WITNESS) is asks
    assert job.breaker.room(100, 1.0) == (0 if asks else 100 if before[0][0] is OK else CANARIES)
    assert not job.breaker.outage  # nobody is told of a mere suspicion


def test_a_last_item_that_failed_before_another_succeeded_needs_no_witness() -> None:
    job = Job()
    fail_last(job, at_s=1.0)
    job.see(OK, 3.0, sent_s=2.0)
    fail_last(job, at_s=4.0, sent_s=3.0)
    assert job.wants() is not Next.WITNESS
    assert job.breaker.room(100, 4.0) == 100


def test_a_witness_that_succeeds_lets_the_last_items_fail() -> None:
    job = Job()
    job.see(OK)
    fail_last(job)
    job.see(OK, 2.1, seq=1, sent_s=2.0)
    assert job.breaker.room(100, 2.1) == 100
    fail_last(job, at_s=4.0, sent_s=3.0)
    assert job.breaker.room(100, 4.0) == 100


def test_a_witness_that_fails_begins_an_outage() -> None:
    job = Job(give_up_s=100)
    job.see(OK)
    fail_last(job)
    assert job.probe(DOWN, job.breaker.room_grows_at_s, seq=1) is None
    assert job.breaker.outage
    assert job.probe(DOWN, 101.0, seq=500) == Stop(code="server_error", message="500")


def test_a_late_answer_does_not_keep_the_witness_from_its_turn() -> None:
    job = Job()
    job.see(OK)
    fail_last(job)
    job.see(OK, 1.2, sent_s=0.95)
    assert job.wants() is Next.WITNESS


@pytest.mark.parametrize("verdict", [DOWN, GONE, replace(LIMITED, congested=True)])
def test_it_gives_up_only_when_nothing_else_is_waited_for(verdict: Verdict) -> None:
    job = Job(give_up_s=60)
    job.see(OK)
    job.breaker.is_patient = True
    for now_s in range(1, 1_000):
        assert job.probe(verdict, now_s) is None
    job.breaker.is_patient = False
    assert job.probe(verdict, 1_100) == Stop(code=verdict.code, message=verdict.message)


def test_a_pause_is_no_part_of_an_outage() -> None:
    job = Job(give_up_s=60)
    job.break_down()
    job.breaker.rested(10, 3_610)
    assert job.probe(DOWN, 3_611) is None
    assert job.probe(DOWN, 3_659) is None
    assert job.probe(DOWN, 3_661) is not None


def test_of_a_pause_in_which_an_outage_begins_only_the_rest_counts() -> None:
    job = Job(give_up_s=60)
    job.break_down(now_s=100)
    job.breaker.rested(0, 1_000)
    assert job.probe(DOWN, 1_059) is None
    assert job.probe(DOWN, 1_061) is not None


def test_the_next_outage_knows_nothing_of_an_earlier_pause() -> None:
    job = Job(give_up_s=60)
    job.break_down()
    job.breaker.rested(10, 3_610)
    job.probe(OK, 3_611)
    for _ in range(OUTAGE_AFTER):
        job.see(DOWN, 4_000, sent_s=4_000)
    assert job.breaker.outage
    assert job.probe(DOWN, 4_061) is not None


def test_a_pause_is_no_refusal() -> None:
    job = Job(give_up_s=60)
    job.see(OK)
    refused = replace(LIMITED, congested=True)
    assert job.see(refused, 0) is None
    job.breaker.rested(5, 7_205)
    assert job.see(refused, 7_259) is None
    assert job.see(refused, 7_260) is not None
