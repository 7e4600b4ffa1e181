"""What makes two comparisons the same one: then the same command goes on with it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from processor.errors import UsageError
from processor.exports.atomic import replacing
from processor.folders import RUNS, rename_aside
from processor.ledger import lock

FORMAT = 1
DOCUMENT_NAME = "comparison.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What the local server plays.

    Attributes:
        call_s: Mean time of a call.
        job_s: Time of a batch job, whatever its size.
        scale: So many of these seconds pass in one of the machine's.
        options: Further ones of the server.
    """

    call_s: float
    job_s: float
    scale: float
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all trials of a comparison share.

    Attributes:
        wording: Digest of what the task asks, whichever model it is asked of.
        input: Name of the rows, for people.
        provider: Who is asked, and where; the address of a sandbox changes.
        sizes: How many of them are sent, ascending.
        rows: Digest of the rows themselves.
        settings: Those that change what is measured.
        simulation: None against a real provider.
    """

    task: str
    wording: str
    input: str
    provider: str
    sizes: tuple[int, ...]
    rows: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    simulation: Simulation | None = None

    @property
    def scale(self) -> float:
        """Seconds of the provider in one of the machine's."""
        return self.simulation.scale if self.simulation is not None else 1.0

    @property
    def default_folder(self) -> Path:
        """`runs/compare-<task>-<short hash>`."""
        digest = hashlib.sha256(orjson.dumps(self.as_json(), option=orjson.OPT_SORT_KEYS))
        return RUNS / f"compare-{Path(self.task).stem}-{digest.hexdigest()[:6]}"

    def as_json(self) -> dict[str, Any]:
        """As they are kept."""
        kept: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))
        return kept


def wording_of(identity: Mapping[str, str]) -> str:
    """The digest of a task's identity without its model."""
    asked = {name: part for name, part in identity.items() if name != "model"}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def check_same(folder: Path, terms: Terms) -> None:
    """See that a folder's comparison is this one, or that there is none yet.

    Raises:
        UsageError: It is another; names the first difference.
    """
    path = folder / DOCUMENT_NAME
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is no folder", way_out="Name another with --out.")
    if not path.exists():
        if folder.exists() and any(path.name != lock.LOCK_NAME for path in folder.iterdir()):
            raise UsageError(f"{folder} holds no comparison", way_out="Name another with --out.")
        return
    try:
        before = orjson.loads(path.read_bytes())["terms"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", way_out="--new measures afresh beside it."
        ) from error
    for name, value in terms.as_json().items():
        if before.get(name) != value:
            raise UsageError(
                f"{folder} compares with another {name} ({before.get(name)}, now {value})",
                way_out="--new measures afresh; --out names another folder.",
            )


def set_aside(folder: Path) -> None:
    """Rename a comparison's folder, so that one of its name can begin afresh.

    Raises:
        UsageError: It holds none, or a process works on it.
    """
    if not folder.exists():
        return
    if not (folder / DOCUMENT_NAME).exists():
        raise UsageError(f"{folder} holds no comparison", way_out="Name a folder of one.")
    if lock.is_held(folder):
        raise UsageError(f"{folder} is in use", way_out="Wait until it ends, or stop it.")
    rename_aside(folder.resolve())


def write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write what a comparison has found; returns the file.

    Raises:
        LedgerError: The disk refuses.
    """
    path = folder / DOCUMENT_NAME
    with replacing(path) as file:
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        file.write(orjson.dumps(document, option=options).decode())
    return path
