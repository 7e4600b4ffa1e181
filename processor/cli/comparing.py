"""What `processor compare` does. Loads the engine: the command imports it when it is used."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from processor import disk
from processor.cli.comparison_lines import began, ended, lines
from processor.cli.provider import settle
from processor.cli.sandbox_options import check_options, words
from processor.cli.sources import named_input, source_of
from processor.compare import chart, document, rows, terms
from processor.compare.arm import Trial, arms_of, trials
from processor.compare.comparison import Comparison, Plan
from processor.compare.estimate import Estimate
from processor.compare.measured import Measured, Status
from processor.compare.rows import HeldRows
from processor.compare.simulation import sandbox_options
from processor.compare.terms import Simulation, Terms
from processor.configuration import in_force, unasked
from processor.console import streams
from processor.console.words import money
from processor.errors import UsageError
from processor.layers import ADDRESS, Layer
from processor.ledger import lock
from processor.loop import run_in_loop
from processor.report import (
    EXIT_AT_PROVIDER,
    EXIT_BUDGET,
    EXIT_INTERRUPTED,
    EXIT_ITEMS_FAILED,
    EXIT_LEDGER,
    EXIT_OK,
    EXIT_STOPPED,
)
from processor.sandbox_process import sandbox_of
from processor.settings import Settings
from processor.signals import guarded
from processor.tasks.prompt import PromptTask
from processor.tasks.toml import load_task

# What ends a comparison, the worst first.
_WORST = (
    *(EXIT_INTERRUPTED, EXIT_LEDGER, EXIT_STOPPED, EXIT_BUDGET),
    *(EXIT_AT_PROVIDER, EXIT_ITEMS_FAILED),
)
_NEXT = {
    EXIT_STOPPED: "mend what is named above; the same command goes on",
    EXIT_BUDGET: "the same command with a larger --budget goes on",
    EXIT_LEDGER: "free the disk or mend its permissions; the same command goes on",
    EXIT_AT_PROVIDER: "the same command fetches what has ended",
    EXIT_INTERRUPTED: "the same command goes on; what is measured is not measured again",
}
_MEANT = ("max_output_tokens", "rpm", "tpm", "retries", "timeout_s", "price")
_FEWEST_SHARE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the options mean, before anything is begun."""

    options: Mapping[str, Any]
    found: Layer
    simulation: Simulation | None
    task: PromptTask
    source: HeldRows
    trials: Sequence[Trial]
    sizes: tuple[int, ...]


def compare(options: dict[str, Any]) -> int:
    """Compare as the options say; returns the exit code.

    Raises:
        ProcessorError: Bad usage or input; a paid API without a budget; a disk that refuses.
    """
    _check_chart(options["chart"])
    asked = _asked(options)
    kept = rows.text_of(asked.source.content)
    known = _known_settings(asked)
    same = _terms(asked, kept, known)
    folder = options["out"] or same.default_folder
    if options["new"]:
        terms.set_aside(folder)
    terms.check_same(folder, same)
    usd = _estimated_usd(asked, known)
    if known is not None and not known.local:
        _demand_budget(asked, known, usd)
    with disk.guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with lock.hold(folder):
        rows.keep(folder, kept)
        if not (folder / terms.DOCUMENT_NAME).exists():
            terms.write(folder, document.begun(same))
        with _settings(asked, folder, known) as settings:
            plan = Plan(
                folder=folder,
                terms=same,
                settings=settings,
                trials=asked.trials,
                task=options["task"],
                leaves=options["detach"],
            )
            found = _measure(plan, quiet=options["quiet"])
        return _conclude(plan, found, options)


def _asked(options: dict[str, Any]) -> _Asked:
    check_options(options)
    named = _named(options)
    found = settle(options)
    if _simulates(options, found, named):
        options["sandbox"] = True
        found = settle(options)
    models = _names(options["models"], "--models")
    task = load_task(
        options["task"],
        model=models[0] if models else None,
        max_output_tokens=options["max_output_tokens"],
    )
    sizes = _sizes(options["items"])
    options |= {"limit": sizes[-1], "seed": 0}
    source = source_of(named, options, query=task.query, needed=task.required_fields())
    content = rows.first_rows(source, sizes[-1])
    sizes = _possible(sizes, len(content))
    return _Asked(
        options=options,
        found=found,
        simulation=_simulation(options) if options["sandbox"] else None,
        task=task,
        source=HeldRows(content=content, name=source.name, uri=source.uri),
        trials=trials(
            arms_of(_names(options["arms"], "--arms")),
            models or [task.model],
            sizes,
            rounds=options["rounds"],
            sandbox=options["sandbox"],
        ),
        sizes=sizes,
    )


def _names(given: str | None, option: str) -> list[str]:
    """What is named between commas, each once; nothing where the option is not given.

    Raises:
        UsageError: It names nothing.
    """
    names = [name.strip() for name in (given or "").split(",")]
    found = list(dict.fromkeys(filter(None, names)))
    if given is not None and not found:
        raise UsageError(f"{option} {given!r} names nothing", way_out="Name one, or leave it out.")
    return found


def _named(options: Mapping[str, Any]) -> str | None:
    """The input; DATABASE_URL is one only where something of a database is asked for."""
    named = named_input(options)
    asked = ("input_", "query", "query_file", "table")
    return named if any(options[name] is not None for name in asked) else None


def _simulates(options: Mapping[str, Any], found: Layer, named: str | None) -> bool:
    """Whether the sandbox is meant: no provider is named, and nobody pays for our own rows."""
    if options["sandbox"] or options["budget_usd"] is not None:
        return bool(options["sandbox"])
    return ADDRESS not in found and (named is None or "api_key" not in found)


def _simulation(options: Mapping[str, Any]) -> Simulation:
    for name in ("call_s", "job_s", "time_scale"):
        if isnan(options[name]):  # which lies within all bounds
            raise UsageError(f"--{name.replace('_', '-')} nan is no number")
    return Simulation(
        call_s=options["call_s"],
        job_s=options["job_s"],
        scale=options["time_scale"],
        options=tuple(words(options["sandbox_args"])),
    )


def _sizes(given: str) -> tuple[int, ...]:
    try:
        numbers = sorted({int(number) for number in given.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 2:
        raise UsageError(f"--items {given}: numbers from 2 on are needed, such as 10,100")
    return _two(numbers)


def _two(numbers: Sequence[int]) -> tuple[int, ...]:
    """With a fifth of it, where there is only one."""
    most = numbers[-1]
    if len(numbers) > 1 or most < 4:
        return tuple(numbers)
    return max(2, most // _FEWEST_SHARE), most


def _possible(sizes: Sequence[int], there_are: int) -> tuple[int, ...]:
    """The sizes that rows suffice for."""
    if sizes[-1] <= there_are:
        return tuple(sizes)
    streams.tell(f"Note: there are {there_are:,} rows, not {sizes[-1]:,}; all are sent.")
    return _two([*(size for size in sizes if size < there_are), there_are])


def _known_settings(asked: _Asked) -> Settings | None:
    """What is in force where no sandbox is started, which has an address only then."""
    return None if asked.simulation is not None else in_force(asked.found, sandbox_url=None)


@contextmanager
def _settings(asked: _Asked, folder: Path, known: Settings | None) -> Iterator[Settings]:
    """What is in force; a sandbox lives as long."""
    if asked.simulation is None:
        assert known is not None
        yield known
        return
    with sandbox_of(folder, sandbox_options(asked.simulation), keeps=True) as url:
        yield in_force(asked.found, sandbox_url=url)


def _terms(asked: _Asked, kept: str, known: Settings | None) -> Terms:
    return Terms(
        task=asked.options["task"],
        wording=terms.wording_of(asked.task.identity),
        input=asked.source.name,
        rows=rows.digest_of(kept),
        sizes=asked.sizes,
        provider="sandbox" if known is None else f"{known.provider} {known.base_url}",
        settings={name: asked.options[name] for name in _MEANT},
        simulation=asked.simulation,
    )


def _estimated_usd(asked: _Asked, known: Settings | None) -> float | None:
    """What it costs about, with every row rendered; None when a price is not known.

    Raises:
        ProcessorError: What all arms would be refused for.
    """
    settings = unasked(asked.found, sandbox=True) if known is None else known
    estimate = Estimate(
        asked.trials, task=asked.options["task"], source=asked.source, settings=settings
    )
    return run_in_loop(guarded(estimate))


def _demand_budget(asked: _Asked, settings: Settings, usd: float | None) -> None:
    """Let nobody pay for a comparison without a limit.

    Raises:
        UsageError: There is none, or no price to hold it with.
    """
    if usd is None:
        raise UsageError(
            "a comparison with a paid API needs a spending limit, and the price is not known",
            way_out="--price IN,OUT tells it, --budget USD limits it; --sandbox simulates it.",
        )
    count = sum(trial.items for trial in asked.trials)
    if settings.budget_usd is None:
        raise UsageError(
            f"this comparison would send {count:,} requests for about {money(usd)}, and a paid "
            "API needs a spending limit",
            way_out="--budget USD sets it; --sandbox simulates without cost.",
        )
    streams.tell(
        f"{count:,} requests for about {money(usd)}; the limit is {money(settings.budget_usd)}."
    )


def _measure(plan: Plan, *, quiet: bool) -> list[Measured]:
    def tell(place: int, now: Measured) -> None:
        begins = now.status is Status.WAITING and not now.problem
        if quiet or (begins and plan.terms.simulation is not None):  # those are over in no time
            return
        says = began if begins else ended
        streams.tell(f"  {place:>3}/{len(plan.trials)}  {says(now)}")

    return run_in_loop(guarded(Comparison(plan, tell)))


def _conclude(plan: Plan, found: Sequence[Measured], options: Mapping[str, Any]) -> int:
    code = exit_code_of(found)
    made = document.made(plan.terms, found, exit_code=code)
    files = [terms.write(plan.folder, made)]
    places = [plan.folder / chart.CHART_NAME, *([options["chart"]] if options["chart"] else [])]
    files += [chart.write(place, made) for place in places]
    if options["as_json"]:
        streams.say_json(made)
        return code
    for line in lines(made, plan.folder):
        streams.say(line)
    for file in files:
        streams.say(f"  {'file':<9} {file}")
    if code in _NEXT:
        streams.say(f"  {'next':<9} {_NEXT[code]}")
    return code


def exit_code_of(found: Sequence[Measured]) -> int:
    """What a comparison ends with: as the trial that ended worst."""
    ends = {_exit_code(each) for each in found}
    known = [code for code in _WORST if code in ends]
    return known[0] if known else EXIT_OK


def _exit_code(each: Measured) -> int:
    match each.status:
        case Status.WAITING:
            return EXIT_INTERRUPTED
        case Status.AWAY:
            return EXIT_AT_PROVIDER
        case Status.STOPPED:
            return EXIT_INTERRUPTED if each.exit_code is None else each.exit_code
        case Status.FAILED:
            return EXIT_ITEMS_FAILED
        case Status.DONE:
            assert each.figures is not None
            return EXIT_ITEMS_FAILED if each.figures.failed else EXIT_OK


def _check_chart(path: Path | None) -> None:
    if path is not None and path.suffix != ".svg":
        raise UsageError(f"--chart {path}: the chart is an SVG", way_out="Name a file .svg.")
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--chart {path}: there is no folder {path.parent}")
