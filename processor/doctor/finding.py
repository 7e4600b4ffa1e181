"""What a check found."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

FINE, WRONG_HERE, WRONG_THERE = 0, 1, 3  # exit codes, as those of a run


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # worth knowing; a run works
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found.

    Attributes:
        name: Of the check.
        said: One line.
        way_out: What to do about it; empty where there is nothing to do.
        remote: The provider or the network is at fault.
    """

    name: str
    level: Level
    said: str
    way_out: str = ""
    remote: bool = False


def ok(name: str, said: str) -> Finding:
    """Nothing is wrong."""
    return Finding(name=name, level=Level.OK, said=said)


def note(name: str, said: str, way_out: str = "") -> Finding:
    """Something is worth knowing."""
    return Finding(name=name, level=Level.NOTE, said=said, way_out=way_out)


def wrong(name: str, said: str, way_out: str, *, remote: bool = False) -> Finding:
    """Something must be mended."""
    return Finding(name=name, level=Level.WRONG, said=said, way_out=way_out, remote=remote)


def skipped(name: str, said: str) -> Finding:
    """It could not be seen, or nobody wanted to."""
    return Finding(name=name, level=Level.SKIPPED, said=said)


def exit_code(findings: Iterable[Finding]) -> int:
    """What the process ends with; what can be mended here comes first."""
    bad = [finding for finding in findings if finding.level is Level.WRONG]
    if not bad:
        return FINE
    return WRONG_THERE if all(finding.remote for finding in bad) else WRONG_HERE


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding as a JSON object."""
    return asdict(finding)
