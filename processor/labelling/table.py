"""The labelled table and the table of rows without a label: CSV, UTF-8 with BOM for Excel."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from processor.data import open_source
from processor.errors import InputError
from processor.exports.atomic import replacing
from processor.exports.delimited import Writer, lines
from processor.items import Row
from processor.labelling.answers import Answer, Fields, content_id
from processor.labelling.articles import good_rows
from processor.labelling.columns import FAILURES, LABEL, LABELED, LABELS, apart

NEW = "new_row"
REFUSED = "invalid_row"
PENDING = "pending"
_PENDING_MESSAGE = "This row had no answer when the table was downloaded."
_NEW_MESSAGE = "This row was not in the table when it was submitted, or has changed since."
_YES, _NO = "True", "False"
_TIME = "%Y-%m-%d %H:%M:%S"

Cells = tuple[str, str, str, str]
"""A row's cells of `LABELS`."""
_UNLABELLED: Cells = ("", "", _NO, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        rows: All.
        labels: Key to how many rows have it.
        kept: Of these, rows whose label the table had before.
        failed: Rows without a label.
        new: Of these, rows that were not there when the others were asked.
        refused: Of these, rows that cannot be asked.
        failed_path: Where they are; None when there are none.
    """

    rows: int
    labels: Mapping[str, int]
    kept: int
    failed: int
    new: int
    refused: int
    failed_path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where labels go.

    Attributes:
        path: Of the labelled table.
        columns: Of the rows.
        names: Label to name.
        run: Name of the run that rows without a label belong to.
        problem_with: Says why a row cannot be asked; None for one that can.
    """

    path: Path
    columns: Sequence[str]
    names: Mapping[str, str]
    run: str
    problem_with: Callable[[Fields], str | None]

    @property
    def failed_path(self) -> Path:
        """Of the table of rows without a label."""
        return self.path.with_name(f"{self.path.stem}_failed{self.path.suffix}")

    def write(
        self,
        rows: Iterable[Row],
        answers: Sequence[Answer | None],
        before: Mapping[str, Cells],
    ) -> Written:
        """Write both tables; that of failed rows goes away when there are none.

        Args:
            rows: In their order.
            answers: One a row; None for one that was not asked.
            before: `content_id` to the cells that rows have already; they stay where a row was not
                asked, or has failed earlier than that.

        Raises:
            LedgerError: The disk refuses.
        """
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        kept = 0
        with ExitStack() as stack:
            whole = Writer(stack.enter_context(replacing(self.path)), bom=True)
            rest = Writer(stack.enter_context(replacing(self.failed_path)), bom=True)
            own = apart(self.columns)
            whole.write([[*own, *LABELS]])
            rest.write([[*own, *FAILURES]])
            for row, answer in zip(rows, answers, strict=True):
                given = [row.fields.get(name) for name in self.columns]
                cells = self._cells(answer)
                if before and not cells[0]:
                    cells = _newer(before.get(content_id(row.fields)), answer) or cells
                    kept += cells is not _UNLABELLED
                counts[cells[0]] += 1
                whole.write(lines([[*given, *cells]], excel=False))
                if not cells[0]:
                    why = self._why(answer, row.fields)
                    reasons[why[0]] += 1
                    rest.write(lines([[*given, *cells, *why, self.run]], excel=False))
        failed = reasons.total()
        if not failed:
            self.failed_path.unlink(missing_ok=True)
        return Written(
            rows=len(answers),
            labels={key: counts[key] for key in self.names},
            kept=kept,
            failed=failed,
            new=reasons[NEW],
            refused=reasons[REFUSED],
            failed_path=self.failed_path if failed else None,
        )

    def before(self) -> Mapping[str, Cells]:
        """The labels that the table has now, by the `content_id` of their rows.

        A table that is none of this script's, or cannot be read, has none.
        """
        if not self.path.is_file():
            return {}
        with suppress(InputError):
            return dict(self._labelled(good_rows(open_source(str(self.path)))))
        return {}

    def _labelled(self, rows: Iterable[Row]) -> Iterator[tuple[str, Cells]]:
        given = dict(zip(apart(self.columns), self.columns, strict=True))
        for row in rows:
            if list(row.fields) != [*given, *LABELS]:
                return
            if row.fields[LABELED] == _YES and row.fields[LABEL] in self.names:
                key = content_id({given[name]: row.fields[name] for name in given})
                label, name, labelled, at = (str(row.fields[each]) for each in LABELS)
                yield key, (label, name, labelled, at)

    def _cells(self, answer: Answer | None) -> Cells:
        if answer is None or answer.label is None:
            return _UNLABELLED
        return answer.label, self.names.get(answer.label, ""), _YES, _local(answer.at)

    def _why(self, answer: Answer | None, fields: Fields) -> tuple[str, str]:
        """Why a row has no label: code and message."""
        if answer is None:
            problem = self.problem_with(fields)
            return (NEW, _NEW_MESSAGE) if problem is None else (REFUSED, problem)
        if answer.code is None:
            return PENDING, _PENDING_MESSAGE
        return answer.code, answer.message or ""


def _newer(cells: Cells | None, answer: Answer | None) -> Cells | None:
    """A label that a row got after it had failed here: by another run, asked otherwise."""
    if cells is None or answer is None:
        return cells
    return cells if cells[-1] >= _local(answer.at) else None


def _local(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime(_TIME)
