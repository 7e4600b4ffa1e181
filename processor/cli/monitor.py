"""`processor monitor`."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

import click

_EPILOG = """\b
Examples:
  processor monitor                     the newest run in runs/, until it is over
  processor monitor runs/news runs/mathml-questions-1a2b3c
  processor monitor 'runs/*'            all of them, a row each; enter opens one
  processor monitor --wait              started before the run
  processor monitor --once > picture.txt
  processor monitor --json --every 10 | jq -c '[.stats.succeeded, .stats.failed]'
  processor monitor --web --open        as a page in the browser

\b
Keys: p pause · r go on · d drain · + - calls in flight · f failed items again · ? help · q quit.
The run goes on when the monitor ends. Without a terminal, or where TERM is dumb, it tells lines;
without colours where NO_COLOR is set.

\b
Exit codes: that of the run when it is over, 130 for one that was killed; of several the highest;
0 when one quits, and with --once. 1 where there is no run, 5 where its ledger cannot be read,
or lines cannot be written.
"""
_MOST_EVERY_S = 86_400
_NOT_OF_A_PAGE = {
    "every_s": "--every",
    "once": "--once",
    "wait": "--wait",
    "stay": "--stay",
    "as_json": "--json",
    "svg": "--svg",
}


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.1, _MOST_EVERY_S),
    metavar="S",
    help="Seconds between looks.  [default: 1; 5 for lines]",
)
@click.option("--once", is_flag=True, help="One picture of all there is, then leave.")
@click.option("--wait", is_flag=True, help="Wait until a run works there.")
@click.option("--stay", is_flag=True, help="Go on when the run is over.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each look.")
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="One picture, as an image.",
)
@click.option("--web", is_flag=True, help="As a page, for browsers on this machine.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Of the page; 0 for any free one.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page.")
@click.option("--or-in", "homes", multiple=True, hidden=True, type=click.Path(path_type=Path))
def command(names: tuple[Path, ...], **options: Any) -> int:
    """Watch a run while it works, or several, and steer them by keys.

    FOLDER is a run's, a folder of runs, or a quoted pattern; the newest run in runs/ when there is
    none.
    """
    _check(options)
    from processor.cli import monitoring  # noqa: PLC0415 - see processor.cli.main

    if options["web"]:
        from processor.web import serve  # noqa: PLC0415

        shown = monitoring.page_folders(names, homes=options["homes"])
        return serve.serve(shown, port=options["port"], open_browser=options["open_browser"])
    folders = monitoring.watched_folders(names, homes=options["homes"], waits=options["wait"])
    if options["svg"] is not None:
        monitoring.draw(folders, options["svg"])
        return 0
    if options["once"]:
        monitoring.show_once(folders, as_json=options["as_json"])
        return 0
    return monitoring.watch(
        folders,
        every_s=options["every_s"],
        stays=options["stay"],
        as_json=options["as_json"],
    )


def _check(options: Mapping[str, Any]) -> None:
    """Refuse what would be left out in silence.

    Raises:
        UsageError: Options do not go together, or one is no number.
    """
    if not options["web"] and (options["open_browser"] or options["port"] is not None):
        raise click.UsageError("--port and --open are for the page: add --web.")
    left_out = [option for name, option in _NOT_OF_A_PAGE.items() if options[name]]
    if options["web"] and left_out:
        raise click.UsageError(f"{left_out[0]} is not for the page: leave it or --web out.")
    if options["svg"] is not None and options["as_json"]:
        raise click.UsageError("--svg and --json are two answers: leave one out.")
    if options["every_s"] is not None and isnan(options["every_s"]):  # it lies within all bounds
        raise click.UsageError("--every nan is no number.")
