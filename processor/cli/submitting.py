"""`processor batch submit`. Loads the engine: the command imports it when it is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from processor.batch.until import Until
from processor.cli.begun import go_on
from processor.cli.run import begin
from processor.clock import SystemClock
from processor.console import streams
from processor.console.words import counted
from processor.errors import UsageError
from processor.jobs import deciding
from processor.ledger.ledger import open_ledger
from processor.loop import run_in_loop
from processor.opened import opened
from processor.sending.provider import remote_of
from processor.settings import Settings

# Of the options of `run`: what means something for a run that was begun, and reads no rows.
_GOING_ON = frozenset(
    {
        *(Settings.model_fields.keys() - {"only", "repeat"}),
        *("again", "adopt", "run", "profile", "quiet", "new_account"),
        *("outputs", "output_table", "write_columns", "keep_old", "write"),
    }
)


def submit(
    run: Path | None, options: dict[str, Any], *, again: int | None, adopt: str | None
) -> int:
    """Make batches and leave; returns the exit code.

    Raises:
        ProcessorError: As a run; or the options contradict each other.
    """
    begins = _beginning()
    decides = again is not None or adopt is not None
    if begins and (decides or run is not None):
        raise UsageError(
            f"{begins[0]} is for a run that begins; RUN, --again and --adopt go on with one",
            way_out="Leave one or the other out.",
        )
    if again is not None and adopt is not None:
        raise UsageError("--again and --adopt exclude each other")
    if begins:
        return begin({**options, "route": "batch", "detach": True})
    if decides:
        _decide(run, options, again, adopt)
    return go_on(run, options, Until.SUBMITTED)


def _decide(
    run: Path | None, options: Mapping[str, Any], again: int | None, adopt: str | None
) -> None:
    async def decide() -> None:
        async with remote_of(it.settings) as remote:
            if again is not None:
                rows = await deciding.send_again(ledger, remote, SystemClock(), again)
                streams.say(f"{counted(rows, 'row')} of shard {again} will be sent again")
            elif adopt is not None:
                number = await deciding.adopt(ledger, remote, SystemClock(), adopt)
                streams.say(f"{adopt} is the batch of shard {number}")

    with opened(run, options) as it, open_ledger(it.folder) as ledger:
        run_in_loop(decide())


def _beginning() -> list[str]:
    """The options that were given, and mean a run that begins."""
    context = click.get_current_context()
    return [
        param.opts[0]
        for param in context.command.params
        if param.name not in _GOING_ON
        and context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    ]
