"""Trials as if they had been measured."""

from pathlib import Path

from processor.compare.arm import Arm, Trial
from processor.compare.measured import Figures, Measured, Status

ONE, TEN_AT_ONCE, FIVE_AT_ONCE = Arm("one-by-one"), Arm("direct", 10), Arm("direct", 5)
JOBS_OF_10, JOBS_OF_50 = Arm("batch", 10), Arm("batch", 50)


def took(
    arm: Arm,
    items: int,
    wall_s: float,
    *,
    calls: int = 0,
    cost_usd: float | None = 0.001,
    number: int = 1,
    model: str = "gpt-6-luna",
    status: Status = Status.DONE,
) -> Measured:
    """A trial, and what it took."""
    trial = Trial(arm=arm, model=model, items=items, round=number)
    figures = Figures(
        succeeded=items,
        failed=0,
        pending=0,
        wall_s=wall_s,
        is_bound=False,
        calls=calls or items,
        retries=0,
        prompt_tokens=100 * items,
        completion_tokens=10 * items,
        cost_usd=cost_usd,
        cpu_s=0.1,
        peak_mb=70.0,
        p50_ms=None if arm.by_batch else 3_000.0,
        p95_ms=None if arm.by_batch else 5_000.0,
    )
    return Measured(
        trial=trial, folder=Path(trial.folder), status=status, exit_code=0, figures=figures
    )


def users_figures() -> list[Measured]:
    """Three seconds a call, one by one and ten at once; eight a batch job of up to fifty."""
    return [
        *(took(ONE, n, 3.0 * n) for n in (10, 50)),
        *(took(TEN_AT_ONCE, n, 0.3 * n) for n in (10, 50)),
        *(took(JOBS_OF_50, n, 8.0, calls=6, cost_usd=0.0005) for n in (10, 50)),
    ]
