"""What all tests share: the benches of other folders, and a shell to type commands in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from processor.sandbox_process import sandbox

sys.path.insert(0, str(Path(__file__).with_name("integration")))
sys.path.insert(0, str(Path(__file__).with_name("unit")))
from command_line import Shell

# How long an example takes tells how busy the machine is; pytest's timeout bounds a test.
hypothesis.settings.register_profile("processor", deadline=None)
hypothesis.settings.load_profile("processor")


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """One sandbox process for all commands of a test worker; instant answers."""
    with sandbox(["--latency-ms", "1"]) as url:
        yield url


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state folder: how long batches of other tests took tells nothing of this one's."""
    path = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for this machine and `api.example.invalid`, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    hosts = "subjectAltName=DNS:api.example.invalid,IP:127.0.0.1"
    names = ["-subj", "/CN=api.example.invalid", "-addext", hosts]
    files = ["-keyout", str(key), "-out", str(path)]
    made = [openssl, "req", "-x509", *curve, *names, *files]
    subprocess.run(made, check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def shell(
    sandbox_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """A folder to type commands in, without a key, in front of a sandbox that forgot all."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith(("OPENAI_", "AZURE_OPENAI_", "PROCESSOR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key")
    shell = Shell(tmp_path, sandbox_url, capsys)
    shell.reset()
    return shell
