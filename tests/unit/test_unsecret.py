"""A command line that is shown tells no secret."""

import shlex

import pytest

from processor.cli.provider import unsecret


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("run --header X-Key=k --rpm 1", "run --header X-Key=… --rpm 1"),
        ("run --header=X-Key=k", "run --header=X-Key=…"),
        ("run --header X-Key=env:K", "run --header X-Key=env:K"),
        ("run --notify slack://a/b/c --yes", "run --notify slack://… --yes"),
        ("run --notify=mailto://u:p@h", "run --notify=mailto://…"),
        ("run --notify token", "run --notify …"),
        ("run --notify env:CHAT --notify none", "run --notify env:CHAT --notify none"),
        ("run --notify --notify --notify json://a", "run --notify … --notify json://…"),
        ("run --notify-on done", "run --notify-on done"),
        ("run --notify", "run --notify"),
    ],
)
def test_what_is_secret_is_named_not_told(typed: str, shown: str) -> None:
    assert unsecret(shlex.split(typed)) == shown.split()
