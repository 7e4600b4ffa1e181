"""The engine as a program calls it."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Iterable,
    Mapping,
)
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, Unpack, cast

from processor.api import options as how
from processor.api.knobs import Knobs, settings_for
from processor.api.options import Options
from processor.api.outlet import Outlet
from processor.api.results import RunReport
from processor.api.task import Task as MadeTask
from processor.api.threads import run_in_thread
from processor.console.screen import is_watched, watching
from processor.data import Source, open_source
from processor.data.frames import Frame, FrameSource, Library, library_of
from processor.data.memory import URI, AsyncItems, Items
from processor.errors import UsageError
from processor.folders import RUNS, default_folder
from processor.identity import Consent
from processor.items import Outcome
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.report import Report
from processor.run import Run
from processor.settings import Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.task import Task
from processor.tasks.toml import load_task

Given: TypeAlias = (
    str | Path | Source | Frame | Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
)
"""Items: the name of a table as `--input` takes it, mappings, or a data frame."""


class Processor:
    """Runs tasks over tables; one object may run many, one after the other or at once.

    Args:
        sandbox: Start a local server for every run: no key, no cost.
        settings: As the options of `processor run`, see `Knobs`; what is not given comes from the
            environment and `.env`, as there. They are validated when a run begins.
    """

    def __init__(self, *, sandbox: bool = False, **settings: Unpack[Knobs]) -> None:
        self._sandbox = sandbox
        self._given: dict[str, Any] = {
            name: value for name, value in settings.items() if value is not None
        }

    async def run(
        self, task: str | Path | Task, items: Given, **options: Unpack[Options]
    ) -> RunReport:
        """Send every item, record every outcome, write the results.

        A cancellation ends the calls in flight; what had an answer is kept, and the same call
        with the same `out` goes on.

        Args:
            task: A task, or the name or path of one.
            items: What it runs over.
            options: See `Options`.

        Raises:
            ProcessorError: Bad input, a changed task, a held folder, a failing disk. Failed items
                and a stop by the provider are no errors: the report tells them.
        """
        with ExitStack() as stack:
            start = self._prepare(task, items, options, stack)
            async with _working(start.run, start.run.execute()) as work:
                report = await asyncio.shield(work)
        return RunReport.of(report, folder=start.folder, library=start.library)

    async def stream(
        self, task: str | Path | Task, items: Given, **options: Unpack[Options]
    ) -> AsyncGenerator[Outcome]:
        """The same, and every outcome of this call as soon as it is durable.

        Outcomes come in the order of the answers. Whoever takes them slowly slows the run down;
        whoever stops taking them ends it.

        Raises:
            ProcessorError: As `run`.
            StoppedError: At the end, when the provider or the budget ended the run before its own.
            DeliveryError: At the end, when an output did not take all results.
        """
        outlet = Outlet()
        with ExitStack() as stack:
            start = self._prepare(task, items, options, stack, outlet)
            async with _working(start.run, _until_the_end(start.run, outlet)) as work:
                try:
                    async for outcome in outlet.outcomes():
                        yield outcome
                finally:
                    outlet.close()  # else the run waits for somebody who takes them
                report = await asyncio.shield(work)
            ended = RunReport.of(report, folder=start.folder, library=None)
            ended.raise_for_stop().raise_for_outputs()

    def run_sync(
        self, task: str | Path | Task, items: Given, **options: Unpack[Options]
    ) -> RunReport:
        """`run`, for scripts and notebooks.

        Ctrl-C ends the calls in flight; what had an answer is kept, and the same call with the
        same `out` goes on.
        """

        def main() -> Coroutine[Any, Any, RunReport]:
            return self.run(task, items, **options)

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return run_in_loop(main())
        return run_in_thread(main)  # a notebook's loop is busy with the cell that calls this

    def _prepare(
        self,
        task: str | Path | Task,
        items: Given,
        options: Options,
        stack: ExitStack,
        *observers: Observer,
    ) -> "_Start":
        named = str(items) if isinstance(items, (str, Path)) else None
        how.check(options, named=named is not None)
        settings = stack.enter_context(settings_for(self._given, sandbox=self._sandbox))
        chosen = _task_of(task, settings)
        if named is None:
            source = source_of(items)
        else:
            query = chosen.query if isinstance(chosen, PromptTask) else None
            wanted = how.wanted(options, query=query)
            source = open_source(named, encoding=options.get("encoding"), wanted=wanted)
        out = options.get("out")
        folder = Path(out) if out is not None else _new_folder(chosen.name, source)
        watchers: list[Observer] = [*observers]
        if "logs" in self._given:
            log, _ = stack.enter_context(open_logs(settings.logs, content=settings.log_content))
            watchers.append(log)
        quiet = not options.get("progress", is_watched())
        watchers += stack.enter_context(watching(folder, quiet=quiet))
        run = Run(
            folder=folder,
            task=chosen,
            source=source,
            settings=settings,
            observers=watchers,
            consent=Consent(
                task=options.get("accept_change", False), rows=options.get("update", False)
            ),
            outputs=how.outputs(options, settings, task=chosen.name, named=named),
        )
        return _Start(run=run, folder=folder, library=library_of(items))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    run: Run
    folder: Path
    library: Library | None


def _task_of(task: str | Path | Task, settings: Settings) -> Task:
    """The task; a model that the settings name goes before its own."""
    model, most = settings.model, settings.max_output_tokens
    if isinstance(task, (str, Path)):
        return load_task(str(task), model=model, max_output_tokens=most)
    if isinstance(task, MadeTask):
        return task.asking(model=model, max_output_tokens=most)
    return task


@asynccontextmanager
async def _working(
    run: Run, main: Coroutine[Any, Any, Report]
) -> AsyncIterator[asyncio.Task[Report]]:
    """A run beside who waits for it; if they leave, it is ended in order first."""
    work = asyncio.create_task(main, name="run")
    try:
        yield work
    except BaseException as left:
        if not work.done():
            run.abort()
        await _over(work)
        problem = None if work.cancelled() else work.exception()
        if problem is not None and problem is not left:
            left.add_note(f"The run had failed: {problem}")
        raise


async def _over(work: asyncio.Task[Report]) -> None:
    """Wait for a run that was told to end, even when cancelled: others close what it works with."""
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def _until_the_end(run: Run, outlet: Outlet) -> Report:
    try:
        return await run.execute()
    finally:
        await outlet.end()


def source_of(items: Given) -> Source:
    """What rows are read from that a program holds.

    Raises:
        UsageError: It is nothing that has rows.
    """
    library = library_of(items)
    if library is not None:
        return FrameSource(frame=items, library=library)
    if isinstance(items, AsyncIterable):
        return AsyncItems(content=items, loop=asyncio.get_running_loop())
    if callable(getattr(items, "rows", None)) and callable(getattr(items, "stamp", None)):
        return cast("Source", items)
    if isinstance(items, Iterable) and not isinstance(items, (Mapping, bytes)):
        return Items(content=cast("Iterable[Mapping[str, Any]]", items))
    raise UsageError(
        f"items of the type {type(items).__name__} cannot be read",
        way_out="Give mappings (a list, a generator), a data frame, or a table's name.",
    )


def _new_folder(task: str, source: Source) -> Path:
    """Named tables have a folder of their own, so that the same call resumes; others a new one."""
    if source.uri != URI:
        return default_folder(task, source)
    moment = datetime.now().astimezone()
    return RUNS / f"{task}-{moment:%Y%m%d-%H%M%S-%f}"
