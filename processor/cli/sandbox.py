"""`processor sandbox`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

EPILOG = """\b
Examples:
  processor sandbox
  processor sandbox --port 8080 --rpm 600 --tpm 200000
  processor sandbox --api-key sk-test
  processor sandbox --latency-ms 800 --latency-sigma 1 --bad-answers 0.05
  processor sandbox --fault 'server_error:rate=0.01,times=2' --fault 'rate_limit:after=100,count=5,retry-after=2'
  processor sandbox --state sandbox-files --in-progress-s 30 --enqueued-tokens 900000
  processor sandbox --fault 'lost_answer:on=create,count=1' --fault 'lines_missing:lines=3'
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 processor run --task mathml --input questions.csv

\b
Steered and looked into below /sandbox, as JSON:
  GET  /sandbox/stats?items=1     what was asked, answered and paid for
  GET  /sandbox/limits            what the limits let through, second by second
  GET  /sandbox/batches           every batch, with what was charged for it
  GET  /sandbox/charges           lines charged, and what was charged in two batches
  GET  /sandbox/events?after=0    what happened to files and batches, in order
  GET  /sandbox/faults            what goes wrong
  POST /sandbox/faults            {"clear": true, "set": ["batch_expires:share=0.1"]}
  POST /sandbox/config            {"in_progress_s": 60, "rpm": 600}
  POST /sandbox/clock             {"advance_s": 3600}, with --manual-clock
  POST /sandbox/stats/reset       counts begin anew
  POST /sandbox/forget            no file and no batch was ever there

\b
A fault hits calls of the model, unless its kind or `on` says otherwise:
  line                            a line of a batch
  upload file files content delete
  create batch batches cancel     calls of the Files API and the Batch API
  life                            a batch as a whole, from its creation on
"""  # noqa: E501 - a command line is one line


_FOLDER = click.Path(path_type=Path, file_okay=False)
_BATCH_OPTIONS = (
    click.option("--state", type=_FOLDER, help="Keep files and batches there; a restart goes on."),
    click.option("--validating-s", type=float, default=0.3, help="A batch's first seconds."),
    click.option("--in-progress-s", type=float, default=0.5, help="For all lines of a batch."),
    click.option("--finalizing-s", type=float, default=0.2, help="Until its files are there."),
    click.option("--cancelling-s", type=float, default=0.3, help="The same of a cancelled one."),
    click.option("--window-s", type=float, default=86400.0, help="Until a batch expires."),
    click.option("--batch-lines", type=int, default=50_000, help="The most of a batch."),
    click.option("--batch-inputs", type=int, default=50_000, help="The most texts to embed."),
    click.option("--batch-file-bytes", type=int, default=200_000_000, help="The most of an input."),
    click.option("--uploads-per-minute", type=int, default=1_000, help="More are refused."),
    click.option("--creations-per-hour", type=int, default=2_000, help="Of batches; the same."),
    click.option("--enqueued-tokens", type=int, metavar="N", help="Of live batches, each model."),
    click.option(
        "--enqueued-form",
        type=click.Choice(["failed", "400", "429"]),
        default="failed",
        help="Too many: the batch fails, or is refused.",
    ),
    click.option(
        "--strict-after/--lax-after",
        default=True,
        help="Refuse a list behind an unknown id, or begin at its beginning.",
    ),
)


def _batches(command: Command) -> Command:
    """Add the options of the Files and Batch APIs."""
    for option in reversed(_BATCH_OPTIONS):
        command = option(command)
    return command


@click.command(name="sandbox", epilog=EPILOG, context_settings={"show_default": True})
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes any free one.")
@click.option("--seed", type=int, default=0, help="Of everything that is drawn.")
@click.option("--api-key", metavar="KEY", help="Demand this key; otherwise any will do, and none.")
@click.option("--organization", metavar="ORG", help="Refuse a header that names another.")
@click.option("--project", metavar="PROJ", help="Refuse a header that names another.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Know this model, too.")
@click.option("--context-tokens", type=int, metavar="N", help="Context length of every model.")
@click.option("--latency-ms", type=float, default=40.0, help="Median; 0 answers at once.")
@click.option("--latency-sigma", type=float, default=0.4, help="Spread (lognormal); 1 is heavy.")
@click.option(
    "--flex-factor", type=float, default=1.0, metavar="N", help="Times as long at the flex tier."
)
@click.option("--rpm", type=int, metavar="N", help="Requests a minute, each model.")
@click.option("--tpm", type=int, metavar="N", help="Tokens a minute, each model.")
@click.option("--rpd", type=int, metavar="N", help="Requests a day, each model.")
@click.option(
    "--limit-kind",
    type=click.Choice(["bucket", "minute", "second"]),
    default="bucket",
    help="Refilled all the time, by fixed minutes, or no more than a sixtieth in a second.",
)
@click.option("--other-client", type=float, default=0.0, help="Share of the limits it uses up.")
@click.option(
    "--bad-answers", type=float, default=0.0, help="Share of items answered wrongly once."
)
@click.option("--stubborn", type=float, default=0.0, help="Share of items always answered wrongly.")
@_batches
@click.option("--fault", "faults", multiple=True, metavar="KIND[:NAME=VALUE,...]", help="Go wrong.")
@click.option(
    "--list-faults",
    is_flag=True,
    help="Name all kinds of faults, and end.",
)
@click.option(
    "--manual-clock", is_flag=True, help="Time stands still; POST /sandbox/clock moves it."
)
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input does.")
@click.option(
    "--access-log", type=click.Path(path_type=Path, dir_okay=False), help="A line a call."
)
def command(
    port: int,
    models: tuple[str, ...],
    faults: tuple[str, ...],
    *,
    list_faults: bool,
    manual_clock: bool,
    until_stdin_closes: bool,
    access_log: Path | None,
    **options: Any,
) -> None:
    """Run a local server that speaks OpenAI's API: no key, no cost.

    It answers mathml by a real converter, labels and personas by rule, and is as strict as the
    real one: chat, responses, embeddings, files and batches.
    """
    from processor.sandbox.config import ConfigError, SandboxConfig  # noqa: PLC0415 - fast --help
    from processor.sandbox.faults.fault import FaultError, parse_fault  # noqa: PLC0415
    from processor.sandbox.faults.kinds import listed  # noqa: PLC0415
    from processor.sandbox.models import MODELS  # noqa: PLC0415
    from processor.sandbox.server import serve  # noqa: PLC0415

    if list_faults:
        click.echo("\n".join(listed()))
        return
    try:
        config = SandboxConfig(
            models=MODELS + models, faults=tuple(map(parse_fault, faults)), **options
        )
        serve(
            config,
            port=port,
            manual_clock=manual_clock,
            until_stdin_closes=until_stdin_closes,
            access_log=access_log,
        )
    except (ConfigError, FaultError) as error:
        raise click.ClickException(str(error)) from error
