import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from ledger_parts import asked_again, item, ledger_of, price, retried, succeeded, vitals

from processor.errors import LedgerError
from processor.items import Outcome
from processor.ledger import database
from processor.ledger.commit import Commit
from processor.ledger.ledger import Ledger
from processor.ledger.writer import Writer

PATIENCE_S = 20.0


class Log:
    """What the writer told."""

    def __init__(self, on_commit: Callable[[Commit], None] | None = None) -> None:
        self.commits: list[Commit] = []
        self.failures: list[BaseException] = []
        self._then = on_commit

    @property
    def seqs(self) -> list[int]:
        return [one.item.seq for commit in self.commits for one in commit.records]

    def on_commit(self, commit: Commit, _: sqlite3.Connection) -> None:
        if self._then is not None:
            self._then(commit)
        self.commits.append(commit)


@contextmanager
def writing(ledger: Ledger, log: Log) -> Iterator[Writer]:
    with ledger.writing(
        session=1,
        price=price,
        vitals=vitals,
        on_commit=log.on_commit,
        on_failure=log.failures.append,
    ) as writer:
        yield writer


def wait(flush: "Future[None]") -> None:
    flush.result(PATIENCE_S)


def seqs_of(path: Path) -> set[int]:
    with database.reading(path) as connection:
        return {seq for (seq,) in connection.execute("SELECT seq FROM outcomes")}


def test_many_records_take_few_commits(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 1_000) as ledger, writing(ledger, log) as writer:
        for seq in range(1, 1_001):
            writer.record(succeeded(item(seq)))
        wait(writer.flush())
        assert log.seqs == list(range(1, 1_001))
        assert len(log.commits) < 20


def test_what_is_acknowledged_can_be_read_by_others_already(tmp_path: Path) -> None:
    missing: list[int] = []

    def look(commit: Commit) -> None:
        durable = seqs_of(tmp_path / "ledger.sqlite")
        missing.extend(one.item.seq for one in commit.records if one.item.seq not in durable)

    log = Log(look)
    with ledger_of(tmp_path, 300) as ledger, writing(ledger, log) as writer:
        for seq in range(1, 301):
            writer.record(succeeded(item(seq)))
            if seq % 50 == 0:
                wait(writer.flush())
    assert log.seqs == list(range(1, 301))
    assert missing == []


def test_a_commit_tells_how_far_its_chunks_are(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 15) as ledger, writing(ledger, log) as writer:
        for seq in range(1, 13):
            writer.record(succeeded(item(seq)))
        wait(writer.flush())
        for seq in range(13, 16):
            writer.record(succeeded(item(seq)))
        wait(writer.flush())
    chunks = [chunk for commit in log.commits for chunk in commit.chunks]
    latest = {chunk.number: chunk for chunk in chunks}
    assert {number: chunk.succeeded for number, chunk in latest.items()} == {1: 10, 2: 5}
    assert [chunk.number for chunk in chunks if chunk.complete] == [1, 2]


def test_attempts_and_outcome_of_an_item_may_share_a_commit(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 1) as ledger:
        with writing(ledger, log) as writer:
            writer.record(retried(item(1), 1))
            writer.record(asked_again(item(1), 2))
            writer.record(succeeded(item(1), attempts=3))
        row = ledger.connection.execute("SELECT attempts, prompt_tokens FROM outcomes").fetchone()
        assert row == (3, 200)


def test_a_flush_of_nothing_is_done(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger, writing(ledger, Log()) as writer:
        wait(writer.flush())


def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 50) as ledger:
        with writing(ledger, log) as writer:
            for seq in range(1, 51):
                writer.record(succeeded(item(seq)))
        assert log.seqs == list(range(1, 51))
        assert ledger.counts().succeeded == 50  # the connection is the caller's again


def test_a_flush_that_nobody_waits_for_any_more_breaks_nothing(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 2) as ledger:
        with writing(ledger, log) as writer:
            writer.record(succeeded(item(1)))
            writer.flush().cancel()
            writer.record(succeeded(item(2)))
            wait(writer.flush())
        assert log.seqs == [1, 2]


def test_records_may_come_from_many_threads(tmp_path: Path) -> None:
    log = Log()
    with ledger_of(tmp_path, 400) as ledger:
        with writing(ledger, log) as writer:

            def work(first: int) -> None:
                for seq in range(first, 401, 4):
                    writer.record(succeeded(item(seq)))
                    if seq % 40 == 0:
                        wait(writer.flush())

            threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(log.seqs) == list(range(1, 401))


def test_the_session_carries_the_vitals(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        with writing(ledger, Log()) as writer:
            writer.record(succeeded(item(1)))
        row = ledger.connection.execute(
            "SELECT cpu_s, peak_rss_mb, bytes_sent, bytes_received, seen_at >= started_at "
            "FROM sessions"
        ).fetchone()
        assert row == (1.5, 64.0, 10, 20, 1)


class TestFailure:
    """Once the ledger failed, nothing is acknowledged; whoever flushes is told."""

    def check(self, writer: Writer, log: Log, error: type[BaseException], told: str) -> None:
        with pytest.raises(error, match=told):
            wait(writer.flush())
        with pytest.raises(error, match=told):
            wait(writer.flush())
        acknowledged = log.seqs
        writer.record(succeeded(item(99)))
        with pytest.raises(error, match=told):
            wait(writer.flush())
        assert log.seqs == acknowledged
        assert [type(one) for one in log.failures] == [error]

    def test_a_full_disk(self, tmp_path: Path) -> None:
        log = Log()
        with ledger_of(tmp_path, 100) as ledger:
            (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
            ledger.connection.execute(f"PRAGMA max_page_count = {pages + 3}")
            with writing(ledger, log) as writer:
                writer.record(succeeded(item(1)))
                wait(writer.flush())
                for seq in range(2, 90):
                    writer.record(succeeded(item(seq), result="x" * 1_000))
                self.check(writer, log, LedgerError, "full.*Free some space")
            assert log.seqs == [1]
            assert seqs_of(ledger.path) == {1}
            assert ledger.counts().succeeded == 1
            ledger.connection.execute("PRAGMA max_page_count = 1000000")
            ledger.end_session(1, 5)

    @pytest.mark.parametrize(
        ("raised", "error", "told"),
        [
            (LedgerError("x.json: No space left"), LedgerError, "x.json: No space left"),
            (OSError(errno.ENOSPC, "No space left"), LedgerError, "No space left.*Free the disk"),
            (sqlite3.OperationalError("disk I/O error"), LedgerError, "disk I/O error"),
            (KeyError("a bug"), KeyError, "a bug"),
        ],
    )
    def test_what_follows_a_commit_fails(
        self, tmp_path: Path, raised: Exception, error: type[BaseException], told: str
    ) -> None:
        def fail(_: Commit) -> None:
            raise raised

        log = Log(fail)
        with ledger_of(tmp_path, 100) as ledger:
            with writing(ledger, log) as writer:
                writer.record(succeeded(item(1)))
                self.check(writer, log, error, told)
            assert log.seqs == []
            assert ledger.counts().succeeded == 1  # durable, though not acknowledged

    def test_an_outcome_twice_is_a_fault_of_ours_that_counts_nothing(self, tmp_path: Path) -> None:
        log = Log()
        with ledger_of(tmp_path, 100) as ledger:
            with writing(ledger, log) as writer:
                writer.record(succeeded(item(1)))
                writer.record(succeeded(item(1)))
                self.check(writer, log, LedgerError, "UNIQUE")
            assert ledger.counts().succeeded == 0

    def test_records_left_when_it_fails_are_not_acknowledged(self, tmp_path: Path) -> None:
        """Those that are recorded while the failing commit runs."""
        reached, go_on = threading.Event(), threading.Event()

        def fail(_: Commit) -> None:
            reached.set()
            go_on.wait(PATIENCE_S)
            raise LedgerError("broken")

        log = Log(fail)
        with ledger_of(tmp_path, 100) as ledger:
            with writing(ledger, log) as writer:
                writer.record(succeeded(item(1)))
                first = writer.flush()
                assert reached.wait(PATIENCE_S)
                writer.record(succeeded(item(2)))
                second = writer.flush()
                go_on.set()
                for flush in (first, second):
                    with pytest.raises(LedgerError, match="broken"):
                        wait(flush)
            assert seqs_of(ledger.path) == {1}
            assert log.seqs == []

    def test_closing_after_it_ends(self, tmp_path: Path) -> None:
        def fail(_: Commit) -> None:
            raise LedgerError("broken")

        log = Log(fail)
        with ledger_of(tmp_path, 3) as ledger:
            with suppress(LedgerError), writing(ledger, log) as writer:
                writer.record(succeeded(item(1)))
            assert len(log.failures) == 1


def test_a_reader_neither_waits_nor_makes_wait(tmp_path: Path) -> None:
    """One moment is read to its end while others are written."""
    log = Log()
    with (
        ledger_of(tmp_path, 200) as ledger,
        database.reading(ledger.path) as reader,
        writing(ledger, log) as writer,
    ):
        reader.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (0,)
        for seq in range(1, 201):
            writer.record(succeeded(item(seq)))
            if seq % 50 == 0:
                wait(writer.flush())
                assert reader.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (0,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (200,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM outcomes")


def test_an_outcome_holds_all_that_was_said(tmp_path: Path) -> None:
    outcome = Outcome(
        item=item(1),
        lane="batch",
        attempts=1,
        latency_ms=12.5,
        answered=True,
        accepted=succeeded(item(1), notes=("mended \\dots",), check="review").accepted,
        model="m-1",
        tier="flex",
        usage=succeeded(item(1)).usage,
        body='{"raw": "가"}',
        request_id="req-9",
    )
    with ledger_of(tmp_path, 1) as ledger:
        with writing(ledger, Log()) as writer:
            writer.record(outcome)
        cursor = ledger.connection.execute("SELECT * FROM outcomes")
        row = dict(
            zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True)
        )
    assert row.pop("at") > 1e9
    assert row == {
        "seq": 1,
        "session": 1,
        "succeeded": 1,
        "result": "x^2",
        "check": "review",
        "notes": '["mended \\\\dots"]',
        "code": None,
        "message": None,
        "retryable": None,
        "lane": "batch",
        "model": "m-1",
        "tier": "flex",
        "attempts": 1,
        "latency_ms": 12.5,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cached_tokens": 0,
        "cost_usd": 180 / 2048,
        "request_id": "req-9",
        "body": '{"raw": "가"}',
    }
