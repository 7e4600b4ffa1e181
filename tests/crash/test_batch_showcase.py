"""The small form of `scripts/batch_showcase.py`: a command, a sandbox of its own, two kills."""

import batch_showcase
import pytest


@pytest.mark.fault(84)
def test_a_run_that_is_killed_twice_loses_and_doubles_no_row(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = batch_showcase.main(["--rows", "1500", "--shard-size", "500"])
    told = capfd.readouterr().out
    assert code == 0, told
    assert "**no**" not in told
    assert "| lost | 0 | 0 | yes |" in told
    assert told.count("SIGKILL") == len(batch_showcase.MOMENTS)
