"""The engine as a program calls it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

from processor.api import options as how
from processor.api.items import Given, name_of, source_of
from processor.api.knobs import Knobs, found_for, served
from processor.api.options import Options
from processor.api.outlet import Outlet
from processor.api.results import RunReport
from processor.api.task import Task as MadeTask
from processor.api.telling import Teller
from processor.api.threads import run_anywhere
from processor.api.working import executed, working
from processor.configuration import in_force, validated
from processor.console.screen import is_watched, watching
from processor.data import Source
from processor.data.frames import Library, library_of
from processor.data.memory import URI
from processor.errors import UsageError
from processor.folders import RUNS, default_folder
from processor.identity import Consent
from processor.items import Outcome
from processor.logs import open_logs
from processor.notifying.notifier import Notifier
from processor.observer import Observer
from processor.recipe import Recipe
from processor.report import Report
from processor.run import Run
from processor.settings import Settings
from processor.tasks.task import Task
from processor.tasks.toml import load_task


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
            await start.teller.check()
            report = await start.teller.told_of(executed(start.run))
        return RunReport.of(report, folder=start.folder, library=start.library)

    async def stream(
        self, task: str | Path | Task, items: Given, **options: Unpack[Options]
    ) -> AsyncGenerator[Outcome]:
        """The same, and every outcome of this call as soon as it is durable.

        Outcomes come in the order of the answers. Whoever takes them slowly slows the run down;
        whoever stops taking them ends it, at once when the stream is closed
        (`contextlib.aclosing`).

        Raises:
            ProcessorError: As `run`.
            StoppedError: At the end, when the provider or the budget ended the run before its own.
            DeliveryError: At the end, when an output did not take all results.
        """
        outlet = Outlet()
        with ExitStack() as stack:
            start = self._prepare(task, items, options, stack, outlet, streamed=True)
            await start.teller.check()
            main = start.teller.told_of(_until_the_end(start.run, outlet))
            async with working(start.run, main) as work:
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

        return run_anywhere(main)

    def _prepare(
        self,
        task: str | Path | Task,
        items: Given,
        options: Options,
        stack: ExitStack,
        *observers: Observer,
        streamed: bool = False,
    ) -> "_Start":
        named = name_of(items)
        options = how.checked(options, named=named is not None)
        found = found_for(self._given, sandbox=self._sandbox)
        settings = validated(found) if self._sandbox else in_force(found, sandbox_url=None)
        chosen = _task_of(task, settings)
        source = source_of(items) if named is None else how.opened(named, options, task=chosen)
        folder = Path(options.get("out") or _new_folder(chosen.name, source))
        outputs = how.outputs(options, settings, task=chosen, named=named)
        if self._sandbox:
            settings = stack.enter_context(served(found, folder))
        logs: list[Observer] = []
        if "logs" in self._given:
            log, _ = stack.enter_context(open_logs(settings.logs, content=settings.log_content))
            logs.append(log)
        quiet = not options.get("progress", is_watched())
        screens = stack.enter_context(watching(folder, quiet=quiet))
        watchers = [*logs, *screens]
        notifier = Notifier(settings, folder)
        teller = Teller(settings, notifier, watchers, is_seen=bool(screens))
        run = Run(
            folder=folder,
            task=chosen,
            source=source,
            settings=settings,
            observers=[*observers, *watchers, *teller.observers()],
            consent=Consent(
                task=options.get("accept_change", False), rows=options.get("update", False)
            ),
            outputs=outputs,
            streamed=streamed,
            batch=how.batch_terms(options, settings),
            recipe=_recipe_of(task),
        )
        return _Start(run=run, teller=teller, folder=folder, library=library_of(items))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    run: Run
    teller: Teller
    folder: Path
    library: Library | None


def _task_of(task: str | Path | Task, settings: Settings) -> Task:
    """The task; a model that the settings name goes before its own.

    Raises:
        TaskError: There is no such task, or its file is wrong.
        UsageError: It is no task.
    """
    model, most = settings.model, settings.max_output_tokens
    if isinstance(task, (str, Path)):
        return load_task(str(task), model=model, max_output_tokens=most)
    if isinstance(task, MadeTask):
        return task.asking(model=model, max_output_tokens=most)
    if not callable(getattr(task, "render", None)):
        raise UsageError(
            f"{type(task).__name__} is no task",
            way_out="Give a Task, the name of one, or the path of its file.",
        )
    return task


def _recipe_of(task: str | Path | Task) -> Recipe | None:
    """What it takes to go on by the folder alone; None for a task whose class is the program's."""
    if isinstance(task, (str, Path)):
        return Recipe.of(str(task))
    return Recipe.made(task.keys) if isinstance(task, MadeTask) else None


async def _until_the_end(run: Run, outlet: Outlet) -> Report:
    try:
        return await run.execute()
    finally:
        await outlet.end()


def _new_folder(task: str, source: Source) -> Path:
    """Named tables have a folder of their own, so that the same call resumes; others a new one."""
    if source.uri != URI:
        return default_folder(task, source)
    moment = datetime.now().astimezone()
    return RUNS / f"{task}-{moment:%Y%m%d-%H%M%S-%f}"
