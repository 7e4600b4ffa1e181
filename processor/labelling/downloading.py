"""`--mode download`: answers join the rows of the table, however it looks by now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from processor.batch.remote_values import CANCELLED, FAILED
from processor.codes import BUDGET_CODE
from processor.console.streams import say, tell
from processor.data import open_source
from processor.data.source import Source
from processor.errors import UsageError
from processor.items import Row
from processor.labelling import again, engine, gold, ledgers, messages, outcomes
from processor.labelling.answers import Matched, content_id, match
from processor.labelling.articles import Articles, articles, good_rows, problem_of
from processor.labelling.checking import Checked, advance, last, lines
from processor.labelling.columns import LABEL
from processor.labelling.cost import Cost, cost_of
from processor.labelling.info import Info
from processor.labelling.matching import by_question
from processor.labelling.standing import Standing
from processor.labelling.table import Table, Written
from processor.labelling.telling import tell_of_end
from processor.labelling.typed import Typed
from processor.notifying import post
from processor.opened import Opened
from processor.plan.prices import SANDBOX
from processor.report import (
    EXIT_AT_PROVIDER,
    EXIT_BUDGET,
    EXIT_ITEMS_FAILED,
    EXIT_OK,
    EXIT_STOPPED,
)
from processor.spending import prices_of
from processor.tasks.prompt import PromptTask

_CSV = ".csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """The table that gets the labels.

    Attributes:
        source: Its rows as they were asked.
        columns: Of these.
    """

    table: Articles
    source: Source
    columns: Sequence[str]

    def rows(self) -> Iterator[Row]:
        """From the first; may be asked for again."""
        return good_rows(self.source)


def download(typed: Typed) -> int:
    """Write labels beside the rows; returns the exit code.

    Raises:
        ProcessorError: A file or an option is wrong, or the provider cannot be asked.
    """
    known = last(typed)
    folder, batch_id = ledgers.find(typed.batch_id, known)
    is_last = known is not None and batch_id in known.batch_ids
    whole = _whole(typed, folder, known if is_last else None)
    output = _output(typed, whole.table)
    with engine.opened_run(folder, typed.settings) as it:
        post.check(it.settings.addressees)
        task = it.task()
        if not task.label_names:
            raise UsageError(f"배치 {batch_id} 은(는) 라벨링 작업이 아닙니다")
        if typed.gold is not None:
            gold.check(typed.gold, whole.columns, whole.rows(), task.label_names)
        checked = advance(it, new_account=typed.new_account)
        standing = checked.standing
        if not (standing.is_complete or standing.status == CANCELLED or typed.force):
            code = _too_early(batch_id, folder, checked)
            tell_of_end(it, code, [])
            return code
        left = _join(typed, it, task, whole, output)
        code = _exit_code(standing, left)
        tell_of_end(it, code, [messages.saved(str(output))])
    return code


def _exit_code(standing: Standing, left: int) -> int:
    if not standing.is_complete and standing.status != CANCELLED:
        return EXIT_AT_PROVIDER
    return EXIT_ITEMS_FAILED if left else EXIT_OK


def _too_early(batch_id: str, folder: Path, checked: Checked) -> int:
    """Say how far the job is; nothing is written."""
    for line in lines(batch_id, folder, checked):
        say(line)
    if checked.standing.status != FAILED and not checked.lost:
        return checked.exit_code or EXIT_AT_PROVIDER
    some = " (지금까지의 답만 쓰려면 --force)" if checked.standing.done else ""
    tell(f"❌ Batch status: failed - 결과가 다 오지 않았습니다{some}")
    is_budget = checked.stop is not None and checked.stop.code == BUDGET_CODE
    return EXIT_BUDGET if is_budget else EXIT_STOPPED


def _whole(typed: Typed, folder: Path, known: Info | None) -> _Whole:
    """The table whose rows get labels: for failed rows of this run, that which they came from."""
    origin = ledgers.origin_of(folder)
    path = typed.input or (known.input_file if known is not None else "")
    encoding = typed.encoding
    if not path and origin is not None:
        path = origin.input
    if origin is not None and encoding is None and Path(path).absolute() == Path(origin.input):
        encoding = origin.encoding
    say(messages.loading(path))
    table = articles(path, encoding=encoding)
    if table.run == folder.name:
        if origin is None:
            raise UsageError(
                f"{path}: 실패한 행만 있습니다", way_out="--input 으로 전체 파일을 지정하세요."
            )
        say(messages.loading(origin.input))
        table = articles(origin.input, encoding=origin.encoding)
    say(messages.loaded(table.rows))
    if table.run is None:
        return _Whole(table=table, source=table.source, columns=table.columns)
    source = again.restored(table)
    columns = list(next(iter(good_rows(source))).fields)
    return _Whole(table=table, source=source, columns=columns)


def _output(typed: Typed, table: Articles) -> Path:
    """Where labels go; never over the articles.

    Raises:
        UsageError: They cannot go there.
    """
    path = Path(table.path)
    output = typed.output or path.with_name(f"{path.stem}_labeled{_CSV}")
    if output.suffix.lower() != _CSV:
        raise UsageError(f"--output {output}: .csv 로 끝나야 합니다")
    failed = output.with_name(f"{output.stem}_failed{output.suffix}")
    for place in (output, failed):
        if place.exists() and place.samefile(path):
            whole = "" if table.run is None else "--input 으로 전체 파일을 지정하거나 "
            raise UsageError(
                f"--output {output}: 입력 파일 {place} 을(를) 덮어쓰게 됩니다",
                way_out=f"{whole}다른 --output 을 쓰세요.",
            )
    if output.is_dir():
        raise UsageError(f"--output {output}: 폴더입니다", way_out="파일 이름을 지정하세요.")
    return output


def _make_room(output: Path) -> None:
    """Make the folder that the tables go to.

    Raises:
        UsageError: It cannot be.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--output {output}: 폴더 {output.parent} 을(를) 만들 수 없습니다 ({error.strerror})",
            way_out="쓸 수 있는 폴더를 지정하세요.",
        ) from error


def _join(typed: Typed, it: Opened, task: PromptTask, whole: _Whole, output: Path) -> int:
    """Write the tables, and say what is in them; returns how many rows have no label."""
    known = outcomes.known(it.folder)
    keys = [content_id(row.fields) for row in whole.rows()]
    matched = match(keys, known, by_question(it.folder, task, known, whole.rows))
    table = Table(
        path=output,
        columns=whole.columns,
        names=task.label_names,
        run=it.folder.name,
        problem_with=partial(problem_of, task),
    )
    is_whole = all(answer is not None and answer.label for answer in matched.answers)
    before = {} if is_whole and whole.table.run is None else table.before()
    if whole.table.run is not None and not typed.force:
        _refuse_loss(output, before, keys)
    _make_room(output)
    written = table.write(whole.rows(), matched.answers, before)
    for line in _told(written, matched, table):
        say(line)
    if typed.gold is not None:
        _compare(typed.gold, whole, table)
    for line in _spent(it, task):
        say(line)
    say(messages.done())
    return written.failed


def _refuse_loss(output: Path, before: Mapping[str, object], keys: Sequence[str]) -> None:
    """Let failed rows not take the place of the whole."""
    others = before.keys() - set(keys)
    if others:
        raise UsageError(
            f"--output {output}: 입력에 없는 행 {len(others)}개의 라벨이 사라집니다",
            way_out="--input 으로 전체 파일을 지정하거나 다른 --output 을 쓰세요 "
            "(그래도 덮어쓰려면 --force).",
        )


def _told(written: Written, matched: Matched, table: Table) -> Iterator[str]:
    yield from messages.results(written.rows - written.failed, written.failed)
    if written.refused:
        yield messages.refused(written.refused)
    yield from messages.changed(written.new, matched.moved, matched.unused)
    if written.kept:
        yield messages.kept(written.kept)
    yield messages.saved(str(table.path))
    yield from messages.distribution(written.labels, table.names, written.rows)
    if written.failed_path is not None:
        yield messages.failures(str(written.failed_path), written.failed)
        yield messages.submit_again(str(written.failed_path))


def _compare(column: str, whole: _Whole, table: Table) -> None:
    labels = [row.fields[LABEL] or None for row in good_rows(open_source(str(table.path)))]
    found = gold.agreement(gold.gold_labels(whole.rows(), column, table.names), labels, table.names)
    path = gold.path_of(table.path)
    gold.write(found, column, path)
    for line in gold.lines(found, column):
        say(line)
    say(f"   저장: {path}")


def _spent(it: Opened, task: PromptTask) -> Iterator[str]:
    usage, usd = outcomes.usage(it.folder)
    listed = cost_of(usage, task.model, prices_of(it.settings))
    paid = Cost(
        input_tokens=listed.input_tokens,
        output_tokens=listed.output_tokens,
        batch_usd=usd if usd is not None else listed.batch_usd,
        direct_usd=listed.direct_usd,
    )
    yield messages.spent(paid)
    if it.settings.provider == SANDBOX:
        yield "   (로컬 sandbox: 실제로는 청구되지 않습니다)"
