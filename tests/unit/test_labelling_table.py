"""The labelled table: what it keeps of an earlier one, and what it never does."""

from datetime import datetime
from pathlib import Path

from processor.items import Row
from processor.labelling.answers import Answer, Fields, content_id
from processor.labelling.table import Table

NAMES = {"0": "옹호 (Support)", "1": "중립 (Neutral)"}
ROWS = [Row(number=n, fields={"text": text, "label": "정답"}) for n, text in enumerate("가나다", 1)]
NOON = datetime(2026, 11, 21, 12).astimezone().timestamp()


def table_in(folder: Path) -> Table:
    path = folder / "labeled.csv"
    return Table(
        path=path, columns=["text", "label"], names=NAMES, run="news-1", problem_with=empty
    )


def empty(fields: Fields) -> str | None:
    return None if fields["text"] else "text is empty"


def failed(seq: int, at: float) -> Answer:
    return Answer(seq=seq, label=None, at=at, code="invalid", message="No label.")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    answers = [Answer(seq=1, label="1", at=NOON), failed(2, NOON), None]
    written = table.write(ROWS, answers, {})
    assert (written.rows, written.failed, written.kept) == (3, 2, 0)
    assert written.labels == {"0": 0, "1": 1}
    assert table.path.read_bytes().decode("utf-8-sig").splitlines() == [
        "text,input_label,label,label_name,labeled,labeled_at",
        "가,정답,1,중립 (Neutral),True,2026-11-21 12:00:00",
        "나,정답,,,False,",
        "다,정답,,,False,",
    ]
    lines = table.failed_path.read_bytes().decode("utf-8-sig").splitlines()
    assert [line.split(",")[6] for line in lines] == ["error_code", "invalid", "new_row"]
    assert [line.split(",")[-1] for line in lines] == ["run", "news-1", "news-1"]
    assert list(table.before()) == [content_id(ROWS[0].fields)]


def test_a_row_that_cannot_be_asked_is_not_called_new(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    rows = [Row(number=1, fields={"text": "", "label": ""}), *ROWS[1:]]
    written = table.write(rows, [None, None, failed(3, NOON)], {})
    assert (written.failed, written.new, written.refused) == (3, 1, 1)
    lines = table.failed_path.read_bytes().decode("utf-8-sig").splitlines()
    assert lines[1].split(",")[6:8] == ["invalid_row", "text is empty"]


def test_a_label_stays_where_a_row_has_not_failed_since(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    cells = ("0", NAMES["0"], "True", "2026-11-21 12:00:00")
    before = {content_id(row.fields): cells for row in ROWS}
    answers = [failed(1, NOON - 60), failed(2, NOON + 60), None]
    written = table.write(ROWS, answers, before)
    assert (written.kept, written.failed) == (2, 1)
    found = table.path.read_bytes().decode("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in found[1:]] == ["0", "", "0"]


def test_failed_rows_of_before_go_away_with_the_last(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    table.write(ROWS[:1], [failed(1, NOON)], {})
    assert table.failed_path.exists()
    written = table.write(ROWS[:1], [Answer(seq=1, label="0", at=NOON)], {})
    assert written.failed_path is None
    assert not table.failed_path.exists()


def test_a_table_of_somebody_else_has_no_labels_to_keep(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    assert table.before() == {}
    for content in ("text,label\n가,0\n", "text,label\n", "", '"', "\0"):
        table.path.write_text(content, "utf-8")
        assert table.before() == {}
