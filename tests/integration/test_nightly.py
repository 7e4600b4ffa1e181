"""The crontab and the systemd units that come with the scripts do what they say."""

import configparser
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailroom import Mailroom, mailroom

ROOT = Path(__file__).parents[2]
NIGHTLY = ROOT / "scripts" / "nightly"
UNITS = ("processor-nightly.service", "processor-nightly.timer")
# As made for a machine; here they are those of the test.
WORK, PROGRAM = "/srv/questions", "/srv/processor"
A_FEW = " --sandbox --limit 20"


@pytest.fixture(scope="module")
def room() -> Iterator[Mailroom]:
    with mailroom() as room:
        yield room


def crontab() -> str:
    """The command of the only line."""
    lines = (NIGHTLY / "crontab").read_text().splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    found = re.fullmatch(r"30 2 \* \* \* (?P<command>.*)", line)
    assert found is not None
    assert "%" not in line  # which cron takes for the end of it
    return found["command"]


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(NIGHTLY / name)
    return read


def service() -> str:
    """What the unit starts, in its folder."""
    it = unit(UNITS[0])["Service"]
    assert (it["Type"], it["KillMode"]) == ("oneshot", "mixed")
    return f"cd {it['WorkingDirectory']} && {it['ExecStart']} "


@pytest.mark.parametrize("command", [crontab(), service()], ids=["cron", "systemd"])
def test_the_nightly_command_runs_and_tells(command: str, tmp_path: Path, room: Mailroom) -> None:
    room.letters.clear()
    (tmp_path / ".env").write_text(f"PROCESSOR_NOTIFY={room.address('ok')}\n")
    here = command.replace(WORK, str(tmp_path)).replace(PROGRAM, str(ROOT))
    head, mark, tail = here.partition(" >> ")
    done = subprocess.run(
        ["/bin/sh", "-c", head + A_FEW + mark + tail],
        cwd="/",
        env={"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin"},  # all that cron gives
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + (tmp_path / "cron.log").read_text()
    (letter,) = room.letters
    assert letter.body["title"] == "processor: mathml 20 of 20 done"
    assert Path(letter.body["folder"]).is_relative_to(tmp_path)


def test_the_timer_begins_the_service_every_night(tmp_path: Path) -> None:
    timer = unit(UNITS[1])
    assert dict(timer["Timer"]) == {"OnCalendar": "*-*-* 02:30", "Persistent": "true"}
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert len({Path(name).stem for name in UNITS}) == 1  # by which systemd finds the service
    verifier = shutil.which("systemd-analyze")
    if verifier is None:  # nobody else knows more of units
        return
    for name in UNITS:
        text = (NIGHTLY / name).read_text()
        (tmp_path / name).write_text(text.replace(WORK, "/").replace(PROGRAM, str(ROOT)))
    verify = [verifier, "verify", "--user", *(str(tmp_path / name) for name in UNITS)]
    around = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(verify, capture_output=True, text=True, check=False, env=around)
    assert (done.returncode, done.stderr) == (0, "")
