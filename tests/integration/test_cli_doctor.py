"""`processor settings`, `doctor` and its bundle, in front of the sandbox."""

import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from command_line import Result, Shell

KEY = "sk-doctor-0123456789-wxyz"
TASK = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""


def found(result: Result) -> dict[str, dict[str, Any]]:
    """The findings by their names."""
    told = json.loads(result.out)
    assert told["exit_code"] == result.code
    return {finding["name"]: finding for finding in told["findings"]}


def levels(result: Result) -> dict[str, str]:
    return {name: finding["level"] for name, finding in found(result).items()}


def doctor(shell: Shell, *options: str) -> Result:
    return shell("doctor", "--base-url", shell.url, "--json", *options)


# --- settings ----------------------------------------------------------------------------------


def test_settings_tell_value_unit_and_origin_and_mask_secrets(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write("processor.toml", '[profiles.p]\nrpm = 60\nheaders = { X-Team = "env:TEAM" }')
    shell.write(".env", f"OPENAI_API_KEY={KEY}\n")
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("TEAM", "blue-0123456789-green")
    result = shell("settings", "--profile", "p", "--organization", "org-1", "--json")
    assert (result.code, result.err) == (0, "")
    told = {entry["name"]: entry for entry in json.loads(result.out)["settings"]}
    assert {name: told[name]["origin"] for name in ("rpm", "api_key", "organization", "tpm")} == {
        "rpm": "processor.toml: profiles.p.rpm",
        "api_key": ".env: OPENAI_API_KEY",
        "organization": "--organization",
        "tpm": "default",
    }
    assert told["api_key"]["value"] == "sk-…wxyz"
    assert told["headers"]["value"] == {"X-Team": "…reen"}
    assert (told["rpm"]["value"], told["rpm"]["unit"]) == (60, "requests/min")
    shown = shell("settings", "--profile", "p")
    assert "processor.toml: profiles.p.rpm" in shown.out
    for text in (result.out, shown.out):
        assert "0123456789" not in text


def test_settings_need_no_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert shell("settings").code == 0


def test_settings_that_cannot_be_are_refused(shell: Shell) -> None:
    shell.write("processor.toml", "[default]\nrpm = 0")
    result = shell("settings")
    assert (result.code, result.err.startswith("Error: processor.toml: default.rpm")) == (1, True)


# --- doctor ------------------------------------------------------------------------------------


def test_all_is_fine(shell: Shell) -> None:
    result = doctor(shell, "--model", "gpt-6-luna", "--call")
    assert set(levels(result).values()) <= {"ok", "skipped", "note"}
    assert result.code == 0
    assert levels(result)["call"] == "ok"
    assert shell.stats()["by_route"] == {"GET /v1/models": 1, "POST /v1/chat/completions": 1}


def test_the_findings_are_lines_with_the_way_out(shell: Shell) -> None:
    result = shell("doctor", "--base-url", "http://127.0.0.1:1/v1")
    assert result.code == 3
    lines = result.out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("wrong    connection"))
    assert "→ Check the base URL, the network and the firewall" in lines[at + 1]


def test_a_sandbox_of_its_own_needs_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    result = shell("doctor", "--sandbox", "--json")
    assert (result.code, levels(result)["models"]) == (0, "ok")


@pytest.mark.parametrize("refused", ["wrong key", "no key"])
def test_a_key_that_is_not_accepted(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    shell.reset(api_key=KEY)
    if refused == "no key":
        monkeypatch.delenv("OPENAI_API_KEY")
    else:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-other-0123456789")
    result = doctor(shell)
    shell.reset(api_key=None)
    assert result.code == 3
    assert levels(result)["models"] == "wrong"
    assert levels(result)["model"] == levels(result)["call"] == "skipped"
    assert "sk-other-" not in result.out


def test_no_key_where_one_is_needed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is asked over the network when only the key is looked at first."""
    monkeypatch.delenv("OPENAI_API_KEY")
    result = shell("doctor", "--base-url", shell.url, "--api-version", "2024-10-21", "--json")
    assert (result.code, levels(result)["key"]) == (1, "wrong")
    assert "AZURE_OPENAI_API_KEY" in found(result)["key"]["said"]


def test_a_model_that_is_not_there(shell: Shell) -> None:
    result = doctor(shell, "--model", "gpt-99")
    assert (result.code, levels(result)["model"]) == (3, "wrong")
    assert "gpt-99" in found(result)["model"]["said"]
    snapshot = doctor(shell, "--model", "gpt-6-luna-2026-01-01")
    assert levels(snapshot)["model"] == "ok"


def test_azure_is_asked_by_a_call(shell: Shell) -> None:
    root = shell.url.removesuffix("/v1")
    azure = ("doctor", "--json", "--base-url", root, "--api-version", "2024-10-21", "--call")
    result = shell(*azure, "--model", "gpt-6-luna")
    assert (result.code, levels(result)["call"]) == (0, "ok")
    result = shell(*azure, "--model", "my-gpt")
    assert (result.code, levels(result)["call"]) == (3, "wrong")
    assert "deployment" in found(result)["call"]["said"]


def test_limits_are_told_when_headers_do(shell: Shell) -> None:
    shell.reset(rpm=600, tpm=9000)
    result = doctor(shell, "--model", "gpt-6-luna", "--call")
    shell.reset(rpm=None, tpm=None)
    assert found(result)["limits"]["said"].startswith("600 requests/min, 599 left; 9000 tokens")


def run(shell: Shell, *options: str) -> Path:
    shell.write("say.toml", TASK)
    shell.run("--task", "say.toml", "--input", "r.jsonl", *options)
    return shell.the_run()


def test_the_run_s_model_and_its_ledger_are_looked_at(shell: Shell) -> None:
    shell.write("r.jsonl", '{"id": 1, "word": "x"}\n')
    folder = run(shell)
    result = doctor(shell)
    assert (result.code, found(result)["model"]["said"]) == (0, "gpt-6-luna is there")
    assert found(result)["run"]["said"] == "1 items: 1 succeeded, 0 failed, 0 pending"
    ledger = folder / "ledger.sqlite"
    damaged = bytearray(ledger.read_bytes())
    damaged[4096 * 3 : 4096 * 12] = bytes(4096 * 9)
    ledger.write_bytes(damaged)
    assert (doctor(shell).code, levels(doctor(shell))["ledger"]) == (1, "wrong")


def test_a_run_that_was_stopped_is_told_with_its_remedy(shell: Shell) -> None:
    shell.write("r.jsonl", '{"id": 1, "word": "x"}\n')
    shell.fault("insufficient_quota")
    run(shell)
    finding = found(doctor(shell))["run"]
    assert finding["level"] == "note"
    assert "Add credit" in finding["way_out"]


def test_a_folder_without_a_run_is_refused(shell: Shell) -> None:
    result = doctor(shell, "elsewhere")
    assert (result.code, "elsewhere holds no run" in result.err) == (1, True)


# --- the bundle --------------------------------------------------------------------------------

ROWS = [
    {"id": "Kim Minjun <kim@private.example>", "word": "PLANTED-CONTENT-one."},
    {"id": "b", "word": "PLANTED-CONTENT-two, a longer text that somebody wrote."},
    {"id": "c", "word": "PLANTED-CONTENT-three."},
]
SECRETS = {
    "OPENAI_API_KEY": KEY,
    "DATABASE_URL": "postgresql://ann:db-p%40ssw0rd@127.0.0.1:1/x",
    "HTTPS_PROXY": "http://me:proxy-passw0rd@127.0.0.1:1",
    "MY_TOKEN": "token-0123456789",
    "TEAM": "header-0123456789",
}
HIDDEN = (
    *(KEY, "db-p", "ssw0rd", "proxy-passw0rd", "token-0123456789", "header-0123456789", "typed-"),
    *("PLANTED", "somebody wrote", "private.example", "Minjun", "positive or negative"),
)


@pytest.mark.fault(95)
@pytest.mark.parametrize("content", [[], ["--log-content", "--keep-bodies", "all"]])
def test_a_bundle_holds_what_support_needs_and_no_secret_and_no_row(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, content: list[str]
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL")
    shell.write(".env", f"DATABASE_URL={SECRETS['DATABASE_URL']}\n")
    shell.write("r.jsonl", b"\n".join(map(orjson.dumps, ROWS)))
    shell.fault("bad_request:match=two")
    folder = run(shell, "--header", "X-Team=env:TEAM", *content)
    _echo(folder, shell.folder / "logs")
    result = shell(
        *("doctor", "--base-url", shell.url, "--header", "X-Team=env:TEAM"),
        *("--proxy", "http://me:typed-passw0rd@127.0.0.1:1", "--bundle", "support.zip"),
    )
    # Nothing listens where the database is said to be.
    assert (result.code, "support.zip" in result.out) == (3, True)
    path = shell.folder / "support.zip"
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert parts.keys() == {
        *("contents.txt", "versions.json", "settings.json", "doctor.json", "ledger.json"),
        *("conversion_stats.json", "run.log", "detail.log"),
    }
    for name, text in parts.items():
        for part in text.splitlines() if name.endswith(".log") else [text]:
            assert name == "contents.txt" or json.loads(part)
    for text in [*parts.values(), path.read_bytes().decode("latin-1")]:
        assert [word for word in HIDDEN if word in text] == []
    assert '"bad_request"' in parts["run.log"]
    assert "Quoted: …" in parts["run.log"]
    assert json.loads(parts["conversion_stats.json"])["total"] == 3
    assert json.loads(parts["ledger.json"])["meta"]["task"] == "say"
    assert len(parts["detail.log"].splitlines()) > 3


def _echo(folder: Path, logs: Path) -> None:
    """Let messages quote the row that they are about, as a careless server makes them."""
    long = ROWS[1]["word"]
    (log,) = logs.glob("batch_conversion_*.log")
    for path in (log, logs / "batch_conversion.log"):
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for line in lines:
            if line["event"] == "failed" and line["id"] == "b":
                line["message"] = f"Quoted: {long[:40]}"
            if line["event"] == "run_ended":
                line["error"] = f"id {ROWS[0]['id']!r} is there twice; key {KEY}"
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    with sqlite3.connect(folder / "ledger.sqlite") as connection:
        connection.execute("UPDATE outcomes SET message = ? WHERE seq = 2", (long[:40],))
        connection.execute(
            "UPDATE sessions SET stop_code = 'bad_request', stop_message = ?", (long[:40],)
        )


def test_a_bundle_of_a_run_that_was_refused_tells_why_without_its_rows(shell: Shell) -> None:
    shell.write("say.toml", TASK)
    shell.write("r.jsonl", '{"id": "PLANTED-ID", "word": "x"}\n' * 2)
    refused = shell.run("--task", "say.toml", "--input", "r.jsonl")
    assert "PLANTED" in refused.err
    assert doctor(shell, "--bundle", "s.zip").code == 0
    with zipfile.ZipFile(shell.folder / "s.zip") as packed:
        assert b"run_refused" in packed.read("run.log")
        assert not any(b"PLANTED" in packed.read(name) for name in packed.namelist())


def test_a_bundle_is_made_without_a_run_and_never_over_a_file(shell: Shell) -> None:
    result = doctor(shell, "--bundle")
    (packed,) = shell.folder.glob("processor-support-*.zip")
    assert json.loads(result.out)["bundle"] == packed.name
    again = doctor(shell, "--bundle", packed.name)
    assert (again.code, "is there already" in again.err) == (1, True)


def test_a_damaged_ledger_is_packed_as_what_is_said_of_it(shell: Shell) -> None:
    shell.write("r.jsonl", '{"id": 1, "word": "x"}\n')
    (run(shell) / "ledger.sqlite").write_bytes(b"no ledger at all" * 100)
    assert doctor(shell, "--bundle", "s.zip").code == 1
    with zipfile.ZipFile(shell.folder / "s.zip") as packed:
        assert "error" in json.loads(packed.read("ledger.json"))
