"""The three targets that users measure a run by."""

from dataclasses import dataclass

from processor.watch.snapshot import Snapshot

SUCCESS = 0.95
ERRORS = 0.05
ITEM_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of them, and how a run stands to it.

    Attributes:
        name: What is wanted.
        value: What is: a share of finished items (0-1), or ms.
        unit: `share` or `ms`.
        met: Whether that is good enough.
    """

    name: str
    value: float
    unit: str
    met: bool


def targets(shot: Snapshot) -> list[Target]:
    """Those that can be told; none before the first outcome. Answers of batches take no time."""
    if shot.success_rate is None or shot.error_rate is None:
        return []
    found = [_share("success ≥ 95%", shot.success_rate, met=shot.success_rate >= SUCCESS)]
    mean_ms = shot.latency_ms.mean
    if mean_ms is not None:
        met = mean_ms <= ITEM_MS
        found.append(Target(name="2–5 s an item", value=mean_ms, unit="ms", met=met))
    return [*found, _share("errors ≤ 5%", shot.error_rate, met=shot.error_rate <= ERRORS)]


def _share(name: str, value: float, *, met: bool) -> Target:
    return Target(name=name, value=value, unit="share", met=met)
