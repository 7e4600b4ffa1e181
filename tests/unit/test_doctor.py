"""Findings, and the checks that need no network."""

from pathlib import Path

import pytest

from processor.doctor import host, installation, key
from processor.doctor.finding import Level, exit_code, note, ok, skipped, wrong
from processor.inventory import entries, masked
from processor.layers import Found
from processor.settings import Settings

HERE = wrong("a", "b", "c")
THERE = wrong("a", "b", "c", remote=True)


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([ok("a", "b"), note("a", "b"), skipped("a", "b")], 0),
        ([ok("a", "b"), HERE], 1),
        ([ok("a", "b"), THERE, skipped("a", "b")], 3),
        ([THERE, HERE], 1),
    ],
)
def test_what_the_process_ends_with(findings: list[object], code: int) -> None:
    assert exit_code(findings) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("sk-proj-0123456789-abcd", "sk-…abcd"),
        ("0123456789abcdefwxyz", "…wxyz"),
        ("sk-short", "sk-…"),
        ("0123456789", "…"),
        ("", "…"),
    ],
)
def test_at_most_four_characters_of_a_secret_are_shown(secret: str, shown: str) -> None:
    assert masked(secret) == shown


@pytest.mark.parametrize(
    ("values", "needed", "level"),
    [
        ({}, True, Level.WRONG),
        ({"base_url": "http://127.0.0.1:1"}, False, Level.SKIPPED),
        ({"api_key": "sk-0123456789-0123456789"}, True, Level.OK),
        ({"api_key": "0123456789-0123456789"}, True, Level.NOTE),
        ({"api_key": "sk-0123"}, True, Level.NOTE),
        ({"api_key": "0123", "provider": "own"}, True, Level.OK),
    ],
)
def test_the_shape_of_a_key(values: dict[str, object], needed: bool, level: Level) -> None:
    found = {name: Found(value, "place") for name, value in values.items()}
    finding = key.examine(Settings.of(values), found, needed=needed)
    assert finding.level is level
    assert "0123456789-0" not in finding.said


def test_every_setting_has_an_entry_with_a_meaning() -> None:
    settings = Settings.of({"rpm": 5})
    listed = {entry.name: entry for entry in entries(settings, {"rpm": Found(5, "--rpm")})}
    assert listed.keys() == Settings.model_fields.keys()
    assert all(entry.description for entry in listed.values())
    assert (listed["rpm"].value, listed["rpm"].origin, listed["rpm"].unit) == (
        *(5, "--rpm", "requests/min"),
    )
    assert (listed["wait_s"].origin, listed["wait_s"].unit) == ("default", "s")


def test_the_installation_of_the_tests_is_whole() -> None:
    findings = list(installation.examine())
    assert [finding.name for finding in findings] == ["python", "packages", "extras"]
    assert {finding.level for finding in findings} == {Level.OK}


def test_a_disk_is_tried_where_the_folder_will_be_and_nothing_stays(tmp_path: Path) -> None:
    run, logs, files = host.examine(tmp_path / "runs" / "x", tmp_path / "logs", 1)
    assert (run.level, logs.level, files.level) == (Level.OK, Level.OK, Level.OK)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_wrong(tmp_path: Path) -> None:
    run, logs, _ = host.examine(Path("/proc/runs"), tmp_path, None)
    assert (run.level, logs.level) == (Level.WRONG, Level.OK)
    assert "--out" in run.way_out


def test_more_calls_than_files_may_be_open_are_too_many(tmp_path: Path) -> None:
    *_, files = host.examine(tmp_path, tmp_path, 10**9)
    assert files.level is Level.WRONG
    assert "ulimit -n" in files.way_out
