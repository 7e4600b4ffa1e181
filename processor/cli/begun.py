"""Commands on a run that was begun: its folder names it, and everything else is known from there.

Loads the engine: commands import it when they are used.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processor.batch.until import Until
from processor.cli.conducting import conduct
from processor.cli.outputs import outputs_of
from processor.console import streams
from processor.exports.output import Output
from processor.notifying import post
from processor.opened import Opened, opened
from processor.sending.terms import BatchTerms
from processor.tasks.prompt import PromptTask

_OF_A_SOURCE = {"dry_run": False, "no_write_back": False, "table": None}


def go_on(
    run: Path | None,
    options: Mapping[str, Any],
    until: Until,
    *,
    heeds_cancel: bool = False,
) -> int:
    """Go on with a run by batch; nothing new is read. Returns the exit code.

    Args:
        run: Its folder; None for the newest.
        options: Of the command, those of outputs among them.
        until: How long it stays.
        heeds_cancel: What somebody has cancelled is not sent again.

    Raises:
        ProcessorError: As `opened`; or the task is not there, or has changed.
    """
    with opened(run, options) as it:
        post.check(it.settings.addressees)
        outputs = _outputs(it, options, it.task())
        terms = BatchTerms(
            until=until, new_account=options["new_account"], heeds_cancel=heeds_cancel
        )
        code = conduct(
            lambda observers: it.start(terms, observers, outputs),
            folder=it.folder,
            settings=it.settings,
            quiet=options["quiet"],
        )
    if it.begun.databases and not any(output.live for output in outputs):
        streams.tell(
            "Note: the results are not in the database of the run yet: the command that it was "
            "begun with brings them, and so does processor export."
        )
    return code


def _outputs(it: Opened, options: Mapping[str, Any], task: PromptTask) -> list[Output]:
    """Those that were named; else the files of the last start. A database's name is a secret."""
    recipe = it.begun.recipe
    places = options["outputs"] or (recipe.files if recipe is not None else ())
    known = {"excel": it.settings.excel, "bom": it.settings.bom, **_OF_A_SOURCE}
    return outputs_of({**options, "outputs": places, **known}, task=task, named_input=None)
