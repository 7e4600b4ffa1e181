"""`processor retry`."""

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  processor retry                            the newest run in runs/
  processor retry runs/news --code timeout --code server_error
  processor retry runs/news --all
Then the same `processor run` command as before sends them.
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--code", "codes", multiple=True, help="Only failures of this code; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Every failure, also those of the item.")
def command(folder: Path | None, *, codes: tuple[str, ...], everything: bool) -> None:
    """Make failed items pending again.

    Without options: those whose request was not at fault, such as time-outs. What was paid for
    them stays counted. FOLDER is the run's folder; the newest in runs/ when it is not given.
    """
    from processor import folders  # noqa: PLC0415 - see processor.cli.main
    from processor.console import streams  # noqa: PLC0415
    from processor.console.words import counted  # noqa: PLC0415
    from processor.errors import UsageError  # noqa: PLC0415
    from processor.exports import stats  # noqa: PLC0415
    from processor.ledger.ledger import open_ledger  # noqa: PLC0415
    from processor.watch import snapshot  # noqa: PLC0415

    if codes and everything:
        raise UsageError("--code and --all exclude each other")
    folder = folders.chosen(folder)
    with open_ledger(folder) as ledger:
        found = snapshot.take(folder).errors
        unknown = [code for code in codes if code not in found]
        if unknown:
            raise UsageError(
                f"{folder}: no item failed with {', '.join(unknown)}",
                way_out=f"There are: {', '.join(found) or 'no failures'}.",
            )
        count = ledger.requeue(list(found) if everything else list(codes) or None)
        streams.say(f"{counted(count, 'item is', 'items are')} pending again in {folder}")
        stats.write(snapshot.take(folder), reconciled=None)
    if not count and found:
        streams.say("What failed is the items' own fault; --all takes them too.")
