"""The page of a run that works for hours: what it keeps in memory is bounded."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect
from run_bench import folder_before

from browser.eyes import Eyes
from processor.exports.look import as_json
from processor.watch import look

UPDATES = 3600  # one a second
PORTION = 24
_KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Hours:
    """A server that tells of a run that works for hours, in no time; the page is the real one.

    Attributes:
        look: What a real run had to tell.
        told: Events to be sent; None ends them.
        streams: Those that were opened.
    """

    look: dict[str, Any]
    told: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)
    streams: list[str] = field(default_factory=list)

    def tell(self, first: int, count: int) -> None:
        """Send updates, one after another."""
        self.told.put(b"".join(map(self._event, range(first, first + count))))

    def _event(self, number: int) -> bytes:
        """An update: every figure is another one, and there is one more point."""
        figures = {"total": UPDATES, "succeeded": number, "pending": UPDATES - number}
        columns = self.look["point_columns"]
        point = [number * (index + 1) % 977 for index in range(len(columns))]
        point[columns.index("number")] = number
        point[columns.index("at")] = 1_800_000_000 + number
        point[columns.index("span_s")] = 1
        stats = {**self.look["stats"], **figures}
        told = {"stats": stats, "points": [point], "state": "sending", "running": True}
        return b"event: look\ndata: " + orjson.dumps({**self.look, **told}) + b"\n\n"

    def answer(self, path: str, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request of the page."""
        name = path.rpartition("/")[2] or "index.html"
        static = files("processor.web") / "static" / name
        if path.startswith("/api/runs/long/events"):
            self.streams.append(path)
            self._begin(handler, "text/event-stream")
            while (told := self.told.get()) is not None:
                handler.wfile.write(told)
                handler.wfile.flush()
        elif path.startswith("/api/runs/long/items"):
            self._begin(handler, "application/json")
            handler.wfile.write(b'{"items": [], "next": null, "complete": true}')
        elif path == "/api/runs/long":
            self._begin(handler, "application/json")
            handler.wfile.write(orjson.dumps(self.look))
        elif path == "/api/runs":
            self._begin(handler, "application/json")
            handler.wfile.write(b"[]")
        else:
            self._begin(handler, _KINDS.get(name.rpartition(".")[2], "text/html"))
            handler.wfile.write(static.read_bytes())

    def _begin(self, handler: BaseHTTPRequestHandler, kind: str) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", f"{kind}; charset=utf-8")
        handler.end_headers()


@pytest.fixture
def hours(tmp_path: Path, slow_sandbox_url: str) -> Hours:
    """A run of an hour, with figures as a real one has them."""
    with folder_before(slow_sandbox_url, tmp_path, rows=30) as folder:
        folder.admin("faults", {"set": ["content_filter:rate=0.2", "length:rate=0.2"]})
        assert folder.run()[0] == 2
    told = orjson.loads(orjson.dumps(as_json(look.take(tmp_path / "out"))))
    return Hours({**told, "name": "long"})


@pytest.fixture
def url(hours: Hours) -> Iterator[str]:
    """The address of its page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hours.answer(self.path.partition("?")[0], self)

        def log_message(self, *_told: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, name="hours")
        thread.start()
        yield f"http://127.0.0.1:{listener.server_port}/#/run/long"
        for _ in hours.streams:
            hours.told.put(None)
        listener.shutdown()
        thread.join()


def test_an_hour_of_updates_takes_little_memory(eyes: Eyes, hours: Hours, url: str) -> None:
    page = eyes.look(url)
    for first in range(1, UPDATES, PORTION):
        hours.tell(first, PORTION)
        updated(page, first + PORTION - 1)
    expect(page.locator('[data-figure="succeeded"]')).to_have_text(f"{UPDATES:,}")
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap_mb = session.send("Runtime.getHeapUsage")["totalSize"] / 1e6
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    drawn = page.locator("#charts .line").first.get_attribute("d") or ""
    print(f"{heap_mb:.1f} MB, {nodes} nodes, {drawn.count('L')} points drawn")
    assert heap_mb < 60
    assert nodes < 5_000
    assert 100 < drawn.count("L") <= 241


def updated(page: Page, wanted: int) -> None:
    page.wait_for_function(
        "(wanted) => Number(document.documentElement.dataset.updates) >= wanted", arg=wanted
    )


def test_a_stream_that_fell_silent_is_opened_again(eyes: Eyes, hours: Hours, url: str) -> None:
    page = eyes.look(url)
    hours.tell(1, 1)
    updated(page, 1)
    page.clock.install()
    hours.tell(2, 1)
    updated(page, 2)
    with page.expect_request("**/events?after=2"):
        page.clock.fast_forward(60_000)


def test_a_page_that_nobody_sees_keeps_its_title_true_without_a_stream(
    eyes: Eyes, hours: Hours, url: str
) -> None:
    page = eyes.look(url)
    hours.tell(1, 1)
    updated(page, 1)
    page.clock.install()
    set_hidden(page, is_hidden=True)
    with page.expect_response("**/api/runs/long?after=1"):
        page.clock.fast_forward(30_000)
    expect(page).to_have_title("✓ 100 % · long")  # as the run has ended, which no event told
    with page.expect_request("**/events?after=*"):
        set_hidden(page, is_hidden=False)


def set_hidden(page: Page, *, is_hidden: bool) -> None:
    """What a browser does when another tab is chosen; one without a window has no such."""
    page.evaluate(
        """(isHidden) => {
            const tell = (name, value) =>
                Object.defineProperty(document, name, { value, configurable: true });
            tell("hidden", isHidden);
            tell("visibilityState", isHidden ? "hidden" : "visible");
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
