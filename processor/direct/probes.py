"""What is sent while provider or items are in doubt: the request that tells most about them."""

from processor.direct.backlog import Backlog, Work
from processor.direct.breaker import Next


class Probes:
    """Chooses among the backlog and a witness: an item that has succeeded.

    Args:
        backlog: Where all other work waits.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._witness: Work | None = None

    def succeeded(self, work: Work) -> None:
        """This item may be the next witness."""
        work.done = True
        self._witness = work

    def dismiss(self) -> None:
        """The witness cannot be sent."""
        self._witness = None

    def take(self, wanted: Next, now_s: float, *, fresh: bool) -> Work | None:
        """The work to send now; None when there is none.

        Args:
            wanted: What the breaker would like to see.
            now_s: The time.
            fresh: Whether a fresh item may be pulled.
        """
        if wanted is Next.WITNESS and self._witness is not None:
            return self._witness
        return self._backlog.take_untried(fresh=fresh) or self._backlog.take(now_s, fresh=False)

    def put_back(self, work: Work) -> None:
        """Work that could not be sent now."""
        if not work.done:
            self._backlog.put(work)
