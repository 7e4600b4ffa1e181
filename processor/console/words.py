"""Figures as people read them."""

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
