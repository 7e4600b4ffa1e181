"""How long a file may be on its way, and that it lands as a whole."""

import asyncio
from pathlib import Path

import pytest

from processor.batch.transfer import Deadline, Outgoing, due_s, landing
from processor.errors import LedgerError


@pytest.mark.parametrize(
    ("now_s", "bytes_moved", "expected"),
    [
        (100.0, 0, 160.0),
        (130.0, 0, 160.0),  # only bytes move it
        (130.0, 200_000, 170.0),  # 200 kB are worth ten seconds
        (130.0, 200_000_000, 190.0),  # never more than the timeout without progress
        (10_000.0, 200_000_000, 10_060.0),
    ],
)
def test_when_a_call_is_given_up(now_s: float, bytes_moved: int, expected: float) -> None:
    assert due_s(100.0, now_s, bytes_moved, 60.0) == expected


def test_what_is_handed_over_may_be_digested(tmp_path: Path) -> None:
    path = tmp_path / "shard.jsonl"
    path.write_bytes(b"x" * 3_000_000)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10) as timer:
            with Outgoing(path, Deadline(timer, 10)) as file:
                while file.read(1 << 16):
                    await asyncio.sleep(0)
                    assert timer.when() == pytest.approx(loop.time() + 10, abs=1)
            assert timer.when() == pytest.approx(loop.time() + 13, abs=1)

    asyncio.run(main())


def test_a_deadline_that_is_over_stays_over() -> None:
    async def late() -> None:
        async with asyncio.timeout(0) as timer:
            try:
                await asyncio.sleep(1)
            finally:
                Deadline(timer, 60).moved(1)

    with pytest.raises(TimeoutError):
        asyncio.run(late())


def test_a_file_lands_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"before")

    async def main() -> None:
        async with landing(path) as file:
            file.write(b"after")
            file.flush()
            assert path.read_bytes() == b"before"

    asyncio.run(main())
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "expected"), [(ValueError("no"), ValueError), (OSError(28, "No space"), LedgerError)]
)
def test_half_a_file_is_never_seen(
    tmp_path: Path, error: Exception, expected: type[Exception]
) -> None:
    path = tmp_path / "answers.jsonl"

    async def main() -> None:
        async with landing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(expected, match=r"No space|no"):
        asyncio.run(main())
    assert list(tmp_path.iterdir()) == []
