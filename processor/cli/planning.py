"""What `processor plan` does. Loads the engine: the command imports it when it is used."""

from typing import Any

from processor.cli import rehearsing
from processor.cli.planning_lines import document, lines, remedy
from processor.cli.provider import settle
from processor.cli.sandbox_options import check_options
from processor.cli.sources import named_input, source_of
from processor.configuration import unasked
from processor.console import streams
from processor.errors import UsageError
from processor.folders import default_folder
from processor.identity import Consent
from processor.loop import run_in_loop
from processor.planning import Plan, Planning
from processor.rehearsal import Rehearsal
from processor.signals import guarded
from processor.tasks.toml import load_task


def plan(options: dict[str, Any], *, as_json: bool) -> int:
    """Plan as the options say; returns the exit code.

    Raises:
        ProcessorError: What a run would be refused for; a deadline that cannot be made.
    """
    check_options(options)
    found = settle(options)
    task = load_task(
        options["task"], model=options["model"], max_output_tokens=options["max_output_tokens"]
    )
    if task.advice:
        streams.tell(f"Note: {task.advice}")
    source = source_of(
        named_input(options), options, query=task.query, needed=task.required_fields()
    )
    settings = unasked(found, sandbox=options["sandbox"])
    folder = options["out"] or default_folder(task.name, source)
    rehearsal = Rehearsal(
        folder=folder,
        task=task,
        source=source,
        settings=settings,
        consent=Consent(task=options["accept_change"], rows=options["update"]),
        outputs=(),
        afresh=options["new"],
        tell=rehearsing.tell,
    )
    planning = Planning(rehearsal, folder=folder, task=task, settings=settings)
    planned: Plan = run_in_loop(guarded(planning))
    if as_json:
        streams.say_json(document(planned, settings))
    else:
        for line in lines(planned, settings):
            streams.say(line)
    if planned.is_late:
        raise UsageError(f"--deadline {settings.deadline} cannot be made", way_out=remedy(planned))
    return 0
