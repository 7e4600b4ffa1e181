"""The way to the provider's Files and Batches."""

import asyncio
import time

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteError, Trouble
from processor.direct.transport import CONNECT_S
from processor.settings import Settings

_ASKED_S = 10.0


def remote_of(settings: Settings) -> Remote:
    """Files and batches of the account that the settings name."""
    return Remote(
        settings.access,
        timeout_s=settings.timeout_s,
        connect_s=min(CONNECT_S, settings.timeout_s / 2),
        trust_env=not settings.local,
    )


async def has_batches(settings: Settings) -> bool:
    """Whether the provider has a Batch API, and files for it.

    One that cannot be asked now, or answers in a way of its own, is believed to have them.
    """
    async with remote_of(settings) as remote:
        now_s = time.time()
        try:
            async with asyncio.timeout(
                min(settings.timeout_s, _ASKED_S)
            ):  # rows wait meanwhile, and so does Ctrl-C
                await remote.batches(now_s, most=1)
                await remote.files_named("", 0, now_s)
        except TimeoutError:
            return True
        except RemoteError as error:
            return error.trouble is not Trouble.GONE or error.status is None
        return True
