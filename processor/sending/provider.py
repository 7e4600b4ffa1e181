"""The way to the provider's Files and Batches."""

from processor.batch.remote import Remote
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
