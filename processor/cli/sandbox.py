"""`processor sandbox`."""

from pathlib import Path
from typing import Any

import click

EPILOG = """\b
Examples:
  processor sandbox
  processor sandbox --port 8080 --rpm 600 --tpm 200000
  processor sandbox --api-key sk-test
  processor sandbox --latency-ms 800 --latency-sigma 1 --bad-answers 0.05
  processor sandbox --fault 'server_error:rate=0.01,times=2' --fault 'rate_limit:after=100,count=5,retry-after=2'
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 processor run --task mathml --input questions.csv
"""  # noqa: E501 - a command line is one line


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
@click.option("--fault", "faults", multiple=True, metavar="KIND[:NAME=VALUE,...]", help="Go wrong.")
@click.option("--list-faults", is_flag=True, help="Name every kind of fault, and end.")
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
    real one. `GET /sandbox/stats` tells what it has seen; `POST /sandbox/faults` makes it fail.
    """
    from processor.sandbox.config import ConfigError, SandboxConfig  # noqa: PLC0415 - fast --help
    from processor.sandbox.faults.fault import FaultError, parse_fault  # noqa: PLC0415
    from processor.sandbox.faults.kinds import KINDS  # noqa: PLC0415
    from processor.sandbox.models import MODELS  # noqa: PLC0415
    from processor.sandbox.server import serve  # noqa: PLC0415

    if list_faults:
        click.echo("\n".join(KINDS))
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
