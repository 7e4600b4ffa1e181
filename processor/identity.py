"""What a run is: its task, its provider, and whether it still is the same as when it began."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from processor import jsontext
from processor.errors import UsageError
from processor.ledger import database, shards, vectors
from processor.ledger.ledger import Ledger
from processor.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What may be another than it was when the run began.

    Attributes:
        task: Go on although the task changed.
        rows: Ask again for rows that changed since they were answered.
    """

    task: bool = False
    rows: bool = False


NO_CONSENT = Consent()


def keep(ledger: Ledger, task: Task, *, provider: str, accept_change: bool) -> None:
    """Note what the run is, or see that it still is the same.

    Raises:
        UsageError: The task is another, and that is not accepted.
    """
    meta = ledger.meta()
    if "identity" in meta:
        changed = _differences(jsontext.loads(meta["identity"]), task.identity)
        if changed and not accept_change:
            raise UsageError(
                f"{ledger.folder}: {', '.join(changed)} changed since this run began",
                way_out="--new starts afresh, --accept-change goes on with the change.",
            )
        if changed:  # their requests are of the task before
            with ledger.guard(), database.transaction(ledger.connection):
                shards.let_go_unsent(ledger.connection, "the task changed", time.time())
    with ledger.guard():
        length = vectors.length(ledger.connection)
    if length is not None:
        task.expect_vectors(length)
    ledger.set_meta(
        run_id=meta.get("run_id") or uuid4().hex[:12],
        task=task.name,
        kind=task.kind,
        model=task.model,
        provider=provider,
        identity=jsontext.dumps(dict(task.identity)),
        id_field=task.id_field,
        labels=jsontext.dumps(dict(task.label_names)),
        samples=jsontext.dumps(list(task.samples)),
        result_columns=jsontext.dumps(dict(task.result_columns)),
    )


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
