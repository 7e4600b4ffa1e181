"""What it takes to go on with a run that only its folder names."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.errors import UsageError
from processor.layers import Found, Layer
from processor.ledger import database
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import Ledger
from processor.settings import SECRETS, Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.toml import load_task, made_task, shipped_tasks

_KEY = "recipe"
_PLACE = "the run's last start"
_TAKEN = Settings.model_fields.keys() - SECRETS - {"provider"}  # which follows from the address


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a start of a run was made.

    Attributes:
        task: Name of a shipped task, the absolute path of a file, or the name in `keys`.
        keys: Those of a task file, of a task that a program made; None for all others.
        sandbox_args: Options of the sandbox that served it.
        files: Absolute paths of files that results went to besides the folder.
        command: That goes on with the run, to be typed; "" when a program began it.
    """

    task: str
    keys: Mapping[str, Any] | None = None
    sandbox_args: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    command: str = ""

    @classmethod
    def of(
        cls,
        task: str,
        sandbox_args: Iterable[str] = (),
        files: Iterable[str] = (),
        command: str = "",
    ) -> "Recipe":
        """The recipe of a start that names its task and its files as a person does."""
        return cls(
            task=task if task in shipped_tasks() else str(Path(task).absolute()),
            sandbox_args=tuple(sandbox_args),
            files=tuple(str(Path(file).absolute()) for file in files),
            command=command,
        )

    @classmethod
    def made(cls, keys: Mapping[str, Any]) -> "Recipe":
        """The recipe of a start whose task a program made of the keys of a task file."""
        return cls(task=keys["name"], keys=keys)

    def keep(self, ledger: Ledger) -> None:
        """Put it into the run's ledger."""
        # Not by `jsontext`: the name of a folder may be no text, and is escaped here.
        command = {"command": self.command, "place": json.dumps(str(Path().absolute()))}
        ledger.set_meta(**{_KEY: json.dumps(asdict(self)), **command})


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that was begun.

    Attributes:
        folder: Its folder.
        recipe: Of its last start; None when a program brought a kind of task of its own, or it
            was begun before recipes were kept.
        settings: What was in force then, without secrets.
        by_sandbox: Whether a sandbox of its own served it.
        databases: How many results go to.
    """

    folder: Path
    recipe: Recipe | None
    settings: Layer
    by_sandbox: bool
    databases: int

    def task(self, *, model: str | None, max_output_tokens: int | None) -> PromptTask:
        """The task of the run, loaded again.

        Raises:
            UsageError: Nobody told where it is.
            TaskError: It is not there any more, or wrong.
        """
        if self.recipe is None:
            raise UsageError(
                f"{self.folder} does not tell where its task is: a program made it",
                way_out="Go on with that program, or with processor run --out.",
            )
        if self.recipe.keys is not None:
            return made_task(self.recipe.keys, model=model, max_output_tokens=max_output_tokens)
        return load_task(self.recipe.task, model=model, max_output_tokens=max_output_tokens)


def begun(folder: Path) -> Begun:
    """How the last start of a run was made.

    Raises:
        LedgerError: The ledger cannot be read.
        UsageError: The run was never started.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        row = connection.execute(
            "SELECT settings FROM sessions ORDER BY number DESC LIMIT 1"
        ).fetchone()
        (databases,) = connection.execute("SELECT COUNT(*) FROM deliveries").fetchone()
    if row is None:
        raise UsageError(
            f"{folder}: its run was killed before it began",
            way_out="Give its command again, then this one.",
        )
    return Begun(
        folder=folder,
        recipe=_recipe(meta),
        settings=_layer(jsontext.loads(row[0])),
        by_sandbox=meta.get("provider") == "sandbox",
        databases=databases,
    )


def _recipe(meta: Mapping[str, str]) -> Recipe | None:
    kept = json.loads(meta[_KEY]) if meta.get(_KEY) else None
    if kept is None:
        return None
    return Recipe(
        task=kept["task"],
        keys=kept.get("keys"),
        sandbox_args=tuple(kept["sandbox_args"]),
        files=tuple(kept.get("files", ())),
        command=kept.get("command", ""),
    )


def _layer(settings: Mapping[str, object]) -> Layer:
    return {
        name: Found(value, _PLACE)
        for name, value in settings.items()
        if value is not None and name in _TAKEN
    }
