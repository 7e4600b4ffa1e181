"""Going through a list page by page, as far back as somebody needs to know. Pure.

Lists are said to come newest first. Not all do, some say that there is more when there is not, and
some ignore where the next page is to begin. So the walk ends early only when the order was seen,
and when a page brings nothing new the list is told as one that cannot be relied upon.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from processor.batch.reading import Page, id_of, seconds_of

SKEW_S = 3600.0  # by how much the provider's clock may be behind ours
MOST_PAGES = 500


class Paging:
    """A walk through a list.

    Args:
        since_s: Seconds since 1970; what is older need not be found.
        page_size: How many entries a page was asked to have.
        most: How many of the newest entries are enough; None for all.
    """

    def __init__(self, *, since_s: float, page_size: int, most: int | None = None) -> None:
        self._until_s = since_s - SKEW_S
        self._page_size = page_size
        self._most = most
        self._found: dict[str, Mapping[str, Any]] = {}
        self._times: list[float] = []
        self._pages = 0
        self.after: str | None = None
        self.over = False
        self.unusable = False

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """What was found, each once, in the order it came."""
        return list(self._found.values())

    def take(self, page: Page) -> None:
        """Read a page; then `over`, `unusable` or where the next one begins is known."""
        named = {found: each for each in page.entries if (found := id_of(each)) is not None}
        fresh = {found: each for found, each in named.items() if found not in self._found}
        self._found |= fresh
        times = (seconds_of(each) for each in fresh.values())
        self._times += [time for time in times if time is not None]
        self._pages += 1
        self.after = next(reversed(named), None)
        if self._ends(page) or self._is_enough():
            self.over = True
        elif not fresh or self._pages == MOST_PAGES:
            self.unusable = True

    def _ends(self, page: Page) -> bool:
        if page.more is None:
            return len(page.entries) < self._page_size
        return not page.more

    def _is_enough(self) -> bool:
        times = self._times
        if self._most is not None and len(self._found) >= self._most:
            return len(times) < 2 or times[0] >= times[-1]
        if not times or times[-1] >= self._until_s or times[0] == times[-1]:
            return False
        return all(earlier >= later for earlier, later in pairwise(times))
