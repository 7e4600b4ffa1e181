"""`processor report`."""

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  processor report                           the newest run in runs/, into its report.html
  processor report runs/news --open          and show it in the browser
  processor report runs/news --format md     the same facts as Markdown, on the screen
  processor report runs/news --no-content --output /tmp/news.html
      for strangers: without rows, answers, messages and names of files
  processor report runs/news --gold label    how far the labels agree with a column

\b
The file needs nothing else: no network, no script. It is made in seconds, also of a million items:
of more than 50,000 a sample is read for patterns and quality, and the report says so. Its other
figures are those of processor status, at the moment it is made.

\b
Exit codes: 0 written · 1 bad usage · 5 the disk or the ledger failed.
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "md"]),
    default="html",
    show_default=True,
    help="A page, or Markdown.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to.  [FOLDER/report.html; Markdown goes to the screen]",
)
@click.option(
    "--content/--no-content",
    default=True,
    show_default=True,
    help="Show a sample of rows, answers and messages; leave out what stands in them.",
)
@click.option("--gold", metavar="COLUMN", help="Of the input: the right labels.")
@click.option("--open", "opens", is_flag=True, help="Show the page in the browser.")
def command(
    folder: Path | None,
    *,
    form: str,
    output: Path | None,
    content: bool,
    gold: str | None,
    opens: bool,
) -> None:
    """A run in one file, made to be shown to others; also while it works.

    FOLDER is its folder; the newest in runs/ when it is not given. By default it shows a sample of
    rows and answers.
    """
    from processor import folders  # noqa: PLC0415 - see processor.cli.main
    from processor.console import streams  # noqa: PLC0415
    from processor.console.terminal import shown  # noqa: PLC0415
    from processor.reporting import writing  # noqa: PLC0415
    from processor.reporting.gathering import gather  # noqa: PLC0415

    if opens and form != "html":
        raise click.UsageError("--open goes with --format html.")
    folder = folders.chosen(folder)
    if output is None and form == "html":
        output = folder / writing.REPORT_NAME
    if output is not None:
        writing.expect_place(output, form)
    told = writing.text(gather(folder, content=content, gold=gold), form)
    if output is None:
        for line in told.splitlines():
            streams.say(shown(line))
        return
    writing.put(told, output)
    streams.say(str(output))
    if opens:
        click.launch(output.absolute().as_uri())
