"""`processor monitor --web` as a process: its first line, its port, its end."""

import asyncio
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp
import pytest
from web_bench import small_run

from processor.web.serve import running


@contextmanager
def monitor(place: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The command in a folder; killed at the end, if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "processor", "monitor", "--web", *options],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_address_and_ends_cleanly_while_somebody_looks(
    tmp_path: Path, number: signal.Signals
) -> None:
    small_run(tmp_path / "runs" / "one")
    with monitor(tmp_path, "--port", "0") as process:
        url = address(process)
        assert url.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError):  # as any page can make a browser do
            urllib.request.urlopen(f"{url}{'x' * 100_000}")
        with urllib.request.urlopen(f"{url}api/runs/one/events") as stream:
            assert stream.readline() == b"retry: 2000\n"
            process.send_signal(number)
            assert process.wait(timeout=10) == 0
        assert process.communicate() == ("", "")


def test_a_port_that_is_in_use_is_told(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        with monitor(tmp_path, "--port", port) as process:
            said, told = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "")
    assert told.startswith(f"Error: port {port} cannot be used: ")
    assert "--port 0 takes any free one." in told


def test_the_usual_port_is_passed_over_when_another_page_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with running((), port=None) as first, running((), port=None) as second:
            assert first != second
            async with aiohttp.ClientSession() as http:
                for url in (first, second):
                    async with http.get(f"{url}api/runs") as answer:
                        assert await answer.json() == []

    asyncio.run(main())


def test_without_a_display_no_browser_takes_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    with monitor(tmp_path, "--port", "0", "--open") as process:
        assert address(process).startswith("http://")
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=10)
    assert told == "There is no display here: open the address in a browser of your own.\n"


def test_a_browser_of_the_users_own_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", f'{sys.executable} -c \'open("seen", "w").write("%s")\'')
    with monitor(tmp_path, "--port", "0", "--open") as process:
        url = address(process)
        seen = tmp_path / "seen"
        while not (seen.exists() and seen.read_text()):
            assert process.poll() is None
        assert seen.read_text() == url
