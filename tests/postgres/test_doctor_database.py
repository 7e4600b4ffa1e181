"""`processor doctor` looks at the database that DATABASE_URL names."""

import json
import re
from urllib.parse import quote

import pytest
from command_line import Shell

from postgres.cluster import PASSWORD, Cluster, Database
from postgres.write_back import guarded


def told(shell: Shell) -> tuple[int, dict[str, str], str]:
    """Exit code, what was found of the database, and all that was said."""
    done = shell("doctor", "--base-url", shell.url, "--json")
    findings = json.loads(done.out)["findings"]
    (found,) = [finding for finding in findings if finding["name"] == "database"]
    return done.code, found, done.out + done.err


def test_one_that_is_there(
    shell: Shell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.uri)
    code, found, _ = told(shell)
    assert (code, found["level"]) == (0, "ok")
    assert re.search(r"is PostgreSQL \d+\.\d+, without TLS", found["said"])


def test_none(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code, found, _ = told(shell)
    assert (code, found["level"], found["said"]) == (0, "skipped", "DATABASE_URL is not set")


def test_one_that_takes_no_writes(
    shell: Shell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = "&" if "?" in database.uri else "?"
    options = quote("-c default_transaction_read_only=on")
    monkeypatch.setenv("DATABASE_URL", f"{database.uri}{mark}options={options}")
    code, found, _ = told(shell)
    assert (code, found["level"]) == (0, "note")
    assert "takes no writes" in found["said"]


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("mysql://me:geheim@host/db", 1, "DATABASE_URL is no address of PostgreSQL"),
        ("postgresql://me:gehe@im@host/db", 1, "cannot be read"),
        ("postgresql://me:geheim@127.0.0.1:1/db", 3, "Connection refused"),
    ],
)
def test_one_that_cannot_be_asked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, given: str, code: int, said: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)
    done, found, words = told(shell)
    assert (done, found["level"]) == (code, "wrong")
    assert said in found["said"]
    assert found["way_out"]
    assert "geheim" not in words
    assert "im@" not in words


def test_a_wrong_password(
    shell: Shell, cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", guarded(cluster, database, f"{PASSWORD}!"))
    code, found, words = told(shell)
    assert (code, found["level"]) == (1, "wrong")
    assert "password authentication failed" in found["said"]
    assert PASSWORD not in words
