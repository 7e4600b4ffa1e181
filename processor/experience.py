"""What earlier runs tell of the next one: how long answers are, how fast calls are."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from processor.errors import LedgerError, UsageError
from processor.plan.answers import Usual
from processor.plan.offer import Pace
from processor.plan.prices import FLEX
from processor.recipe import begun
from processor.settings import Settings
from processor.sizing import usual_of
from processor.watch import snapshot
from processor.watch.snapshot import LaneTotals, Snapshot

_LATEST_RUNS = 50
_PACE_FROM_ITEMS = 100  # a run of fewer is over before it has a pace
_SAME = ("concurrency", "rpm", "tpm", "wait_s")  # what sets the pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """What earlier runs tell; None of what they do not.

    Attributes:
        usual: Of answers of the same task and model.
        pace: Of calls of the same model under the same limits.
    """

    usual: Usual | None = None
    pace: Pace | None = None


def gather(folders: Iterable[Path], *, task: str, model: str, settings: Settings) -> Experience:
    """Look through runs with the same provider.

    Args:
        folders: Of runs, the latest first; what cannot be read tells nothing.
        task: Name of the one that is to be run.
        model: That it names.
        settings: What would be in force.
    """
    alike = [
        shot
        for shot in map(_seen, islice(folders, _LATEST_RUNS))
        if shot is not None and (shot.provider, shot.model) == (settings.provider, model)
    ]
    return Experience(
        usual=_usual([shot for shot in alike if shot.task == task]),
        pace=_pace([shot for shot in alike if _paced_alike(shot, settings)]),
    )


def _usual(shots: Iterable[Snapshot]) -> Usual | None:
    told = [usual for usual in map(usual_of, shots) if usual is not None]
    answers = sum(usual.answers for usual in told)
    if not answers:
        return None
    return Usual(sum(usual.tokens * usual.answers for usual in told) / answers, answers)


def _pace(shots: Iterable[Snapshot]) -> Pace | None:
    told = [shot for shot in shots if shot.finished >= _PACE_FROM_ITEMS and shot.elapsed_s > 0]
    if not told:
        return None
    items = sum(shot.finished for shot in told)
    return Pace(per_s=items / sum(shot.elapsed_s for shot in told), items=items)


def _paced_alike(shot: Snapshot, settings: Settings) -> bool:
    """Whether all of a run was calls, under the limits of now."""
    if _done(shot.lanes["direct"]) < shot.finished or shot.jobs.at_provider:
        return False
    try:
        before = begun(shot.folder).settings
    except (LedgerError, UsageError):
        return False
    if "route" in before and before["route"].value == FLEX:  # slower than other calls
        return False
    now = settings.model_dump(include=set(_SAME))
    usual = {name: field.default for name, field in Settings.model_fields.items()}
    return all(
        now[name] == (before[name].value if name in before else usual[name]) for name in _SAME
    )


def _done(lane: LaneTotals) -> int:
    return lane.succeeded + lane.failed


def _seen(folder: Path) -> Snapshot | None:
    try:
        return snapshot.take(folder)
    except LedgerError:
        return None
