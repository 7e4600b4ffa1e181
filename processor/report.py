"""How a run ended, and the exit code that tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.direct.breaker import Stop
from processor.ledger.intake import Intake
from processor.watch.snapshot import Snapshot

EXIT_OK = 0
EXIT_ITEMS_FAILED = 2
EXIT_STOPPED = 3
EXIT_LEDGER = 5
EXIT_INTERRUPTED = 130
EXIT_BUG = 1
FINISHED = (EXIT_OK, EXIT_ITEMS_FAILED, EXIT_LEDGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended.

    Attributes:
        snapshot: Its figures.
        exit_code: As in the documentation: 0, 2, 3, 5 or 130.
        intake: What was imported; None when the source was known already.
        stop: Why it stopped early, if it did.
        files: What was written, the statistics first.
        differences: What does not agree between ledger, files and figures; empty when all does.
    """

    snapshot: Snapshot
    exit_code: int
    intake: Intake | None
    stop: Stop | None
    files: Sequence[Path]
    differences: Sequence[str]
