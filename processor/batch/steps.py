"""The protocol of a shard, step by step: what a process may be killed behind.

Nothing at the provider is idempotent, so each call that changes something there stands between an
intent and what came of it, both durable. Whoever finds an intent alone asks the provider first.
"""

from enum import StrEnum


class Step(StrEnum):
    """What has just been done, in the order of a shard's life."""

    FILE_WRITTEN = "file_written"  # on the disk; the ledger does not know of it yet
    SHARD_KEPT = "shard_kept"
    UPLOAD_INTENDED = "upload_intended"
    FILE_SENT = "file_sent"  # the provider has it; the ledger does not know
    FILE_KEPT = "file_kept"
    CREATE_INTENDED = "create_intended"
    BATCH_CREATED = "batch_created"  # the provider has it; the ledger does not know
    BATCH_KEPT = "batch_kept"
    END_KEPT = "end_kept"
    RESULTS_FETCHED = "results_fetched"  # on the disk; the ledger does not know
    FETCH_KEPT = "fetch_kept"
    PART_SETTLED = "part_settled"  # some answers are in the ledger
    SHARD_SETTLED = "shard_settled"
    FILES_REMOVED = "files_removed"
