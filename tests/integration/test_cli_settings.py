"""Profiles and the environment, as commands take them."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from command_line import SAY, Result, Shell

from processor import Processor
from processor.errors import UsageError

RUN = ("run", "--quiet", "--task", "say.toml", "--input", "r.csv")
KEY = "sk-profile-0123456789"


def prepare(shell: Shell, toml: str = "", mode: int = 0o644) -> None:
    shell.write("say.toml", SAY)
    shell.write("r.csv", "word\nhello\n")
    shell.write("processor.toml", toml)
    (shell.folder / "processor.toml").chmod(mode)


def refusal(result: Result) -> str:
    (line,) = result.err.splitlines()
    assert (result.code, line.startswith("Error: ")) == (1, True)
    assert KEY not in line
    return line


def session(shell: Shell) -> Any:
    """The settings that the ledger kept of the only run."""
    with sqlite3.connect(shell.the_run() / "ledger.sqlite") as connection:
        ((settings,),) = connection.execute("SELECT settings FROM sessions").fetchall()
    return json.loads(settings)


def test_a_profile_says_what_options_leave_open(shell: Shell) -> None:
    toml = f"""
    [default]
    retries = 2
    concurrency = 7
    [profiles.local]
    base_url = "{shell.url}"
    concurrency = 3
    chunk_size = 20
    """
    prepare(shell, toml)
    result = shell(*RUN, "--profile", "local", "--chunk-size", "30")
    assert (result.code, result.err) == (0, "")
    wanted = {"retries": 2, "concurrency": 3, "chunk_size": 30, "base_url": shell.url}
    assert wanted.items() <= session(shell).items()


def test_a_profile_is_chosen_by_a_variable_and_lies_in_the_users_own_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(shell)
    own = shell.folder / "config" / "processor"
    own.mkdir(parents=True)
    (own / "config.toml").write_text(f'[profiles.local]\nbase_url = "{shell.url}"\nretries = 1')
    monkeypatch.setenv("PROCESSOR_PROFILE", "local")
    assert shell(*RUN).code == 0
    assert session(shell)["retries"] == 1


def test_a_model_of_a_profile_takes_the_place_of_the_task_s(shell: Shell) -> None:
    prepare(shell, f'[default]\nbase_url = "{shell.url}"\nmodel = "gpt-4o-mini"')
    assert shell(*RUN).code == 0
    assert shell.figures()["model"] == "gpt-4o-mini"


@pytest.mark.parametrize("how", ["by variable", "by a private file"])
def test_a_key_of_a_profile_is_the_one_that_is_sent(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    line = 'api_key_env = "MINE"' if how == "by variable" else f'api_key = "{KEY}"'
    prepare(shell, f'[default]\nbase_url = "{shell.url}"\n{line}', 0o600)
    monkeypatch.setenv("MINE", KEY)
    shell.reset(api_key=KEY)
    result = shell(*RUN)
    shell.reset(api_key=None)
    assert (result.code, result.err) == (0, "")
    left = [path for path in shell.folder.rglob("*") if path.is_file()]
    told = [path for path in left if KEY.encode() in path.read_bytes()]
    assert told == ([] if how == "by variable" else [shell.folder / "processor.toml"])


def test_the_environment_s_address_goes_before_a_profile_s_and_it_is_told(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the profile's key does not go there."""
    prepare(shell, '[profiles.far]\nbase_url = "http://far.invalid/v1"\napi_key_env = "NONE"')
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    result = shell(*RUN, "--profile", "far")
    assert result.code == 0
    assert "Warning: OPENAI_BASE_URL is set and goes before processor.toml" in result.err


def test_the_sandbox_needs_nothing_of_a_profile_s_account(shell: Shell) -> None:
    toml = '[default]\nbase_url = "https://far.invalid/v1"\napi_key_env = "NONE"\nretries = 1'
    prepare(shell, toml)
    assert shell(*RUN, "--sandbox").code == 0
    assert session(shell)["retries"] == 1


@pytest.mark.fault(94)
@pytest.mark.parametrize(
    ("toml", "options", "said"),
    [
        ("[default]\nconcurency = 3", [], "default.concurency: there is no such setting (did"),
        ("[default]\ntimeout = 3", [], "did you mean timeout_s?"),
        ("[profiles.a]\nx = 1", ["--profile", "a"], "processor.toml: profiles.a.x"),
        ("[defaults]\nrpm = 3", [], "there are only [default] and [profiles.NAME]"),
        ("default = 3", [], "default must be a table"),
        ("[profiles]\na = 3", [], "profiles must be a table"),
        ("profiles = 3", [], "profiles must be a table"),
        ("[default]\nrpm = 0", [], "processor.toml: default.rpm: input should be greater"),
        ("[default]\nrpm = 'x'", [], "processor.toml: default.rpm"),
        ("[default]\nbase_url = 'x'", [], "processor.toml: default.base_url: an address such as"),
        ("[default", [], "processor.toml: "),
        ("[profiles.work]\n", ["--profile", "wrok"], "'wrok' (did you mean work?). There is: work"),
        ("", ["--profile", "x"], "there is no profile 'x'. Write [profiles.NAME]"),
        (f"[default]\napi_key = '{KEY}'", [], "others can read it. chmod 600 processor.toml"),
        (f"[default]\nheaders = {{ A = '{KEY}' }}", [], "a secret (default.headers)"),
        (f"[default]\nheaders = ['A={KEY}']", [], "a secret (default.headers)"),
        ("[default]\napi_key_env = 'NONE'", [], "default.api_key_env: 'NONE' is not set"),
        ("[default]\napi_key_env = 'A'\napi_key = 'env:B'", [], "has both"),
    ],
)
def test_what_a_profile_cannot_say_is_refused(
    shell: Shell, toml: str, options: list[str], said: str
) -> None:
    prepare(shell, toml)
    assert said in refusal(shell(*RUN, *options))


@pytest.mark.parametrize("content", [b"\xb0\xa1", b"[default]\n\xff=1"])
def test_a_file_that_is_no_text_is_named(shell: Shell, content: bytes) -> None:
    prepare(shell)
    shell.write("processor.toml", content)
    assert "processor.toml is not UTF-8" in refusal(shell(*RUN))


def test_a_file_that_cannot_be_read_is_named(shell: Shell) -> None:
    prepare(shell)
    path = shell.folder / "processor.toml"
    path.unlink()
    path.symlink_to("/proc/self/mem")
    assert "processor.toml cannot be read" in refusal(shell(*RUN))


@pytest.mark.fault(95)
def test_a_header_is_in_nothing_that_a_run_leaves_or_says(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(shell)
    typed = [*RUN, "--base-url", shell.url, "--header", f"X-Key={KEY}", f"--header=X-Two={KEY}"]
    monkeypatch.setattr("sys.argv", ["processor", *typed])
    shell.fault("insufficient_quota")
    result = shell(*typed)
    assert result.code == 3
    assert "--header 'X-Key=…'" in result.out
    assert KEY not in result.out + result.err
    left = [path for path in shell.folder.rglob("*") if path.is_file()]
    assert not [path for path in left if KEY.encode() in path.read_bytes()]


def test_a_folder_of_that_name_is_no_file(shell: Shell) -> None:
    prepare(shell)
    (shell.folder / "processor.toml").unlink()
    Path(shell.folder / "processor.toml").mkdir()
    assert shell(*RUN, "--base-url", shell.url).code == 0


def test_programs_take_profiles_as_commands_do(shell: Shell) -> None:
    toml = f'[profiles.local]\nbase_url = "{shell.url}"\nmodel = "gpt-4o-mini"\nretries = 1'
    prepare(shell, toml)
    engine = Processor(profile="local", retries=2, headers={"X-Team": "blue"})
    report = engine.run_sync("say.toml", [{"word": "one"}], progress=False)
    assert (report.succeeded, report.figures.model) == (1, "gpt-4o-mini")
    assert session(shell)["retries"] == 2
    assert session(shell)["headers"] == ["X-Team"]
    with pytest.raises(UsageError, match="no profile 'far'"):
        Processor(profile="far").run_sync("say.toml", [{"word": "one"}])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://ann:geheim@db/school?sslmode=require", "ann:…@db/school?sslmode=require"),
        ("postgresql://ann:ge/he@im@db/school", "postgresql://ann:…@db/school"),
        ("postgres:ann:geheim@db", "…"),
    ],
)
def test_the_database_is_shown_without_its_password(shell: Shell, given: str, shown: str) -> None:
    shell.write(".env", f"DATABASE_URL={given}\n")
    said = shell("settings", "--json")
    (entry,) = [one for one in json.loads(said.out)["settings"] if one["name"] == "database"]
    assert entry["value"].endswith(shown)
    assert entry["origin"] == ".env: DATABASE_URL"
    assert "geheim" not in said.out
    assert "im@" not in said.out


PROXY = "http://ann:pr0xy-Passw0rd@proxy.example.org:3128"


def test_a_proxy_is_shown_without_its_password(shell: Shell) -> None:
    shown = shell("settings", "--proxy", PROXY)
    assert "http://ann:…@proxy.example.org:3128" in shown.out
    assert "pr0xy" not in shown.out + shown.err
    told = json.loads(shell("settings", "--proxy", PROXY, "--json").out)
    (value,) = [each["value"] for each in told["settings"] if each["name"] == "proxy"]
    assert value == "http://ann:…@proxy.example.org:3128"


def test_a_proxy_with_a_password_makes_a_profile_a_secret(shell: Shell) -> None:
    prepare(shell, f'[default]\nproxy = "{PROXY}"\n')
    line = refusal(shell(*RUN))
    assert "a secret (default.proxy)" in line
    assert "pr0xy" not in line
    prepare(shell, f'[default]\nproxy = "{PROXY}"\n', mode=0o600)
    assert shell(*RUN, "--base-url", shell.url).code == 0
    assert session(shell)["proxy"] == "http://ann:…@proxy.example.org:3128"
    prepare(shell, '[default]\nproxy = "http://proxy.example.org:3128"\n')
    assert shell(*RUN, "--base-url", shell.url).code == 0


def test_a_malformed_proxy_is_refused_without_its_password(shell: Shell) -> None:
    prepare(shell)
    line = refusal(shell(*RUN, "--proxy", "http://ann:pr0xy#word@proxy.example.org:3128"))
    assert "--proxy: http://HOST:PORT" in line
    assert "pr0xy" not in line
