"""A real Chromium, and pages in it of which nothing may complain and nothing may leave.

The browser is the system's: chromium, chromium-browser or google-chrome on the PATH (Debian:
apt-get install chromium). It lives as long as the tests of one module, because playwright's loop
stands in the way of others' `asyncio.run`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.eyes import Eyes
from processor.sandbox_process import sandbox

expect.set_options(timeout=15_000)  # a machine may be busy; what is promised sooner says so itself

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing of its own goes out, and a container needs no sandbox within the sandbox.
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is marked `browser`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.fail(f"none of {', '.join(_NAMES)} is on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture
def eyes(browser: Browser) -> Iterator[Eyes]:
    """Pages as people see them; in the end nothing complained, and nothing left this machine."""
    with Eyes.open(browser) as eyes:
        yield eyes
        eyes.assert_quiet()


@pytest.fixture(scope="session")
def slow_sandbox_url() -> Iterator[str]:
    """A provider that takes its time, so that there is something to watch."""
    with sandbox(["--latency-ms", "300", "--latency-sigma", "0.2"]) as url:
        yield url
