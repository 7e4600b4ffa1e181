"""The small form of `scripts/labelling_showcase.py`: rows that fail, a queue that is too small."""

from pathlib import Path

import labelling_showcase
import pytest


def test_no_row_is_lost_and_none_is_paid_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    news = tmp_path / "news.csv"
    news.write_text("text\n" + "".join(f"기사 {n}\n" for n in range(60)), "utf-8")
    arguments = ["--news", str(news), "--rows", "300", "--shard-size", "50"]
    code = labelling_showcase.main(arguments)
    told = capfd.readouterr().out
    assert code == 0, told
    assert "**no**" not in told
    assert "| labelled | 300 | 300 | yes |" in told
