"""What is told of a run, for every way it can end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_parts import failed, item, ledger_of, settle, succeeded

from processor.errors import (
    DeliveryError,
    InputError,
    InterruptedRunError,
    LedgerError,
    ProcessorError,
    RunLockedError,
    SourceAwayError,
)
from processor.notifying import wording
from processor.notifying.errand import Errand
from processor.notifying.watcher import awaited, holding
from processor.notifying.wording import Place
from processor.occasion import USUAL, Occasion, at_end
from processor.report import exit_code_of
from processor.watch import snapshot
from processor.watch.snapshot import Session, Snapshot

PLACE = Place(folder=Path("/data/runs/news"), host="host1", content=False, typed_in="/data")
OPEN = replace(PLACE, content=True)
QUOTE = "the secret of row 7"


@pytest.fixture
def shot(tmp_path: Path) -> Snapshot:
    """Seven of ten succeeded, two failed, one is pending."""
    with ledger_of(tmp_path, 10) as ledger:
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 8)))
        settle(ledger.connection, *(failed(item(seq), message=QUOTE) for seq in (8, 9)))
    return snapshot.take(tmp_path)


def of_session(shot: Snapshot, **facts: object) -> Snapshot:
    """With another latest start."""
    assert shot.session is not None
    session: Session = replace(shot.session, **facts)  # type: ignore[arg-type]
    return replace(shot, session=session)


@pytest.mark.parametrize(
    ("exit_code", "occasion", "title"),
    [
        (0, "done", "processor: mathml 7 of 10 done, 2 failed"),
        (2, "failed", "processor: mathml 7 of 10 done, 2 failed"),
        (3, "stopped", "processor: mathml stopped at 7 of 10 done, 2 failed"),
        (4, "stopped", "processor: mathml stopped at 7 of 10 done, 2 failed"),
        (5, "failed", "processor: mathml failed at 7 of 10 done, 2 failed"),
        (6, "waiting", "processor: mathml waits for the provider at 7 of 10 done, 2 failed"),
        (130, "interrupted", "processor: mathml interrupted at 7 of 10 done, 2 failed"),
    ],
)
def test_every_end_has_its_title(shot: Snapshot, exit_code: int, occasion: str, title: str) -> None:
    told = wording.of_end(shot, PLACE, exit_code=exit_code, steps=["go on"], now_s=0)
    assert (told.occasion, told.title) == (occasion, title)
    assert (told.facts["event"], told.facts["exit_code"]) == (occasion, exit_code)
    assert told.facts["next_steps"] == ["go on"]
    lines = told.body.splitlines()
    assert "7 of 10 items succeeded (77.8% of those finished), 2 failed, 1 pending" in lines
    assert "Error timeout, 2: No complete answer came in the time allowed." in told.body
    where = ["Commands are typed in /data", "Folder: /data/runs/news on host1"]
    assert lines[-3:] == ["Next: go on", *where]
    assert QUOTE not in told.body + json.dumps(told.facts)


@pytest.mark.parametrize(
    ("code", "place", "is_told"),
    [
        ("auth", PLACE, False),
        ("auth", OPEN, True),
        ("budget", PLACE, True),  # the program's own words, which tell how much is lacking
        ("deadline", PLACE, True),
    ],
)
def test_words_of_others_are_told_only_where_rows_may_be(
    shot: Snapshot, code: str, place: Place, *, is_told: bool
) -> None:
    stopped = of_session(shot, stop_code=code, stop_message=f"{QUOTE}.")
    told = wording.of_end(stopped, place, exit_code=3, steps=(), now_s=0)
    assert f"Stopped, {code}: " in told.body
    assert told.title == f"processor: mathml stopped ({code}) at 7 of 10 done, 2 failed"
    assert (QUOTE in told.body) is is_told
    assert (QUOTE in json.dumps(told.facts)) is is_told


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (InputError(QUOTE, source="rows.csv", row=7), "The input rows.csv, row 7, cannot be used"),
        (InputError(QUOTE, source="rows.csv"), "The input rows.csv, as a whole, cannot be used"),
        (SourceAwayError("it is away", source="db", way_out="", begun=True), "db: it is away"),
        (DeliveryError(QUOTE, passing=False), "An output does not take the results"),
        (LedgerError("the disk is full"), "the disk is full"),
        (RunLockedError("another process"), "another process"),
        (TypeError(QUOTE), "The program ended by an error of its own (TypeError)"),
    ],
)
def test_an_error_is_told_without_what_it_quotes(
    shot: Snapshot, error: Exception, begins: str
) -> None:
    told = wording.of_error(error, shot, PLACE, exit_code=exit_code_of(error), steps=(), now_s=0)
    assert told.body.startswith(begins)
    assert told.facts["problem"].startswith(begins)
    assert QUOTE not in told.body + json.dumps(told.facts)
    open_ = wording.of_error(error, shot, OPEN, exit_code=exit_code_of(error), steps=(), now_s=0)
    assert isinstance(error, ProcessorError) is open_.body.startswith(str(error))


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (LedgerError("it is full"), "processor: news failed"),
        (RunLockedError("it is full"), "processor: news was not run"),
        (InterruptedRunError("it is full"), "processor: news interrupted"),
    ],
)
def test_without_figures_only_the_error_is_told(error: ProcessorError, title: str) -> None:
    told = wording.of_error(error, None, PLACE, exit_code=error.exit_code, steps=(), now_s=0)
    assert told.title == title
    assert told.body == "it is full\nFolder: /data/runs/news on host1"
    assert told.facts["stats"] is None


@pytest.mark.parametrize(
    ("budget_usd", "pending", "holds"),
    [(None, 1, False), (10.0, 1, False), (1.25, 1, True), (1.0, 1, True), (1.25, 0, False)],
)
def test_from_four_fifths_on_a_budget_is_nearly_used(
    shot: Snapshot, budget_usd: float | None, pending: int, *, holds: bool
) -> None:
    total = shot.finished + pending
    spent = replace(of_session(shot, budget_usd=budget_usd), spent_usd=1.0, total=total)
    assert (Occasion.BUDGET in holding(spent)) is holds


@pytest.mark.parametrize(
    ("budget_usd", "deadline_s", "awaits"),
    [
        (None, None, set()),
        (None, 2e9, {Occasion.LATE}),
        (10.0, 2e9, {Occasion.LATE, Occasion.BUDGET}),
        (1.0, None, set()),  # so much was used before this start
    ],
)
def test_a_start_without_bounds_needs_no_watch(
    shot: Snapshot, budget_usd: float | None, deadline_s: float | None, awaits: set[Occasion]
) -> None:
    begun = replace(of_session(shot, budget_usd=budget_usd), spent_usd=1.0, deadline_s=deadline_s)
    assert awaited(begun) == awaits


def test_a_message_travels_whole(shot: Snapshot) -> None:
    told = wording.of_end(shot, PLACE, exit_code=2, steps=("go on",), now_s=0)
    errand = Errand(addresses=("json://a",), message=told, most_s=1.5)
    again = Errand.of(errand.to_json())
    assert again.message == replace(told, facts=json.loads(json.dumps(told.facts)))
    assert (list(again.addresses), again.most_s) == (["json://a"], 1.5)


def test_only_waiting_is_not_told_unless_it_is_wanted() -> None:
    assert set(Occasion) - set(USUAL) == {Occasion.WAITING}
    assert {at_end(code) for code in (1, 2, 5)} == {Occasion.FAILED}
