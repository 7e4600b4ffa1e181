"""`processor doctor`."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from processor.cli.provider import provider_options

if TYPE_CHECKING:  # importing them takes longer than --help may
    from processor.doctor.finding import Finding
    from processor.layers import Layer
    from processor.settings import Settings

_EPILOG = """\b
Examples:
  processor doctor                                  what a run would meet here
  processor doctor --model gpt-6-luna --call        ask it, too: a few tokens
  processor doctor runs/mathml-questions-1a2b3c     look at that run's ledger
  processor doctor --base-url http://localhost:8000/v1 --json
  processor doctor --bundle support.zip             pack what support needs, secrets removed

\b
Exit codes: 0 all fine · 1 something is wrong here · 3 the provider or the network is at fault.
"""
_BUNDLE_HERE = "."  # --bundle without a name
_NAME, _LEVEL = 11, 8


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@provider_options
@click.option("--model", help="To look for; that of the run by default.")
@click.option("--call", is_flag=True, help="Ask the model for 16 tokens at most, which costs.")
@click.option("--concurrency", type=int, help="Calls in flight that a run shall have.")
@click.option("--logs", type=click.Path(path_type=Path), help="Folder of the logs.")
@click.option("--sandbox", is_flag=True, help="Look at a local server made for this.")
@click.option(
    "--bundle",
    is_flag=False,
    flag_value=_BUNDLE_HERE,
    type=click.Path(path_type=Path),
    metavar="[FILE.zip]",
    help="Pack what support needs into a file.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(folder: Path | None, **options: Any) -> int:
    """Check what a run needs, one thing after the other, and say the way out.

    RUN is a run folder; the newest in runs/ when it is not given.
    """
    from processor.configuration import gathered  # noqa: PLC0415 - see processor.cli.main
    from processor.errors import UsageError  # noqa: PLC0415
    from processor.sandbox_process import sandbox  # noqa: PLC0415
    from processor.settings import Settings  # noqa: PLC0415

    if options["sandbox"] and options["base_url"]:
        raise UsageError("--sandbox and --base-url exclude each other")
    known = {name: options[name] for name in Settings.model_fields if name in options}
    found = gathered(known, profile=options["profile"], sandbox=options["sandbox"])
    with sandbox() if options["sandbox"] else nullcontext(None) as url:
        return _examine(folder, options, found, url)


def _examine(
    folder: Path | None, options: dict[str, Any], found: "Layer", sandbox_url: str | None
) -> int:
    from processor import configuration, folders  # noqa: PLC0415
    from processor.clock import SystemClock  # noqa: PLC0415
    from processor.console import streams  # noqa: PLC0415
    from processor.doctor import checks, database, finding, network  # noqa: PLC0415
    from processor.environment import environment  # noqa: PLC0415
    from processor.loop import run_in_loop  # noqa: PLC0415

    located = configuration.decided(found, sandbox_url=sandbox_url, demands_key=False)
    settings = configuration.validated(located)
    run = folders.chosen(folder) if folder or folders.has_any() else None
    results: list[Finding] = []

    plan = network.Plan(
        access=settings.access,
        trust_env=not settings.local,
        model=settings.model or _model_of(run),
        call=options["call"],
        timeout_s=settings.timeout_s,
    )

    async def look() -> None:
        async for each in checks.examine(
            settings,
            located,
            plan,
            folder=run,
            place=folders.RUNS,
            key_needed=configuration.needs_key(settings, located),
            database_uri=environment().get(database.VARIABLE),
            clock=SystemClock(),
        ):
            results.append(each)
            if not options["as_json"]:
                _show(each)

    run_in_loop(look())
    code = finding.exit_code(results)
    packed = None
    if options["bundle"] is not None:
        packed = _pack(options["bundle"], run, settings, located, results)
    if options["as_json"]:
        told = [finding.as_json(each) for each in results]
        streams.say_json({"exit_code": code, "findings": told, "bundle": packed and str(packed)})
    elif packed is not None:
        streams.say(f"{'packed':<{_LEVEL}} {packed}; look into it before you send it")
    return code


def _model_of(run: Path | None) -> str | None:
    """The model of a run, if its ledger tells one."""
    from processor.errors import LedgerError  # noqa: PLC0415
    from processor.watch import snapshot  # noqa: PLC0415

    try:
        return (snapshot.take(run).model or None) if run is not None else None
    except LedgerError:  # what is wrong with it is found later
        return None


def _show(finding: "Finding") -> None:
    from processor.console import streams  # noqa: PLC0415

    streams.say(f"{finding.level:<{_LEVEL}} {finding.name:<{_NAME}} {finding.said}")
    if finding.way_out:
        streams.say(f"{'':<{_LEVEL}} {'':<{_NAME}} → {finding.way_out}")


def _pack(
    path: Path, run: Path | None, settings: "Settings", found: "Layer", results: "list[Finding]"
) -> Path:
    from processor import inventory  # noqa: PLC0415
    from processor.doctor import bundle, redaction  # noqa: PLC0415
    from processor.environment import environment  # noqa: PLC0415

    if path == Path(_BUNDLE_HERE):
        path = Path(f"processor-support-{datetime.now().astimezone():%Y%m%d-%H%M%S}.zip")
    known = {*settings.access.secrets, *settings.addressees}
    known |= {value for _, value in settings.access.headers}
    if settings.api_key is not None:
        known.add(settings.api_key.get_secret_value())
    bundle.write(
        path,
        folder=run,
        logs=settings.logs,
        settings=inventory.entries(settings, found),
        findings=results,
        secrets=known | redaction.secrets_in(environment()),
    )
    return path
