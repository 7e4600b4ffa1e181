"""Pages in a browser, and what is noticed of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

_OURS = frozenset({"127.0.0.1", "localhost"})
_LONGEST_MS = 15_000


@dataclass(slots=True)
class Eyes:
    """Whoever looks at pages.

    Attributes:
        requests: Addresses that pages asked for.
        complaints: What they wrote into the console, and their uncaught errors.
        forgiven: Beginnings of complaints that a test wants.
    """

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, browser: Browser) -> "Iterator[Eyes]":
        eyes = cls(browser)
        try:
            yield eyes
        finally:
            for context in eyes.contexts:
                context.close()

    def look(self, url: str, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        """A page in a context of its own, at an address.

        Args:
            url: Where.
            width: Of the window, in pixels.
            height: The same.
            options: Of the context: `color_scheme`, `locale`.
        """
        size = {"width": width, "height": height}
        context = self.browser.new_context(viewport=size, **options)  # type: ignore[arg-type]
        self.contexts.append(context)
        context.set_default_timeout(_LONGEST_MS)
        page = context.new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda told: self.complaints.append(f"{told.type}: {told.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(url)
        return page

    def assert_quiet(self) -> None:
        """Nothing complained, and nothing was asked of another machine."""
        wrong = [
            told
            for told in self.complaints
            if not any(told.startswith(forgiven) for forgiven in self.forgiven)
        ]
        assert not wrong
        assert {urlsplit(url).hostname for url in self.requests} <= _OURS


def figure(page: Page, name: str) -> str:
    """The text of a figure of the page."""
    return page.locator(f'[data-figure="{name}"]').inner_text()


def number(page: Page, name: str) -> int:
    """The same of a whole number."""
    return int(figure(page, name).replace(",", ""))
