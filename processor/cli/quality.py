"""`processor quality`."""

from pathlib import Path
from typing import Any

import click

_EPILOG = """\b
Examples:
  processor quality                                    the newest run in runs/
  processor quality runs/persona --group 페르소나 --within 질문
  processor quality runs/persona --group 기질           does the temperament show?
  processor quality runs/news --gold label --json | jq .gold.accuracy
  processor quality runs/news-a --against runs/news-b  two runs or models, item by item
  processor quality runs/news --same-by text --output quality.json

\b
Consistency needs inputs that were asked more than once: processor run --repeat N, or --same-by.
Groups are told apart question by question; where the input has a column 페르소나 or persona, and
질문 or question, these are taken. With another --group, such as a temperament that several
personas share, a persona is recognised by the others of its group only.

\b
Similarity is the cosine of TF-IDF vectors over three characters in a row: 1 for equal texts, 0 for
texts without any in common. Words are what stands between white space; a character of Korean is a
syllable. Intervals cover 95 %: Wilson's of shares, the bootstrap of means and Fleiss' kappa, the
asymptotic one of Cohen's. Beyond counts, a sample is looked at; the same seed draws the same.

\b
Exit codes: 0 measured · 1 bad usage · 5 the disk or the ledger failed.
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), metavar="RUN", help="Another run.")
@click.option("--gold", metavar="COLUMN", help="Of the input: the right labels.")
@click.option("--group", metavar="COLUMN", help="Whose answers are told apart.")
@click.option("--within", metavar="COLUMN", help="What was asked.")
@click.option("--speaker", metavar="COLUMN", help="Who answers, if a group is made of several.")
@click.option("--same-by", multiple=True, metavar="COLUMN", help="What makes inputs the same.")
@click.option(
    "--sample",
    "most",
    type=click.IntRange(min=10, max=10_000),
    default=2_000,
    show_default=True,
    help="Answers drawn for similarity, diversity and consistency.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is drawn.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
@click.option("--output", type=click.Path(path_type=Path), help="JSON into a file.")
def command(folder: Path | None, *, as_json: bool, output: Path | None, **options: Any) -> None:
    """How good the answers of a run are, also while it works.

    RUN is its folder; the newest in runs/ when it is not given.
    """
    from processor import folders  # noqa: PLC0415 - see processor.cli.main
    from processor.cli import quality_lines  # noqa: PLC0415
    from processor.console import streams  # noqa: PLC0415
    from processor.quality import assessment, document  # noqa: PLC0415
    from processor.quality.terms import Terms  # noqa: PLC0415

    folder, against = folders.chosen(folder), options.pop("against")
    if output is not None:
        document.expect_place(output, folder)
    found = assessment.assess(
        folder,
        Terms(**options),
        beside=None if against is None else folders.chosen(against),
    )
    if output is not None:
        document.write(found, output)
    if as_json:
        streams.say_json(document.of(found))
    else:
        for line in quality_lines.lines(found):
            streams.say(line)
