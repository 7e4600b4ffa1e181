"""How long batches took, kept from run to run: whatever became of the file."""

import os
from math import inf
from pathlib import Path

import pytest

from processor import history
from processor.plan.latency import Seen

HOST, MODEL = "api.openai.com", "gpt-6-luna"
LINE = '{"host":"api.openai.com","model":"gpt-6-luna","requests":%s,"seconds":%s}\n'


def known(path: Path) -> tuple[Seen, ...]:
    return history.latencies(path, HOST, MODEL).seen


def test_what_is_noted_is_known_for_the_same_provider_and_model(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "batches.jsonl"
    seen = [Seen(100, 60.0), Seen(5_000, inf)]
    history.add(path, HOST, MODEL, seen)
    history.add(path, HOST, "another", [Seen(1, 1.0)])
    assert known(path) == tuple(seen)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "line",
    [
        "no JSON\n",
        "[1, 2]\n",
        "null\n",
        "\n",
        "\0" * 100 + "\n",
        LINE % ('"many"', 1),
        LINE % (10**400, 1),
        LINE % (100, -1),
        LINE % (0, 60),
        LINE % (100, 10**12),
        LINE % (100, 10**400),
        (LINE % (100, 1))[:40] + "\n",
    ],
)
def test_a_line_that_tells_nothing_does_not_count(tmp_path: Path, line: str) -> None:
    path = tmp_path / "batches.jsonl"
    path.write_text(LINE % (100, 60) + line + LINE % (200, "null"))
    assert known(path) == (Seen(100, 60.0), Seen(200, inf))


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "batches.jsonl"
    path.write_text("x" * (1 << 20) + "\n" + LINE % (7, 5) + (LINE % (100, 60)) * 5_000)
    assert set(known(path)) == {Seen(100, 60.0)}


def test_what_is_no_file_tells_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("")
    places = [tmp_path, tmp_path / "pipe", tmp_path / "none", tmp_path / "file" / "batches.jsonl"]
    assert [known(path) for path in places] == [()] * 4
    history.add(tmp_path, HOST, MODEL, [Seen(1, 1.0)])
    history.add(tmp_path / "file" / "batches.jsonl", HOST, MODEL, [Seen(1, 1.0)])


@pytest.mark.parametrize("told", ["", "relative/state"])
def test_a_place_that_is_not_absolute_is_that_of_the_user(told: str) -> None:
    assert history.place({"XDG_STATE_HOME": told}) == history.place({})
    assert history.place({}).is_absolute()
