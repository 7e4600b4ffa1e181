"""How far labels agree with those of people: printed, and kept beside the labelled table."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from processor.errors import UsageError
from processor.exports.atomic import replacing
from processor.items import Row
from processor.quality.agreement import Agreement, compare
from processor.quality.figure import Figure
from processor.tasks.label import Vocabulary


def gold_labels(rows: Iterable[Row], column: str, names: Mapping[str, str]) -> list[str | None]:
    """The labels that people gave; None for an empty cell, and for one that is no label.

    Args:
        rows: Of the table.
        column: That holds them: keys (`1`) or names (`중립`).
        names: Label to name.
    """
    known = Vocabulary(names)
    cells = (row.fields.get(column) for row in rows)
    return [None if cell is None else known.exact(_plain(str(cell))) for cell in cells]


def check(
    column: str, columns: Sequence[str], rows: Iterable[Row], names: Mapping[str, str]
) -> None:
    """See that there is something to compare with, before anything is written.

    Raises:
        UsageError: There is no such column, or it holds no label.
    """
    if column not in columns:
        raise UsageError(
            f"--gold {column}: 그런 열이 없습니다", way_out=f"있는 열: {', '.join(columns)}."
        )
    if all(label is None for label in gold_labels(rows, column, names)):
        raise UsageError(
            f"--gold {column}: 라벨로 읽을 수 있는 값이 하나도 없습니다",
            way_out=f"쓸 수 있는 값: {', '.join((*names, *names.values()))}.",
        )


def agreement(
    gold: Sequence[str | None], labels: Sequence[str | None], names: Mapping[str, str]
) -> Agreement:
    """How far labels agree with those of people, row by row."""
    return compare(gold, labels, names)


def lines(found: Agreement, column: str) -> Iterator[str]:
    """The comparison in words."""
    yield f"🎯 정답 비교 ({column} 열, {found.pairs}개 행)"
    yield f"   정확도: {_share(found.accuracy)}"
    yield f"   Cohen's kappa: {_number(found.kappa)}"
    if found.only_first or found.only_second or found.neither:
        yield (
            f"   비교에서 빠진 행: 라벨 없음 {found.only_first}개, 정답 없음 "
            f"{found.only_second}개, 둘 다 없음 {found.neither}개"
        )
    yield "   혼동 행렬 (행: 정답, 열: 예측)"
    labels = found.confusion.labels
    width = max((len(str(n)) for row in found.confusion.counts for n in row), default=1)
    width = max(width, *(len(label) for label in labels))
    yield "      " + " ".join(label.rjust(width) for label in ("", *labels))
    for label, counts in zip(labels, found.confusion.counts, strict=True):
        cells = " ".join(str(count).rjust(width) for count in counts)
        yield f"      {label.rjust(width)} {cells}"


def path_of(output: Path) -> Path:
    """Where the comparison is kept."""
    return output.with_name(f"{output.stem}_gold.json")


def write(found: Agreement, column: str, path: Path) -> None:
    """Keep the comparison as JSON.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing(path) as file:
        values = {"column": column, **asdict(found)}
        file.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")


def _plain(cell: str) -> str:
    """Spreadsheets make `1.0` of 1."""
    return cell.strip().removesuffix(".0")


def _share(figure: Figure) -> str:
    if figure.value is None:
        return f"알 수 없음 ({figure.note})"
    between = ""
    if figure.low is not None and figure.high is not None:
        between = f" (95% 구간 {100 * figure.low:.1f}~{100 * figure.high:.1f}%)"
    return f"{100 * figure.value:.1f}%{between}"


def _number(figure: Figure) -> str:
    if figure.value is None:
        return f"알 수 없음 ({figure.note})"
    between = ""
    if figure.low is not None and figure.high is not None:
        between = f" (95% 구간 {figure.low:.3f}~{figure.high:.3f})"
    return f"{figure.value:.3f}{between}"
