"""What the user typed, as the three commands read it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.errors import UsageError
from processor.labelling.task import Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The options of the script.

    Attributes:
        input: Of articles; None where the last submission tells.
        output: For labels.
        batch_id: Of the job; None for the one that was submitted last.
        encoding: Of the input.
        gold: A column with the labels of people.
        force: Pay again; overwrite.
        sandbox: Ask a local server.
        sandbox_args: Its options.
        new_account: Batches of another key are believed to be this one's, too.
        wishes: What is to be asked.
        settings: Of the engine, by their names; None where not given.
    """

    input: str | None = None
    output: Path | None = None
    batch_id: str | None = None
    encoding: str | None = None
    gold: str | None = None
    force: bool = False
    sandbox: bool = False
    sandbox_args: str = ""
    new_account: bool = False
    wishes: Wishes = field(default_factory=Wishes)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def sandbox_words(self) -> Sequence[str]:
        """The options of the sandbox.

        Raises:
            UsageError: A quote is not closed.
        """
        try:
            return shlex.split(self.sandbox_args)
        except ValueError as error:
            raise UsageError(f"--sandbox-args: {str(error).lower()}") from error
