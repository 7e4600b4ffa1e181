"""One list of batches for all who ask for it at a time."""

import asyncio
from collections.abc import Sequence
from math import inf

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteBatch
from processor.clock import Clock


class SharedList:
    """Asks for the list, once for all who wait.

    Args:
        remote: The provider.
        clock: Time.
    """

    def __init__(self, remote: Remote, clock: Clock) -> None:
        self._remote = remote
        self._clock = clock
        self._asking = asyncio.Lock()
        self._found: Sequence[RemoteBatch] = ()
        self._begun_s = -inf
        self._since_s = inf

    async def batches(self, since_s: float) -> Sequence[RemoteBatch]:
        """The account's batches as they are now or a little later.

        Args:
            since_s: Seconds since 1970; older ones may be left out.

        Raises:
            RemoteError: It cannot be told.
        """
        asked_s = self._clock.monotonic()
        async with self._asking:
            if self._begun_s < asked_s or self._since_s > since_s:
                begun_s = self._clock.monotonic()
                self._found = await self._remote.batches(since_s, None)
                self._begun_s, self._since_s = begun_s, since_s
        return self._found
