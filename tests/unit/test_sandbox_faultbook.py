"""Faults as they are written, and whom they hit."""

import pytest

from processor.sandbox.faults.book import FaultBook, Try
from processor.sandbox.faults.fault import Fault, FaultError, fault_from, fault_to, parse_fault
from processor.sandbox.faults.kinds import KINDS, check_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reset", Fault(kind="reset")),
        ("reset:rate=0.01,times=2", Fault(kind="reset", rate=0.01, times=2)),
        (
            "rate_limit:after=10,until=20,count=3,match=분수,delay_s=0.5",
            Fault(kind="rate_limit", after=10, until=20, count=3, match="분수", delay_s=0.5),
        ),
        (
            "rate_limit:Retry-After=Wed, 21 Oct 2026 07:28:00 GMT,x-should-retry=true",
            Fault(
                kind="rate_limit",
                headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "x-should-retry": "true"},
            ),
        ),
        (
            "status:status=418,body=<h1>tea, pot</h1>,content_type=text/html",
            Fault(
                kind="status",
                params={
                    "status": "418",
                    "body": "<h1>tea, pot</h1>",
                    "content_type": "text/html",
                },
            ),
        ),
        (
            '{"kind": "status", "status": 400, "body": {"detail": "no"}, "rate": 0.5}',
            Fault(kind="status", rate=0.5, params={"status": "400", "body": '{"detail":"no"}'}),
        ),
    ],
)
def test_a_fault_is_read_and_written(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert fault_from(fault_to(fault)) == fault
    check_fault(fault)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no fault ''"),
        ("nonsense", "no fault 'nonsense'"),
        ("reset:rate=2", "rate must be a share"),
        ("reset:rate=nan", "rate must be a share"),
        ("reset:times=-1", "times must be 0 or more"),
        ("reset:times=x", "times must be a whole number, not 'x'"),
        ("reset:delay_s=inf", "delay_s must be 0 or more"),
        ("reset:oops", "'oops' is no option"),
        ("reset:times=1,times=2", "given twice"),
        ("reset:seconds=1", "reset has no parameter 'seconds'; it has: none"),
        ("drip:seconds=soon", "seconds cannot be 'soon'"),
        ("drip:seconds=-1", "seconds cannot be '-1'"),
        ("status:status=42", "status cannot be '42'"),
        ("rate_limit:retry-after=1\r\nx: y", "must be printable"),
        ("{", "no JSON"),
        ("{}", "text field 'kind'"),
    ],
)
def test_what_is_no_fault_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(FaultError, match=problem):
        check_fault(parse_fault(text))


def hits(text: str, tries: list[Try], seed: int = 0) -> list[bool]:
    book = FaultBook(seed, (parse_fault(text),))
    return [book.choose(request) is not None for request in tries]


def item(number: int, attempt: int = 1) -> Try:
    return Try(f"{number:016x}", f"question {number}", attempt)


FIVE = [item(number) for number in range(5)]


@pytest.mark.parametrize(
    ("text", "tries", "expected"),
    [
        ("reset", FIVE, [True] * 5),
        ("reset:after=2", FIVE, [False, False, True, True, True]),
        ("reset:until=2", FIVE, [True, True, False, False, False]),
        ("reset:after=1,until=3", FIVE, [False, True, True, False, False]),
        ("reset:count=1,after=1", FIVE, [False, True, False, False, False]),
        ("reset:match=question 3", FIVE, [False, False, False, True, False]),
        ("reset:rate=0", FIVE, [False] * 5),
        ("reset:times=2", [item(1, attempt) for attempt in (1, 2, 3)], [True, True, False]),
    ],
)
def test_selectors(text: str, tries: list[Try], expected: list[bool]) -> None:
    assert hits(text, tries) == expected


def test_a_rate_hits_its_share_whatever_the_order() -> None:
    tries = [item(number) for number in range(5000)]
    forward = hits("reset:rate=0.1", tries)
    backward = hits("reset:rate=0.1", tries[::-1])[::-1]
    assert forward == backward
    assert sum(forward) == pytest.approx(500, abs=80)
    assert forward != hits("reset:rate=0.1", tries, seed=1)


def test_with_times_a_rate_is_of_items_and_all_their_first_tries_fail() -> None:
    first = hits("reset:rate=0.2,times=2", [item(number, 1) for number in range(500)])
    second = hits("reset:rate=0.2,times=2", [item(number, 2) for number in range(500)])
    third = hits("reset:rate=0.2,times=2", [item(number, 3) for number in range(500)])
    assert first == second
    assert 60 < sum(first) < 140
    assert not any(third)


def test_the_first_that_fits_hits_and_clearing_takes_one_kind_or_all() -> None:
    book = FaultBook(0, (parse_fault("reset:match=question 1"), parse_fault("null")))
    chosen = [book.choose(item(number)) for number in (1, 2)]
    assert [fault.kind for fault in chosen if fault] == ["reset", "null"]
    book.clear("reset")
    assert [fault.kind for fault in book.faults] == ["null"]
    book.clear()
    assert book.choose(item(1)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_have_plain_names(kind: str) -> None:
    assert kind.replace("_", "").isalnum()
    check_fault(Fault(kind=kind))
