"""Many batches by one call."""

from collections.abc import Mapping

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteBatch, RemoteError, Trouble

_SKEW_S = 3600.0  # what clocks may differ
_LIST_FROM = 3  # fewer batches are asked for one by one


async def listed(remote: Remote, made_s: Mapping[str, float]) -> dict[str, RemoteBatch] | None:
    """Of some batches, what one list shows; nothing when they are few, None without a list.

    Args:
        remote: The provider.
        made_s: Their ids, to when they were made in seconds since 1970.

    Raises:
        RemoteError: The call failed.
    """
    if len(made_s) < _LIST_FROM:
        return {}
    try:
        found = await remote.batches(min(made_s.values()) - _SKEW_S, None)
    except RemoteError as error:
        if error.trouble is not Trouble.GONE:
            raise
        return None
    return {batch.id: batch for batch in found if batch.id in made_s}
