"""The small form of `scripts/deadline_showcase.py`: batches stall, the direct lane makes it."""

import batch_bench  # noqa: F401 - knows where the scripts are
import deadline_showcase
import pytest


def test_a_deadline_is_made_though_batches_stall(capsys: pytest.CaptureFixture[str]) -> None:
    code = deadline_showcase.main(["--rows", "400", "--deadline", "40m", "--speed", "240"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "taken back" in told
    assert "**no**" not in told
    assert told.count("| yes |") == 5


def test_one_that_is_missed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = deadline_showcase.main(["--rows", "400", "--deadline", "10s", "--speed", "20"])
    told = capsys.readouterr().out
    assert code == 1, told
    assert "exit code 4" in told
