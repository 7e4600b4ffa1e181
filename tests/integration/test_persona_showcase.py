"""The showcase of the persona job, as it is typed."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "persona_showcase.py"


def test_three_scenarios_lose_nothing_and_pay_once(tmp_path: Path) -> None:
    asked = [sys.executable, str(SCRIPT), "--latency-ms", "0"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in done.stdout.splitlines()
        if line.startswith("|")
    ]
    one, direct, batch = lines[2:]
    assert [line[1] for line in (one, direct, batch)] == ["25 of 25", *["275 of 275"] * 2]
    assert [line[4:6] for line in (one, direct, batch)] == [["25", "0"], *[["275", "0"]] * 2]
    assert 275 < int(direct[2]) < 400  # some were refused, and those alone were sent again
    assert int(batch[3]) > 6
    assert int(batch[2]) < int(direct[2]) / 2
    assert float(batch[6][1:]) < 0.55 * float(direct[6][1:])  # list price
    assert "table: 25 personas x 11 questions, every cell filled" in done.stdout
    assert "275 items in both" in done.stdout
    assert list(tmp_path.iterdir()) == []
