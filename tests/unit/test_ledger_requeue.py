from pathlib import Path

from ledger_parts import asked_again, failed, item, ledger_of, retried, settle, succeeded, usage
from msgspec.structs import replace

from processor.exports import chunk_files
from processor.watch import snapshot


def test_only_what_may_be_mended_is_taken(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 4) as ledger:
        settle(
            ledger.connection,
            succeeded(item(1)),
            failed(item(2), code="timeout"),
            failed(item(3), code="refused", retryable=False),
        )
        assert ledger.requeue() == 1
        assert [one.item.seq for one in ledger.pending()] == [2, 4]
        assert snapshot.take(tmp_path).errors == {"refused": 1}


def test_codes_take_what_they_name(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(
            ledger.connection,
            failed(item(1), code="timeout"),
            failed(item(2), code="refused", retryable=False),
            failed(item(3), code="policy", retryable=False),
        )
        assert ledger.requeue(["refused", "policy"]) == 2
        assert ledger.requeue(["refused"]) == 0
        assert ledger.requeue([]) == 0
        assert snapshot.take(tmp_path).errors == {"timeout": 1}


def test_an_item_sent_again_is_answered_at_no_tier(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 4) as ledger:
        tiers = {1: "flex", 2: "default", 3: "flex", 4: "something new"}
        settle(
            ledger.connection,
            *(replace(failed(item(seq), answered=True), tier=tier) for seq, tier in tiers.items()),
        )
        assert snapshot.take(tmp_path).tiers == {"flex": 2, "default": 1, "other": 1}
        ledger.requeue()
        assert snapshot.take(tmp_path).tiers == {}


def test_what_found_no_room_is_no_rate_limit(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        full = replace(retried(item(1), 1, status=429), code="flex_unavailable")
        settle(ledger.connection, full, retried(item(1), 2, status=429))
        overall = snapshot.take(tmp_path).overall
        assert (overall.retries, overall.no_room, overall.rate_limited) == (2, 1, 1)


def test_an_item_asked_again_starts_clean(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, asked_again(item(1), 1))
        assert [one.invalid for one in ledger.pending()] == [(("y", "is wrong"),)]
        settle(
            ledger.connection, failed(item(1), attempts=2, code="invalid", answered=True, body="z")
        )
        ledger.requeue()
        (again,) = ledger.pending()
        assert (again.attempts, again.invalid) == (2, ())


def test_attempts_go_on_being_numbered_over_many_rounds(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        for number in (1, 4, 7):
            settle(
                ledger.connection,
                retried(item(1), number),
                asked_again(item(1), number + 1, paid=usage(10, 1)),
                failed(item(1), attempts=number + 2, answered=True, paid=usage(5, 2), model="m"),
            )
            assert ledger.requeue() == 1
        settle(ledger.connection, succeeded(item(1), attempts=10, paid=usage(1, 1)))
        kept = ledger.connection.execute(
            "SELECT number, prompt_tokens, completion_tokens, cost_usd FROM attempts "
            "ORDER BY number"
        ).fetchall()
        calls = ((0, 0, 0), (10, 1, 14 / 1024), (5, 2, 13 / 1024))
        assert kept == [(number + 1, *calls[number % 3]) for number in range(9)]
        paid = ledger.connection.execute(
            "SELECT attempts, prompt_tokens, completion_tokens, cost_usd FROM outcomes"
        ).fetchone()
        assert paid == (10, 46, 10, 86 / 1024)
        assert snapshot.take(tmp_path).overall.prompt_tokens == 46


def test_an_item_that_could_not_be_sent_again_leaves_no_attempt(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(
            ledger.connection,
            failed(item(1), attempts=0, code="template", latency_ms=0.0),
            asked_again(item(2), 1),
            failed(item(2), attempts=1, code="template", latency_ms=0.0),
        )
        assert snapshot.take(tmp_path).overall.requests_sent == 1
        assert ledger.requeue() == 2
        assert [one.attempts for one in ledger.pending()] == [0, 1]


def test_an_unknown_cost_stays_unknown(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, failed(item(1), code="invalid", answered=True, paid=None))
        assert snapshot.take(tmp_path).overall.cost_usd is None
        ledger.requeue()
        settle(ledger.connection, succeeded(item(1), attempts=2))
        assert snapshot.take(tmp_path).overall.cost_usd is None
        assert ledger.connection.execute("SELECT cost_usd FROM outcomes").fetchone() == (None,)


def test_the_chunk_is_written_again_when_it_is_complete_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, succeeded(item(1)), failed(item(2)))
        chunk_files.write(ledger.connection, tmp_path, [1])
        ledger.requeue()
        assert chunk_files.stale(ledger.connection, tmp_path, thorough=True) == []
        settle(ledger.connection, succeeded(item(2), attempts=2))
        assert chunk_files.stale(ledger.connection, tmp_path, thorough=False) == [1]


def test_nothing_failed_nothing_moves(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        before = snapshot.take(tmp_path)
        assert ledger.requeue() == 0
        assert snapshot.take(tmp_path) == before
