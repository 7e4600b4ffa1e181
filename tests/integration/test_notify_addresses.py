"""Where addresses of notifications come from, and that nobody learns them."""

import json
import os
import re
import signal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Shell
from mailroom import Mailroom, mailroom
from notify_bench import SECRET, assert_nowhere, words
from run_bench import folder_before


@pytest.fixture
def room() -> Iterator[Mailroom]:
    with mailroom() as room:
        yield room


@pytest.mark.parametrize(
    "address",
    [
        f"nobody://{SECRET}",
        f"slack://{SECRET}",
        SECRET,
        "",
        f"json://a/ {SECRET}://",
        "json://…",
        "none json://a",
    ],
)
def test_an_address_that_cannot_be_is_told_before_anything_is_sent(
    shell: Shell, address: str
) -> None:
    result = shell.run(*words(shell), "--notify", address)
    assert result.code == 1
    (line,) = result.err.splitlines()
    assert line.startswith("Error: --notify: ")
    assert SECRET not in line
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "runs").exists()
    assert not (shell.folder / "logs").exists()


def test_without_the_extra_it_is_told_how_to_get_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = shell.folder / "lacking" / "apprise"
    lacking.mkdir(parents=True)
    raises = "raise ModuleNotFoundError(\"No module named 'apprise'\", name='apprise')\n"
    (lacking / "__init__.py").write_text(raises)
    monkeypatch.setenv("PYTHONPATH", str(lacking.parent))
    result = shell.run(*words(shell), "--notify", f"slack://{SECRET}")
    assert result.code == 1
    assert "pip install 'request-processor[notify]'" in result.err
    assert shell.stats()["received"] == 0


def test_addresses_come_from_variables_and_profiles_and_are_never_shown(
    shell: Shell, room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = room.address(f"ok/{SECRET}")
    monkeypatch.setenv("PROCESSOR_NOTIFY", f"{address} {room.address('ok/two')}")
    assert shell.run(*words(shell)).code == 0
    assert {letter.path for letter in room.letters} == {f"/ok/{SECRET}", "/ok/two"}
    shown = shell("settings", "--json").out
    (entry,) = [each for each in json.loads(shown)["settings"] if each["name"] == "notify"]
    assert entry["value"] == ["json://…", "json://…"]
    assert entry["origin"] == "environment: PROCESSOR_NOTIFY"
    room.letters.clear()
    assert shell.run("--task", "say.toml", "--input", "r.csv", "--notify", "none").code == 0
    assert not room.letters
    monkeypatch.delenv("PROCESSOR_NOTIFY")
    monkeypatch.setenv("THEIR_ADDRESS", address)
    shell.write("processor.toml", '[default]\nnotify = ["env:THEIR_ADDRESS"]\nnotify_on = ["done"]')
    assert shell.run("--task", "say.toml", "--input", "r.csv").code == 0
    assert room.events() == ["done"]
    shell.write("processor.toml", f'[default]\nnotify = "{address}"')
    (shell.folder / "processor.toml").chmod(0o644)
    refused = shell.run("--task", "say.toml", "--input", "r.csv")
    assert (refused.code, "others can read it" in refused.err) == (1, True)
    (shell.folder / "processor.toml").unlink()
    assert_nowhere(SECRET, shell.folder, shown, refused.err)


def test_a_support_bundle_hides_it(
    shell: Shell, room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = room.address(f"ok/{SECRET}")
    monkeypatch.setenv("PROCESSOR_NOTIFY", address)
    assert shell.run(*words(shell)).code == 0
    (log_file,) = shell.folder.glob("logs/batch_conversion_*.log")
    with log_file.open("a") as file:  # as a version that did not know better might have
        file.write(json.dumps({"event": "slip", "message": f"sent to {address}"}) + "\n")
    shell("doctor", "--base-url", shell.url, "--bundle", "b.zip")
    with zipfile.ZipFile(shell.folder / "b.zip") as packed:
        texts = [packed.read(name).decode() for name in packed.namelist()]
    assert any("sent to ***" in text for text in texts)
    assert not [text for text in texts if SECRET in text]


def test_the_command_to_type_again_does_not_tell_it(
    tmp_path: Path, sandbox_url: str, room: Mailroom
) -> None:
    address = room.address(f"ok/{SECRET}")
    with folder_before(sandbox_url, tmp_path, rows=5_000) as folder:
        slowly = ("--route", "direct", "--concurrency", "2")
        process = folder.start(*slowly, f"--notify={address}", "--notify", address)
        folder.wait_for_answers(10)
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert re.search(r"goes on: processor run .*'--notify=json://…' --notify 'json://…'", said)
    (letter,) = room.letters  # an address that is given twice is told once
    assert letter.body["event"] == "interrupted"
    assert_nowhere(SECRET, tmp_path, said, told)


def test_nothing_in_the_working_directory_is_loaded(shell: Shell, room: Mailroom) -> None:
    shell.write("apprise.py", "raise SystemExit('of the working directory')\n")
    result = shell.run(*words(shell), "--notify", room.address("ok"))
    assert (result.code, room.events()) == (0, ["done"])
    assert os.fspath(shell.folder) not in sys.path
