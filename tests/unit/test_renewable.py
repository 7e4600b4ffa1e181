"""Items that are pending again while a lane reads: each is given once, and none is lost."""

from collections import Counter, deque
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from ledger_parts import failed, ledger_of, settle, succeeded

from processor.items import Item
from processor.ledger import database, pending
from processor.ledger.ledger import Ledger
from processor.ledger.requeue import requeue
from processor.sending.renewable import Read, Renewable
from processor.watch import snapshot

Action = Literal["pull", "succeed", "fail", "tell", "requeue", "renew"]
ACTIONS: list[Action] = ["pull", "pull", "pull", "succeed", "fail", "fail", "tell", "requeue"]


def reading(path: Path) -> Read:
    return lambda elsewhere: pending.read(path, elsewhere=elsewhere)


class Lane:
    """What a lane, the writer and orders do with a renewable, one thing after the other.

    Attributes:
        held: Items in flight.
        untold: Items whose outcome is durable, of which the lane has not heard yet.
        moved: Items that are pending again, of which the lane has not heard yet.
    """

    def __init__(self, ledger: Ledger, most: int | None = None) -> None:
        self.ledger = ledger
        self.given = Renewable(reading(ledger.path), most)
        self.held: deque[Item] = deque()
        self.untold: deque[Item] = deque()
        self.moved = 0
        self.pulls: Counter[int] = Counter()

    def do(self, action: Action) -> None:
        match action:
            case "pull":
                self.pull()
            case "succeed" | "fail" if self.held:
                one, number = self.held.popleft(), self.pulls
                made = succeeded if action == "succeed" else failed
                settle(self.ledger.connection, made(one, attempts=number[one.seq]))
                self.untold.append(one)
            case "tell" if self.untold:
                self.given.taken.discard(self.untold.popleft().seq)
            case "requeue":
                with database.transaction(self.ledger.connection):
                    self.moved += requeue(self.ledger.connection, None)
            case "renew":
                while self.untold:  # the lane hears of commits in their order
                    self.do("tell")
                if self.moved:
                    self.given.renew(self.moved)
                self.moved = 0
            case _:
                pass

    def pull(self) -> bool:
        found = next(self.given, None)
        if found is None:
            return False
        seq = found.item.seq
        assert seq not in {one.seq for one in (*self.held, *self.untold)}
        assert found.attempts == self.pulls[seq]
        self.pulls[seq] += 1
        self.held.append(found.item)
        return True

    def finish(self) -> None:
        """Everything that is left succeeds."""
        self.do("renew")
        while self.held or self.pull():
            self.do("succeed")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from([*ACTIONS, "renew"]), max_size=60), st.sampled_from([1, 3, 50]))
def test_each_item_is_given_once_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, actions: list[Action], chunk_size: int
) -> None:
    with ledger_of(tmp_path_factory.mktemp("run"), 12, chunk_size=chunk_size) as ledger:
        ledger.connection.execute("PRAGMA synchronous = OFF")
        lane = Lane(ledger)
        for action in actions:
            lane.do(action)
        lane.finish()
        shot = snapshot.take(ledger.folder)
        failures = shot.failed
        assert shot.pending == 0
        assert shot.succeeded + failures == 12
        assert shot.overall.requests_sent == lane.pulls.total()
        assert shot.latency_ms.mean == pytest.approx(100.0)
        chunks = ledger.connection.execute("SELECT SUM(succeeded), SUM(failed) FROM chunks")
        assert chunks.fetchone() == (shot.succeeded, failures)


def test_in_a_chunk_larger_than_a_slice_too(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2_500, chunk_size=2_500) as ledger:
        ledger.connection.execute("PRAGMA synchronous = OFF")
        lane = Lane(ledger)
        for _ in range(1_200):
            lane.pull()
        batch, lane.held = list(lane.held), deque()
        settle(ledger.connection, *(failed(one) for one in batch[:1_100]))
        lane.held.extend(batch[1_100:])
        lane.untold.extend(batch[:1_100])
        lane.do("requeue")  # what is read next was pending before, and behind it much is again
        assert lane.moved == 1_100
        for _ in range(900):
            lane.pull()
        lane.do("renew")
        while lane.pull():
            pass
        assert lane.pulls.total() == 2_500 + 1_100
        assert len(lane.held) == 2_500


@pytest.mark.parametrize(("most", "again"), [(0, 2), (4, 2), (None, 2)])
def test_what_is_pending_again_is_allowed_besides_a_limit(
    tmp_path: Path, most: int | None, again: int
) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        pulled = list(pending.read(ledger.path, 2))
        settle(ledger.connection, *(failed(each.item) for each in pulled))
        given = Renewable(reading(ledger.path), most)
        first = [each.item.seq for each in given]
        with database.transaction(ledger.connection):
            given.renew(requeue(ledger.connection, None))
        assert first == list(range(3, 11))[:most]
        assert [each.item.seq for each in given] == [1, 2][:again]


def test_chosen_items_that_somebody_has_are_not_given(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        taken = {2, 4}
        found = pending.read_chosen(ledger.path, [1, 2, 3, 4], elsewhere=lambda: taken)
        assert [each.item.seq for each in found] == [1, 3]
