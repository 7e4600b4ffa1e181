"""The way to the provider's Files and Batches."""

import time

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteError, Trouble
from processor.direct.transport import CONNECT_S
from processor.settings import Settings


def remote_of(settings: Settings) -> Remote:
    """Files and batches of the account that the settings name."""
    return Remote(
        settings.access,
        timeout_s=settings.timeout_s,
        connect_s=min(CONNECT_S, settings.timeout_s / 2),
        trust_env=not settings.local,
    )


async def has_batches(settings: Settings) -> bool:
    """Whether the provider has a Batch API; one that cannot be asked now is believed to have it."""
    async with remote_of(settings) as remote:
        try:
            await remote.batches(time.time(), most=1)
        except RemoteError as error:
            return error.trouble is not Trouble.GONE
        return True
