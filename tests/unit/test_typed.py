"""The command that a run keeps: what goes on with it, and nothing secret."""

import shlex
import sys

import pytest

from processor.cli import typed

SECRET = "hunter2-very-secret"


@pytest.mark.parametrize(
    "words",
    [
        ["--header", f"X-Key={SECRET}"],
        [f"--header=X-Key={SECRET}"],
        ["--proxy", f"http://me:{SECRET}@proxy:3128"],
        [f"--base-url=https://me:{SECRET}@api.example/v1"],
        ["--input", f"postgresql://me:{SECRET}@db/sales?sslmode=require"],
        ["--output", f"postgresql://db/sales?user=me&password={SECRET}"],
        [f"--output=host=db password={SECRET}"],
        ["--notify", f"slack://{SECRET}/{SECRET}/{SECRET}"],
        [f"--notify=mailto://me:{SECRET}@mail.example"],
        ["--notify", f"json://hook.example/{SECRET}"],
    ],
)
def test_no_secret_is_kept(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["processor", "run", *words, "--limit", "5"])
    command = typed.that_goes_on()
    assert SECRET not in command
    kept = shlex.split(command)
    assert kept[:2] == ["processor", "run"]
    assert kept[-2:] == ["--limit", "5"]
    assert words[0].partition("=")[0] in command  # that something has to be filled in is seen


def test_what_needs_quotes_has_them_and_new_begins_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [
        "processor",
        "run",
        "--new",
        "--input",
        "my rows; rm -rf.csv",
        "--task",
        "한국어 $HOME",
    ]
    monkeypatch.setattr(sys, "argv", words)
    again = [word for word in words if word != "--new"]
    assert shlex.split(typed.that_goes_on()) == again
