"""What follows a commit, where an observer's disk refuses."""

from pathlib import Path

from processor.clock import SystemClock
from processor.errors import LedgerError
from processor.followup import FollowUp
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice


class _FullDisk:
    """An observer that can write nothing down."""

    def notice(self, notice: Notice) -> None:
        raise LedgerError(notice.event)

    def committed(self, commit: Commit) -> None:
        raise LedgerError(f"{len(commit.records)} records")

    def chunk_written(self, chunk: ChunkTotals) -> None:
        raise LedgerError(f"chunk {chunk.number}")


def test_a_log_that_refuses_a_notice_does_not_break_the_call_that_it_came_of() -> None:
    refused: list[str] = []
    follow_up = FollowUp(
        Path(),
        [_FullDisk()],
        clock=SystemClock(),
        failed=lambda error: refused.append(str(error)),
    )
    follow_up.notice(Notice(event="outage"))
    follow_up.notice(Notice(event="outage_over"))
    assert refused == ["outage", "outage_over"]
