"""A ledger that was damaged: cut short, overwritten, with bits that flipped.

Whatever the damage, it is refused with the file's name and the way on, or it touches only what
nobody reads; items that have an outcome are never taken for pending ones, to be paid for again.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import asked_again, failed, item, ledger_of, retried, settle, succeeded

from processor.errors import LedgerError
from processor.exports import chunk_files, reconciliation, tables
from processor.ledger import database
from processor.ledger.ledger import Ledger, open_ledger
from processor.watch import snapshot

ITEMS = 400
DONE = 260
PAGE = 4096

Damage = Callable[[bytearray], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with something in every table."""
    folder = tmp_path_factory.mktemp("sound")
    with ledger_of(folder, ITEMS) as ledger:
        settle(ledger.connection, *(retried(item(seq), 1) for seq in range(1, 100)))
        settle(ledger.connection, *(asked_again(item(seq), 2) for seq in range(1, 50)))
        settle(ledger.connection, *(succeeded(item(seq), attempts=3) for seq in range(1, 231)))
        settle(ledger.connection, *(failed(item(seq), body="{}") for seq in range(231, DONE + 1)))
    return folder / "ledger.sqlite"


def flipped(bits: list[int]) -> Damage:
    def damage(content: bytearray) -> None:
        for bit in bits:
            place = bit % (8 * len(content))
            content[place // 8] ^= 1 << place % 8

    return damage


def blanked(page: int) -> Damage:
    def damage(content: bytearray) -> None:
        first = page % (len(content) // PAGE) * PAGE
        content[first : first + PAGE] = bytes(PAGE)

    return damage


def cut(length: int) -> Damage:
    def damage(content: bytearray) -> None:
        del content[length % len(content) :]

    return damage


numbers = st.integers(0, 2**32)
damages = st.one_of(
    st.lists(numbers, min_size=1, max_size=8).map(flipped), numbers.map(blanked), numbers.map(cut)
)


@settings(max_examples=100, deadline=None)
@given(damages)
def test_damage_is_refused_or_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, sound: Path, damage: Damage
) -> None:
    folder = tmp_path_factory.mktemp("run")
    content = bytearray(sound.read_bytes())
    damage(content)
    (folder / "ledger.sqlite").write_bytes(content)
    uses: list[Callable[[Ledger], object]] = [
        lambda ledger: ledger.meta(),
        lambda ledger: ledger.counts(),
        lambda ledger: tables.write_all(ledger.connection, folder, reviews=True, bom=True),
        lambda ledger: chunk_files.write(ledger.connection, folder, range(1, 27)),
        lambda ledger: reconciliation.differences(ledger.connection, folder, snapshot.take(folder)),
        lambda ledger: list(reconciliation.lost(ledger.connection, folder, snapshot.take(folder))),
        lambda ledger: ledger.end_session(1, 0),
    ]
    with suppress(LedgerError), open_ledger(folder) as ledger:
        with suppress(LedgerError):
            assert not [one.item.seq for one in ledger.pending() if one.item.seq <= DONE]
        for use in uses:
            with suppress(LedgerError):
                use(ledger)


def refusal(folder: Path) -> LedgerError | None:
    try:
        with open_ledger(folder):
            return None
    except LedgerError as error:
        return error


def test_most_damage_is_seen_before_anything_is_done(tmp_path: Path, sound: Path) -> None:
    """The rest are pages of indexes, which are seen when they are used."""
    pages = sound.stat().st_size // PAGE
    refused = []
    for number in range(pages):
        folder = tmp_path / str(number)
        folder.mkdir()
        content = bytearray(sound.read_bytes())
        blanked(number)(content)
        (folder / "ledger.sqlite").write_bytes(content)
        if (error := refusal(folder)) is not None:
            refused.append(error)
    assert len(refused) > 0.8 * pages
    assert all("ledger.sqlite" in str(error) for error in refused)
    assert all("--new" in error.way_out for error in refused)


def test_outcomes_that_were_counted_and_are_gone_are_missed(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 16)))
        ledger.connection.execute("DELETE FROM outcomes WHERE seq = 13")
        pending = ledger.pending()
        with pytest.raises(LedgerError, match="outcomes of chunk 2 are missing"):
            next(pending)


@pytest.mark.parametrize("text", ["'{\"id\":'", "CAST(x'22FF22' AS TEXT)", "x'7B7D'"])
def test_text_that_cannot_be_read_is_damage(tmp_path: Path, text: str) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        ledger.connection.execute(f"UPDATE items SET fields = {text} WHERE seq = 2")
        with pytest.raises(LedgerError, match="a row cannot be read") as caught:
            list(ledger.pending())
    assert "--new" in caught.value.way_out


def test_a_look_for_damage_that_is_cut_short_lets_the_ledger_pass(tmp_path: Path) -> None:
    """On a disk so slow that the look takes too long, what is damaged shows later."""
    with ledger_of(tmp_path, 3) as ledger:
        connection = ledger.connection
        connection.set_progress_handler(lambda: 1, 1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            connection.execute("PRAGMA quick_check")
        assert not database.examine(ledger.path, connection, 0.5)
        connection.set_progress_handler(None, 0)
        assert database.examine(ledger.path, connection, 10)


@pytest.mark.parametrize("made", [Path.mkdir, Path.touch])
def test_what_is_no_file_or_an_empty_one_is_refused(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    made(tmp_path / "ledger.sqlite")
    with pytest.raises(LedgerError, match=r"ledger\.sqlite") as caught:
        open_ledger(tmp_path).__enter__()
    assert "--out" in caught.value.way_out


def test_a_log_that_lost_commits_is_told_by_the_files_that_know_of_them(tmp_path: Path) -> None:
    """A flipped bit ends the write-ahead log for SQLite, without a word."""
    with ledger_of(tmp_path, 30) as ledger:
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 6)))
        begun = (tmp_path / "ledger.sqlite-wal").stat().st_size
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(6, 16)))
        chunk_files.write(ledger.connection, tmp_path, [1])
        content = {
            name: bytearray((tmp_path / name).read_bytes())
            for name in ("ledger.sqlite", "ledger.sqlite-wal")
        }
    content["ledger.sqlite-wal"][begun + 100] ^= 1
    for name, kept in content.items():
        (tmp_path / name).write_bytes(kept)
    with open_ledger(tmp_path) as ledger:
        assert ledger.counts().succeeded == 5
        shot = snapshot.take(tmp_path)
        assert list(reconciliation.lost(ledger.connection, tmp_path, shot)) == [
            "conversion_results_batch_001.json holds results that the ledger does not"
        ]


def test_a_chunk_whose_failures_are_asked_again_has_lost_nothing(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 10)), failed(item(10)))
        chunk_files.write(ledger.connection, tmp_path, [1])
        ledger.requeue()
        shot = snapshot.take(tmp_path)
        assert not list(reconciliation.lost(ledger.connection, tmp_path, shot))
