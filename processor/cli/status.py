"""`processor status`."""

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  processor status                      the newest run in runs/
  processor status runs/mathml-questions-1a2b3c
  processor status --json | jq .success_rate
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The figures of conversion_stats.json.")
def command(folder: Path | None, *, as_json: bool) -> None:
    """One look at a run, also while it works.

    FOLDER is its folder; the newest in runs/ when it is not given.
    """
    from processor import folders  # noqa: PLC0415 - see processor.cli.main
    from processor.cli import summary  # noqa: PLC0415
    from processor.console import streams  # noqa: PLC0415
    from processor.exports import stats  # noqa: PLC0415
    from processor.ledger import lock  # noqa: PLC0415
    from processor.watch import snapshot, steps  # noqa: PLC0415

    folder = folders.chosen(folder)
    shot = snapshot.take(folder)
    if as_json:
        streams.say_json(stats.as_json(shot))
        return
    for line in summary.lines(shot):
        streams.say(line)
    for line in summary.decisions(shot):
        streams.say(line)
    stopped = summary.stop(shot)
    if stopped is not None:
        streams.say(f"  {'stopped':<9} {stopped}")
    if lock.is_held(folder):
        streams.say(f"  {'state':<9} running")
    else:
        streams.say(f"  {'state':<9} not running{', resumable' if shot.pending else ''}")
        for step in steps.next_steps(shot, command=shot.command or steps.UNKNOWN_COMMAND):
            streams.say(f"  {'next':<9} {step}")
