"""A run that was begun, opened again by its folder, with the settings that are in force for it now.

Loads the engine: commands import it when they are used.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor import folders, recipe
from processor.clock import SystemClock
from processor.configuration import gathered, in_force
from processor.exports.output import Output
from processor.jobs import looking
from processor.layers import ADDRESS
from processor.ledger.ledger import Ledger
from processor.observer import Observer
from processor.recipe import Begun
from processor.run import Run
from processor.sandbox_process import sandbox_of
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.tasks.prompt import PromptTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A run that was begun, and the settings that are in force for it now."""

    begun: Begun
    settings: Settings

    @property
    def folder(self) -> Path:
        """The run's."""
        return self.begun.folder

    def task(self) -> PromptTask:
        """The task of the run, as the settings have it; errors as those of `Begun.task`."""
        return self.begun.task(
            model=self.settings.model, max_output_tokens=self.settings.max_output_tokens
        )

    def start(
        self, batch: BatchTerms, observers: Sequence[Observer], outputs: Sequence[Output] = ()
    ) -> Run:
        """A start that goes on by batch; nothing new is read.

        Args:
            batch: What it wants of the lane.
            observers: Who watches.
            outputs: Where results go besides the folder.

        Raises:
            UsageError: Nobody told where the task is.
            TaskError: It is not there any more, or wrong.
        """
        return Run(
            folder=self.folder,
            task=self.task(),
            source=None,
            settings=self.settings.by_batch(),
            observers=observers,
            outputs=outputs,
            batch=batch,
            recipe=self.begun.recipe,
        )

    async def look(self, ledger: Ledger) -> list[str]:
        """Ask how the open batches are, and keep that in the ledger.

        Returns:
            Ids of those that the provider does not know any more.

        Raises:
            StoppedError: The provider cannot be asked, or does not answer this key.
        """
        async with remote_of(self.settings) as remote:
            grace_s = self.settings.grace_s
            return await looking.look(ledger, remote, SystemClock(), grace_s=grace_s)


@contextmanager
def opened(run: Path | None, options: Mapping[str, Any]) -> Iterator[Opened]:
    """A run, with the sandbox that serves it if one did.

    Args:
        run: Its folder; None for the newest.
        options: Those that are settings go before what the run began with; `profile` names one.

    Raises:
        UsageError: There is no such run, or a setting cannot be.
        LedgerError: Its ledger cannot be read.
    """
    begun = recipe.begun(folders.chosen(run))
    known = {name: options[name] for name in Settings.model_fields if name in options}
    by_sandbox = begun.by_sandbox and known.get(ADDRESS) is None
    found = gathered(
        known, profile=options.get("profile"), sandbox=by_sandbox, before=begun.settings
    )
    if not by_sandbox:
        yield Opened(begun=begun, settings=in_force(found, sandbox_url=None))
        return
    args = begun.recipe.sandbox_args if begun.recipe is not None else ()
    with sandbox_of(begun.folder, args, keeps=True) as url:
        yield Opened(begun=begun, settings=in_force(found, sandbox_url=url))
