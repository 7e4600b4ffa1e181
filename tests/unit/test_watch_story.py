"""One item's whole story."""

from pathlib import Path

import pytest
from ledger_parts import (
    UNPRICED,
    asked_again,
    failed,
    item,
    ledger_of,
    retried,
    settle,
    shard,
    succeeded,
)

from processor.ledger import database, shards
from processor.ledger.shards import Batch
from processor.watch.story import Story, tell


def told(path: Path, seq: int) -> Story:
    story = tell(path, seq)
    assert story is not None
    return story


def test_every_call_is_in_it(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 20) as ledger:
        one = item(13)
        settle(ledger.connection, asked_again(one, 1, answer="y", problem="is wrong"))
        settle(ledger.connection, retried(one, 2))
        settle(ledger.connection, failed(one, attempts=3, code="refused", body="{}"))
    story = told(ledger.path, 13)
    assert story.chunk == 2
    assert [(call.number, call.code, call.is_last) for call in story.calls] == [
        (1, "invalid", False),
        (2, "server_error", False),
        (3, "refused", True),
    ]
    assert (story.calls[0].answer, story.calls[0].problem) == ("y", "is wrong")
    assert (story.calls[1].status, story.calls[1].wait_s) == (500, 1.0)
    assert (story.result.code, story.body) == ("refused", "{}")


def test_what_the_last_call_cost_is_what_the_others_did_not(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(ledger.connection, asked_again(item(1), 1))
        settle(ledger.connection, succeeded(item(1), attempts=2))
        settle(ledger.connection, asked_again(item(2), 1, model=UNPRICED))
        settle(ledger.connection, succeeded(item(2), attempts=2))
    first, second = told(ledger.path, 1), told(ledger.path, 2)
    assert [call.cost_usd for call in first.calls] == [180 / 1024, 180 / 1024]
    assert first.result.cost_usd == 360 / 1024
    assert first.calls[-1].code is None
    assert [call.cost_usd for call in second.calls] == [None, None]


def test_an_outcome_without_a_call_of_its_own_adds_none(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, failed(item(1), attempts=0, code="too_long"))
    assert told(ledger.path, 1).calls == []


def test_a_pending_item_tells_who_holds_it(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        batch = Batch(id="batch_1", shard=1, status="in_progress", created_at=1.0, seen_at=2.0)
        with database.transaction(ledger.connection):
            shards.add(ledger.connection, shard(number=1, items=2), [1, 2])
            shards.see(ledger.connection, [batch])
    held, free = told(ledger.path, 2), told(ledger.path, 3)
    assert held.at is None
    assert held.shard is not None
    assert held.shard.number == 1
    assert held.batches == [batch]
    assert (free.shard, free.batches, free.calls) == (None, (), [])


def test_a_label_is_told_by_its_name(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        ledger.set_meta(kind="label", labels='{"0":"옹호 (Support)"}')
        settle(ledger.connection, succeeded(item(1), result="0"))
    assert (told(ledger.path, 1).kind, told(ledger.path, 1).label) == ("label", "옹호 (Support)")


@pytest.mark.parametrize("seq", [0, 4, 2**62])
def test_there_is_no_story_of_no_item(tmp_path: Path, seq: int) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        pass
    assert tell(ledger.path, seq) is None
