"""How a run is begun, as keywords."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict, cast, get_args

from processor.batch.until import Until
from processor.data import Source, open_source
from processor.data.wanted import Wanted
from processor.errors import UsageError
from processor.exports.output import Output, Terms
from processor.outputs import Written, outputs_of
from processor.postgres import is_address
from processor.sending.terms import BatchTerms
from processor.setting_names import nearest
from processor.settings import Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.task import Task


class Options(TypedDict, total=False):
    """How a run is begun; named, and meant, as the options of `processor run`.

    Attributes:
        out: The run's folder; the same one resumes. By default a new one in `runs/`.
        update: Ask again for rows that changed since they were answered.
        accept_change: Go on although the task changed since the run began.
        detach: Leave when the batches are made, of what goes by batch; the report's `batches` names
            them, and the same call, or `download_batch_results`, fetches the results later.
        progress: Show how it goes; by default on a terminal and in a notebook.
        query: Of a database that is named as items: a SELECT. By default the task's.
        table: Of it: a whole table, `[schema.]name`.
        sheet: Of a workbook that is named as items; by default its first.
        encoding: Of text that is named as items; recognised by default.
        outputs: Where results go besides the folder: files, or databases. By default the
            database that is named as items.
        write: Which rows a database gets; by default successes.
        output_table: Of the database that is written; by default `<task>_results`, made when it
            is missing.
        write_columns: Results to columns of a table that has the rows, `{"result": "latex"}`.
        keep_old: What is replaced in a database goes into `<table>_history`.
        write_back: False leaves a database that is named as items alone.
    """

    out: str | Path | None
    update: bool
    accept_change: bool
    detach: bool
    progress: bool
    query: str | None
    table: str | None
    sheet: str | None
    encoding: str | None
    outputs: str | Path | Iterable[str | Path]
    write: Written
    output_table: str | None
    write_columns: Mapping[str, str]
    keep_old: bool
    write_back: bool


_OF_NAMES = ("query", "table", "sheet", "encoding")


def checked(options: Options, *, named: bool) -> Options:
    """Those that are not None, if nothing else would be left out silently.

    Args:
        options: As a program gave them.
        named: Whether items are the name of a table.

    Raises:
        UsageError: A keyword is unknown, empty, or has no use beside these items.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name in Settings.model_fields:
            raise UsageError(f"{name} is a setting", way_out=f"Give it to Processor({name}=…).")
        if name not in Options.__annotations__:
            raise UsageError(
                f"{name}: there is no such keyword{nearest(name, Options.__annotations__)}"
            )
        if name in _OF_NAMES and not named:
            raise UsageError(
                f"{name} is for items that are the name of a table",
                way_out="Leave it out: items that a program holds are taken as they are.",
            )
        if name == "out" and value == "":  # which Path takes for the working directory
            raise UsageError("out is empty", way_out="Name a folder, or leave it out.")
    return cast("Options", given)


def opened(named: str, options: Options, *, task: Task) -> Source:
    """The table that items are the name of.

    Args:
        named: The name.
        options: How the run is begun.
        task: Tells what is asked of a database when nothing else is said.

    Raises:
        InputError: There is no such file.
        UsageError: It cannot be meant so.
    """
    wanted = Wanted(
        query=options.get("query"),
        table=options.get("table"),
        otherwise=task.query if isinstance(task, PromptTask) else None,
        sheet=options.get("sheet"),
    )
    return open_source(named, encoding=options.get("encoding"), wanted=wanted)


def outputs(options: Options, settings: Settings, *, task: Task, named: str | None) -> list[Output]:
    """Where results go besides the folder.

    Args:
        options: How the run is begun.
        settings: What is in force.
        task: The run's.
        named: The table that items are the name of, if they are.

    Raises:
        UsageError: They cannot be meant so.
    """
    reads_database = named is not None and is_address(named)
    return outputs_of(
        _places(options.get("outputs", ())),
        _terms(options, settings),
        task=task.name,
        needed=task.required_fields(),
        address=named if reads_database and options.get("write_back", True) else None,
        table=options.get("table"),
    )


def batch_terms(options: Options, settings: Settings) -> BatchTerms:
    """What the run wants of the batch lane.

    Raises:
        UsageError: It shall leave, and nothing would go by batch.
    """
    leaves = options.get("detach", False)
    if leaves and not settings.may_batch:
        raise UsageError(
            "detach is for what goes by batch: nothing would",
            way_out='Give Processor(route="batch"), or leave it out.',
        )
    return BatchTerms(until=Until.SUBMITTED if leaves else Until.SETTLED)


def _places(given: Any) -> list[str]:
    one = isinstance(given, (str, Path))
    places = [given] if one else list(given) if isinstance(given, Iterable) else [given]
    for place in places:
        if not isinstance(place, (str, Path)):
            raise UsageError(
                f"outputs: {type(place).__name__} is no place for results",
                way_out="Name files, or databases: postgresql://HOST/DATABASE.",
            )
    return [str(place) for place in places]


def _terms(options: Options, settings: Settings) -> Terms:
    rows: Any = options.get("write")
    into: Any = options.get("write_columns", {})
    if rows is not None and rows not in get_args(Written):
        raise UsageError(f"write: {rows!r} is none of {', '.join(get_args(Written))}")
    if not isinstance(into, Mapping) or not all(
        isinstance(word, str) and word for pair in into.items() for word in pair
    ):
        raise UsageError(
            "write_columns cannot be read",
            way_out='Give a dict of results to columns: {"result": "latex"}.',
        )
    return Terms(
        rows=rows,
        excel=settings.excel,
        bom=settings.bom,
        table=options.get("output_table"),
        into=into,
        keep_old=options.get("keep_old", False),
    )
