"""A real Chromium, and what a page takes of it in time and memory."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

__all__ = ["Painted", "Taken", "chromium", "look", "painted", "taken", "updates"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing of its own goes out, and a container needs no sandbox within the sandbox.
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)
_SIZE = {"width": 1280, "height": 900}
_LONGEST_MS = 20_000
_PRIVATE_KB = re.compile(r"^Private_Dirty:\s+(\d+) kB", re.MULTILINE)
_COLLECTIONS = 3  # what the first one lets go may hold more
# Runs before anything of the page: notes when its first figures are there.
_WITNESS = """
new MutationObserver((_, observer) => {
  if (!document.documentElement?.dataset.updates) return;
  window.figuresAt = performance.now();
  observer.disconnect();
}).observe(document, { attributes: true, childList: true, subtree: true });
"""
_PAINTED = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return paint && window.figuresAt ? [paint.startTime, window.figuresAt] : null;
}"""
_UPDATES = "() => Number(document.documentElement.dataset.updates ?? 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """Seconds from the navigation to the first content, and to the first figures of the run."""

    content_s: float
    figures_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a page holds after its garbage is gone.

    Attributes:
        heap_mb: Of its scripts.
        process_mb: Memory that only its process has written to: scripts, nodes, styles, drawing.
        nodes: Of all documents, whether they are shown or not.
        listeners: For events.
    """

    heap_mb: float
    process_mb: float
    nodes: int
    listeners: int


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's, without a window.

    Raises:
        SystemExit: There is none.
    """
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise SystemExit(f"none of {', '.join(_NAMES)} is on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


@contextmanager
def look(browser: Browser, url: str) -> Iterator[Page]:
    """A page that was never seen before, with nothing in the browser's cache."""
    context = browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]
    try:
        context.set_default_timeout(_LONGEST_MS)
        context.add_init_script(_WITNESS)
        page = context.new_page()
        page.goto(url)
        yield page
    finally:
        context.close()


def painted(page: Page) -> Painted:
    """When it was there."""
    content_ms, figures_ms = page.wait_for_function(_PAINTED).json_value()
    return Painted(content_s=content_ms / 1e3, figures_s=figures_ms / 1e3)


def updates(page: Page) -> int:
    """How often it has shown new figures."""
    return int(page.evaluate(_UPDATES))


def taken(browser: Browser, page: Page) -> Taken:
    """What it holds at the moment."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(_COLLECTIONS):
        session.send("HeapProfiler.collectGarbage")
    told = session.send("Performance.getMetrics")["metrics"]
    of = {metric["name"]: metric["value"] for metric in told}
    process_mb = max(map(_private_mb, _renderers(browser.new_browser_cdp_session())))
    session.detach()
    return Taken(
        heap_mb=of["JSHeapUsedSize"] / 1e6,
        process_mb=process_mb,
        nodes=int(of["Nodes"]),
        listeners=int(of["JSEventListeners"]),
    )


def _renderers(session: CDPSession) -> list[int]:
    """Processes that hold pages; one waits for the next page, and is smaller."""
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return [process["id"] for process in found if process["type"] == "renderer"]


def _private_mb(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it has ended
        return 0.0
    found = _PRIVATE_KB.search(told)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
