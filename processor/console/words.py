"""Figures as people read them."""

import time
from collections.abc import Mapping

from processor.ledger.shards import Standing
from processor.plan.prices import dollars


def duration(seconds: float | None) -> str:
    """`0.4s`, `12s`, `4m12s`, `3h05m`; a dash when unknown."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def clock(at_s: float) -> str:
    """`18:04:09` here, of seconds since 1970; a dash of what no calendar knows."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(at_s))
    except (OverflowError, OSError):
        return "–"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 item`, `1,234 items`; `many` is for what takes more than an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    """`98.0%`; a dash when unknown. Never rounded up to 100%."""
    if value is None:
        return "–"
    percent = f"{100 * value:.1f}%"
    return "99.9%" if percent == "100.0%" and value < 1 else percent


def money(usd: float | None) -> str:
    """`$0.0162`; says so when unknown."""
    return "cost unknown" if usd is None else dollars(usd)


def rate(per_s: float | None) -> str:
    """`35.2/s`; a dash when unknown."""
    return "–/s" if per_s is None else f"{per_s:,.1f}/s"


def milliseconds(value: float | None) -> str:
    """`41 ms`, `2.3 s`; a dash when unknown."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def at_provider(jobs: Standing, now_s: float) -> str:
    """`1,200 items are at the provider in 3 batches (in_progress 2, validating 1) · …`.

    Args:
        jobs: Of which some are there.
        now_s: Seconds since 1970.
    """
    items = counted(jobs.at_provider, "item is", "items are")
    if not jobs.statuses:
        return f"{items} perhaps at the provider: nobody knows yet whether a batch was made"
    batches = counted(sum(jobs.statuses.values()), "batch", "batches")
    told = f"{items} at the provider in {batches} ({named_counts(jobs.statuses)})"
    if jobs.answered:
        told += f" · {jobs.answered:,} answered there"
    if jobs.oldest_at is not None:
        told += f" · since {duration(max(0.0, now_s - jobs.oldest_at))}"
    return told


def named_counts(counts: Mapping[str, int]) -> str:
    """`in_progress 2, validating 1`."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
