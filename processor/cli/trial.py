"""`processor tasks try`: a few rows on their way through a run, told one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from processor.cli.provider import settle
from processor.cli.sandbox_options import check_options, words
from processor.cli.sources import named_input, source_of
from processor.codes import cause_of
from processor.completion import READERS
from processor.configuration import in_force
from processor.console import streams
from processor.data.source import Source
from processor.direct.backlog import Work
from processor.direct.request import fill_in
from processor.errors import TaskError, UsageError
from processor.items import Attempt, Item, Outcome
from processor.labels import name_of
from processor.layers import Layer
from processor.ledger.commit import ChunkTotals, Commit
from processor.ledger.intake import IntakeRules
from processor.ledger.ledger import open_ledger
from processor.loop import run_in_loop
from processor.notice import Notice
from processor.run import Run
from processor.sandbox_process import sandbox
from processor.signals import guarded
from processor.tasks.prompt import PromptTask
from processor.tasks.toml import load_task


def example(task: PromptTask) -> Iterator[str]:
    """What a request looks like, a line at a time, with `<name>` for the value of a column."""
    fields = {name: f"<{name}>" for name in task.required_fields()}
    try:
        body = task.render(Item(seq=1, chunk=1, id=1, fields=fields)).body
    except TaskError:
        yield "depends on the row; see processor tasks try"
        return
    yield from as_lines(body)


def trial(name: str, options: dict[str, Any]) -> int:
    """Try a task on the first rows of a source; returns the exit code.

    Raises:
        ProcessorError: The task, the source or the options are wrong.
    """
    check_options(options)
    found = settle(options)
    task = load_task(name, model=options["model"], max_output_tokens=options["max_output_tokens"])
    if task.advice:
        streams.tell(f"Note: {task.advice}")
    source = _source(options, task)
    with TemporaryDirectory(prefix="processor-try-") as place:
        if options["dry_run"]:
            _rehearse(Path(place), task, source, options)
            return 0
        return _send(Path(place), task, source, options, found)


def _source(options: Mapping[str, Any], task: PromptTask) -> Source:
    named = named_input(options)
    if named is None and options["generate"] is None:
        raise UsageError(
            "no rows were named", way_out="Name them with --input, or make some up: --generate 3."
        )
    asked = {**options, "limit": options["rows"], "seed": 0}
    return source_of(named, asked, query=task.query, needed=task.required_fields())


def _rehearse(folder: Path, task: PromptTask, source: Source, options: Mapping[str, Any]) -> None:
    """Import the rows and say their requests."""
    rows = options["rows"]
    rules = IntakeRules(
        id_field=task.id_field,
        required=task.required_fields(),
        named=task.named_fields(),
        chunk_size=rows,
        limit=rows,
        skip_invalid=options["skip_invalid"],
        problem_with=task.problem_with,
    )
    with open_ledger(folder) as ledger:
        ledger.take_in(source, rules)
        for pending in ledger.pending(rows):
            _say_request(task, pending.item)


def _send(
    folder: Path, task: PromptTask, source: Source, options: Mapping[str, Any], found: Layer
) -> int:
    """Run the rows and say what became of each."""
    records = _Records()
    with ExitStack() as stack:
        own = sandbox(words(options["sandbox_args"])) if options["sandbox"] else None
        settings = in_force(found, sandbox_url=stack.enter_context(own) if own else None)
        settings = settings.model_copy(update={"limit": options["rows"], "keep_bodies": "all"})
        run = Run(folder=folder, task=task, source=source, settings=settings, observers=[records])
        report = run_in_loop(guarded(run))
    for _, told in sorted(records.by_seq.items()):
        _say_request(task, told[0].item)
        for record in told:
            _say_answer(task, record)
    if report.snapshot.pending:
        streams.say(f"{report.snapshot.pending} of the rows have no outcome")
    if report.stop is not None:
        remedy = cause_of(report.stop.code).remedy
        streams.tell(f"Stopped: {report.stop.code}: {report.stop.message} {remedy}")
    return report.exit_code


class _Records:
    """Watches a run; keeps what became durable, item by item."""

    def __init__(self) -> None:
        self.by_seq: dict[int, list[Outcome | Attempt]] = {}

    def notice(self, notice: Notice) -> None:
        """Nothing that concerns an item."""

    def committed(self, commit: Commit) -> None:
        for record in commit.records:
            self.by_seq.setdefault(record.item.seq, []).append(record)

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """Nothing new."""


def _say_request(task: PromptTask, item: Item) -> None:
    streams.say(f"{task.id_field} {item.id}" if task.id_field != "row" else f"row {item.seq}")
    work = Work(item=item, attempts=0, invalid=())
    failure = fill_in(work, task)
    if failure is None:
        _say("request", as_lines(orjson.loads(work.body or b"")))
    else:
        _say("failed", [f"{failure.code}: {failure.message}"])


def _say_answer(task: PromptTask, record: Outcome | Attempt) -> None:
    if isinstance(record, Attempt):
        if record.problem is None:
            _say("failed", [f"{record.code}: {record.message}"])
            return
        _say("answer", (record.answer or "").split("\n"))
        _say("invalid", [record.problem])
        return
    is_vector = record.accepted is not None and record.accepted.vector is not None
    shown = record.body is not None and task.kind != "embedding" and not is_vector
    endpoint = task.render(record.item).endpoint if shown else ""
    answer = _answer_in(record.body or "", endpoint) if shown else None
    if answer is not None:
        _say("answer", answer.split("\n"))
    if record.failure is not None:
        _say("failed", [f"{record.failure.code}: {record.failure.message}"])
    elif record.accepted is not None:
        result = record.accepted.result
        label = name_of(result, task.label_names)
        _say("result", [f"{result} · {label}"] if label else result.split("\n"))
        _say("check", ["; ".join((record.accepted.check, *record.accepted.notes))])


def _answer_in(body: str, endpoint: str) -> str | None:
    """The model's text in the body of an answer, or the body where it holds none."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    reader = READERS.get(endpoint)
    return reader(parsed).text if reader is not None and isinstance(parsed, dict) else body


def _say(label: str, lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        streams.say(f"  {'' if place else label:<9} {line}".rstrip())


def as_lines(value: Any) -> Iterator[str]:
    """A JSON value as lines for people: texts as they are, what is within further right."""
    if isinstance(value, str):
        yield from value.split("\n")
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _labelled(f"{key}: ", inner)
    elif isinstance(value, Sequence) and value:
        for inner in value:
            yield from _labelled("- ", inner)
    else:
        yield orjson.dumps(value).decode()


def _labelled(label: str, value: Any) -> Iterator[str]:
    lines = list(as_lines(value))
    if label != "- " and (len(lines) > 1 or isinstance(value, Mapping)):
        yield label.rstrip()
        yield from (f"  {line}" for line in lines)
    else:
        yield label + lines[0]
        yield from (f"  {line}" for line in lines[1:])
