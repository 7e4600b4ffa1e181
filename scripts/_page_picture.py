"""The pictures of `processor monitor --web`: the page in light, and an item's story in dark."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from _browser import chromium
from _pictured import finished, run_in

from processor.ledger.database import LEDGER_NAME
from processor.watch.items import Status, Wanted, find

__all__ = ["draw_page"]

_WIDTH, _HEIGHT = 1240, 1100
_AT_ITEMS = 900
_READY = "() => Number(document.documentElement.dataset.updates) > 2"


def draw_page(place: Path, pictures: Path) -> None:
    """`page-light.png`, `page-dark.png`: the page, while both lanes work.

    Args:
        place: An empty working directory.
        pictures: Where the pictures go.
    """
    with run_in(place) as (child, folder):
        finished(child, folder, _AT_ITEMS)
        with _page_of(folder) as url:
            _draw(url, "light", pictures / "page-light.png")
            _draw(
                f"{url}#/run/{folder.name}/item/{_doubtful(folder)}",
                "dark",
                pictures / "page-dark.png",
            )


@contextmanager
def _page_of(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "processor", "monitor", "--web", "--port", "0", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _doubtful(folder: Path) -> int:
    """The place of an item with a result that is to be looked over."""
    found = find(folder / LEDGER_NAME, Wanted(status=Status.REVIEW), most=1)
    return found.items[0].seq if found.items else 1


def _draw(url: str, scheme: Literal["light", "dark"], path: Path) -> None:
    with chromium() as browser:
        size = {"width": _WIDTH, "height": _HEIGHT}
        page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(url)
        page.wait_for_selector("#items tbody tr")
        page.wait_for_function(_READY)
        page.screenshot(path=path)
    print(path)
