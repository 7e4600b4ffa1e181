"""How long batches were at the provider while nobody looked, as it says itself."""

from pathlib import Path

from processor.batch.remote_values import RemoteError
from processor.ledger import database, shards
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import open_ledger
from processor.sending.provider import remote_of
from processor.settings import Settings

SPAN_KEY = "batches_span_s"


async def note_span(folder: Path, settings: Settings) -> None:
    """Keep in a run's ledger the seconds from its first batch's creation to its last one's end.

    Nothing is kept where the provider does not tell: then only a bound is known. The calls belong
    to the measurement and are not counted among the run's.

    Raises:
        LedgerError: The disk refuses.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        ids = [batch.id for batch in shards.batches(connection)]
    try:
        async with remote_of(settings) as remote:
            found = [await remote.retrieve(batch_id) for batch_id in ids]
    except RemoteError:
        return
    begun = [batch.created_at for batch in found if batch.created_at is not None]
    ended = [batch.ended_at for batch in found if batch.ended_at is not None]
    if found and len(begun) == len(ended) == len(found):
        with open_ledger(folder) as ledger:
            ledger.set_meta(**{SPAN_KEY: f"{max(ended) - min(begun)}"})
