"""How a run ended, and the exit code that tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.codes import BUDGET_CODE, DEADLINE_CODE
from processor.delivery import Handover
from processor.errors import ProcessorError
from processor.ledger.intake import Intake
from processor.ledger.ledger import Counts
from processor.plan.lack import Lack
from processor.stop import Stop
from processor.watch.snapshot import Snapshot

EXIT_OK = 0
EXIT_ITEMS_FAILED = 2
EXIT_STOPPED = 3
EXIT_BUDGET = 4
EXIT_LEDGER = 5
EXIT_AT_PROVIDER = 6
EXIT_INTERRUPTED = 130
EXIT_BUG = 1
_BOUNDS = (BUDGET_CODE, DEADLINE_CODE)
FINISHED = (EXIT_OK, EXIT_ITEMS_FAILED, EXIT_LEDGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended.

    Attributes:
        snapshot: Its figures.
        exit_code: As in the documentation: 0, 2, 3, 4, 5, 6 or 130.
        intake: What was imported; None when the source was known already.
        stop: Why it stopped early, if it did.
        shortfall: What budget or deadline lack, when that stopped it.
        files: What was written, the statistics first.
        differences: What does not agree between ledger, files and figures; empty when all does.
        handovers: What became of each output.
    """

    snapshot: Snapshot
    exit_code: int
    intake: Intake | None
    stop: Stop | None
    shortfall: Lack | None
    files: Sequence[Path]
    differences: Sequence[str]
    handovers: Sequence[Handover]


def exit_code_for(
    counts: Counts,
    *,
    stop: Stop | None,
    interrupted: bool,
    at_provider: bool,
    differs: bool,
    min_success: float,
) -> int:
    """What a run ends with that no error ended.

    Args:
        counts: Its items.
        stop: Why it stopped early, if it did.
        interrupted: Whether it was told to end.
        at_provider: Whether batches are not settled yet.
        differs: Whether ledger, files and figures disagree, or an output lacks results.
        min_success: Share of successes among finished items that is good enough.
    """
    if stop is not None:
        return EXIT_BUDGET if stop.code in _BOUNDS else EXIT_STOPPED
    if interrupted and counts.pending:
        return EXIT_INTERRUPTED
    if differs:
        return EXIT_LEDGER
    if at_provider:
        return EXIT_AT_PROVIDER
    finished = counts.succeeded + counts.failed
    share = counts.succeeded / finished if finished else 1.0
    return EXIT_OK if share >= min_success else EXIT_ITEMS_FAILED


def exit_code_of(error: BaseException) -> int:
    """What a session is said to have ended with when an error ended it."""
    if isinstance(error, ProcessorError):
        return error.exit_code
    return EXIT_BUG if isinstance(error, Exception) else EXIT_INTERRUPTED
