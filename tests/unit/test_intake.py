import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import Table, ledger_of, numbered, rules

from processor.data import open_source
from processor.data.interruptible import Interruptible
from processor.data.source import BadRow
from processor.errors import InputError
from processor.items import Item
from processor.ledger import ids
from processor.ledger.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def items(ledger: Ledger) -> list[Item]:
    return [pending.item for pending in ledger.pending()]


def keys(ledger: Ledger) -> list[str | int]:
    return [one.id for one in items(ledger)]


def refusal(ledger: Ledger, table: Table, **how: Any) -> InputError:
    """Why a table is refused; and that it leaves the ledger as it was."""
    before = items(ledger), ledger.counts(), ledger.knows(table)
    with pytest.raises(InputError) as caught:
        ledger.take_in(table, rules(**how))
    assert (items(ledger), ledger.counts(), ledger.knows(table)) == before
    return caught.value


def test_rows_become_items_in_their_order(ledger: Ledger) -> None:
    intake = ledger.take_in(numbered(23), rules(chunk_size=10))
    assert (intake.rows_read, intake.added, intake.skipped) == (23, 23, 0)
    found = items(ledger)
    assert [one.seq for one in found] == list(range(1, 24))
    assert [one.chunk for one in found] == [1] * 10 + [2] * 10 + [3] * 3
    assert found[6] == Item(seq=7, chunk=1, id=7, fields={"id": 7, "text": "text 7"})


def test_an_error_in_row_90_000_leaves_nothing(ledger: Ledger) -> None:
    def rows() -> Iterator[Mapping[str, Any] | BadRow]:
        yield from ({"id": n} for n in range(1, 90_000))
        yield BadRow(number=90_000, problem="has 3 fields, the header 2")
        yield {"id": 90_001}

    error = refusal(ledger, Table(rows()))
    assert str(error) == (
        "table.csv: row 90000: has 3 fields, the header 2; nothing was imported. "
        "Mend the rows, or leave them out with --skip-invalid."
    )
    assert error.row == 90_000
    assert ledger.counts().total == 0


def test_a_source_that_breaks_in_the_middle_leaves_nothing(ledger: Ledger) -> None:
    def rows() -> Iterator[Mapping[str, Any]]:
        yield {"id": 1}
        raise InputError("is cut off", source="table.csv")

    assert str(refusal(ledger, Table(rows()))) == "table.csv: is cut off"


@pytest.mark.parametrize(
    ("values", "row", "problem"),
    [
        (["a", "b", "a"], 3, "the id 'a' stands in row 1 already"),
        ([1, "1"], 2, "the id '1' stands in row 1 already"),
        ([1.0, 1], 2, "the id '1' stands in row 1 already"),
        (["a", "a", "a"], 2, "the id 'a' stands in row 1 already (and 1 more: row 3)"),
        (["a", None], 2, "id is empty"),
        (["a", ""], 2, "id is empty"),
        (["a", " \t"], 2, "id is empty"),
        (["a", float("nan")], 2, "id is empty"),
        (["a", True], 2, "id is True, and an id must be text or a whole number"),
        (["a", 1.5], 2, "id is 1.5, and an id must be text or a whole number"),
        (["a", 1e300], 2, "id is 1e+300, and an id must be text or a whole number"),
        (["a", [1]], 2, "id is [1], and an id must be text or a whole number"),
        (["a", "\ud800"], 2, "str is not valid UTF-8: surrogates not allowed"),
    ],
)
def test_an_id_that_cannot_be_is_named_by_file_and_row(
    ledger: Ledger, values: list[Any], row: int, problem: str
) -> None:
    error = refusal(ledger, Table([{"id": value} for value in values]))
    assert str(error).startswith(f"table.csv: row {row}: {problem}; nothing was imported")


def test_many_bad_rows_are_counted_and_the_first_five_named(ledger: Ledger) -> None:
    error = refusal(ledger, Table([{"id": None} for _ in range(2_000)]))
    assert "row 1: id is empty (and 1,999 more: row 2, 3, 4, 5, …)" in str(error)


def test_a_long_id_is_cut_in_the_message(ledger: Ledger) -> None:
    error = refusal(ledger, Table([{"id": "x" * 9_999}, {"id": "x" * 9_999}]))
    assert len(str(error)) < 300


@pytest.mark.parametrize(
    "value", ["1", "01", "-", "가" * 5_000, "a\nb", " 7", 0, -5, 2**53 + 1, 2**63, 10**4_000]
)
def test_an_id_comes_back_as_it_came(ledger: Ledger, value: str | int) -> None:
    ledger.take_in(Table([{"id": value}]), rules())
    assert keys(ledger) == [value]
    assert type(keys(ledger)[0]) is type(value)
    assert items(ledger)[0].fields == {"id": value}


def test_a_whole_number_of_excel_is_an_integer(ledger: Ledger) -> None:
    ledger.take_in(Table([{"id": 12.0}]), rules())
    assert keys(ledger) == [12]


@given(st.text() | st.integers())
def test_equal_ids_are_those_that_read_alike(value: str | int) -> None:
    key, is_integer = ids.identify(value, "id")
    assert (int(key) if is_integer else key) == value
    assert key == str(value)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"id": 2, "text": ""}, "text is empty"),
        ({"id": 2, "text": "\u3000\n"}, "text is empty"),
        ({"id": 2, "text": None}, "text is empty"),
        ({"id": 2}, "text is missing"),
        ({"id": 2, "text": float("inf")}, "an infinite number is not JSON"),
        ({"id": 2, "text": {1, 2}}, "Type is not JSON serializable: set"),
    ],
)
def test_a_field_that_cannot_be_is_refused(
    ledger: Ledger, row: dict[str, Any], problem: str
) -> None:
    error = refusal(ledger, Table([{"id": 1, "text": "a"}, row]), required=["text"])
    assert f"row 2: {problem};" in str(error)


def test_a_row_that_is_unfit_to_be_asked_is_named(ledger: Ledger) -> None:
    def unfit(fields: Mapping[str, Any]) -> str | None:
        return "text holds no <math>" if fields["text"] == "hello" else None

    table = Table([{"id": n, "text": text} for n, text in enumerate(["a", "hello", ""], 1)])
    error = refusal(ledger, table, required=["text"], problem_with=unfit)
    assert "row 2: text holds no <math> (and 1 more: row 3); nothing" in str(error)
    intake = ledger.take_in(table, rules(required=["text"], problem_with=unfit, skip_invalid=True))
    assert (intake.added, intake.skipped, keys(ledger)) == (1, 2, [1])


@pytest.mark.parametrize("value", [0, False, 0.0])
def test_nothing_but_nothing_is_empty(ledger: Ledger, value: object) -> None:
    ledger.take_in(Table([{"id": 1, "n": value}]), rules(required=["n"]))
    assert ledger.counts().total == 1


@pytest.mark.parametrize("skip_invalid", [False, True])
def test_a_missing_column_is_named_beside_one_that_is_near(
    ledger: Ledger, *, skip_invalid: bool
) -> None:
    table = Table([{"question": n, "matml": "<mi>x</mi>"} for n in range(3)])
    error = refusal(
        ledger, table, id_field="question", required=["mathml"], skip_invalid=skip_invalid
    )
    assert str(error) == (
        "table.csv: there is no column 'mathml'. It has: question, matml; did you mean 'matml'? "
        "Rename the column or choose another task."
    )


def test_a_missing_column_of_a_large_table_is_noticed_early(ledger: Ledger) -> None:
    table = Table({"id": n} for n in range(1_000_000))
    refusal(ledger, table, required=["text"])
    assert len(table.readings) == 1_000


def test_a_field_that_only_the_first_rows_lack_is_no_missing_column(ledger: Ledger) -> None:
    error = refusal(ledger, Table([{"id": 1}, {"id": 2, "text": "a"}]), required=["text"])
    assert "row 1: text is missing;" in str(error)


def test_a_column_known_from_elsewhere_may_be_missing_here(ledger: Ledger) -> None:
    ledger.take_in(Table([{"id": 1, "text": "a"}]), rules(required=["text"]))
    other = Table([{"id": 2, "body": "a"}], name="other.csv", uri="memory:other")
    assert "there is no column 'text'" in str(refusal(ledger, other, required=["text"]))


class TestGrownSource:
    def test_only_new_ids_are_taken_and_open_new_chunks(self, ledger: Ledger) -> None:
        ledger.take_in(numbered(13), rules(chunk_size=10))
        before = items(ledger)
        intake = ledger.take_in(numbered(25), rules(chunk_size=5))
        assert (intake.rows_read, intake.added) == (25, 12)
        found = items(ledger)
        assert found[:13] == before
        assert [one.id for one in found[13:]] == list(range(14, 26))
        assert [one.chunk for one in found[13:]] == [3] * 5 + [4] * 5 + [5] * 2

    def test_a_known_id_that_was_not_asked_yet_takes_what_is_new(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"id": 1, "text": "old"}]), rules())
        ledger.take_in(Table([{"id": "1", "text": "new"}, {"id": 2, "text": "b"}]), rules())
        assert [one.fields["text"] for one in items(ledger)] == ["new", "b"]

    def test_an_id_doubled_in_it_is_refused(self, ledger: Ledger) -> None:
        ledger.take_in(numbered(2), rules())
        for doubled in (2, 3):
            table = Table([{"id": 1}, {"id": 2}, {"id": 3}, {"id": doubled}])
            error = refusal(ledger, table)
            assert f"row 4: the id '{doubled}' stands in row {doubled} already" in str(error)

    def test_its_new_columns_are_known_after_the_old(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"id": 1, "b": 1}]), rules())
        ledger.take_in(Table([{"a": 1, "id": 2}]), rules())
        assert ledger.meta()["columns"] == '["id","b","a"]'

    def test_nothing_new_changes_nothing(self, ledger: Ledger) -> None:
        ledger.take_in(numbered(3), rules())
        assert ledger.take_in(numbered(3), rules()).added == 0
        assert ledger.counts().total == 3

    def test_rows_after_an_import_without_any(self, ledger: Ledger) -> None:
        ledger.take_in(Table([]), rules())
        ledger.take_in(numbered(3), rules())
        assert keys(ledger) == [1, 2, 3]
        assert "stands in row 1" in str(refusal(ledger, Table([{"id": 9}, {"id": 9}])))


class TestRowIds:
    def test_an_inserted_line_shifts_nothing(self, ledger: Ledger) -> None:
        texts = ["a", "b", "c"]
        ledger.take_in(Table([{"text": text} for text in texts]), rules("row"))
        before = keys(ledger)
        ledger.take_in(Table([{"text": text} for text in ["new", *texts]]), rules("row"))
        assert keys(ledger)[:3] == before
        assert [one.fields["text"] for one in items(ledger)] == ["a", "b", "c", "new"]

    def test_twins_are_numbered(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"t": "a"}, {"t": "b"}, {"t": "a"}, {"t": "a"}]), rules("row"))
        first, _, second, third = keys(ledger)
        assert (second, third) == (f"{first}-2", f"{first}-3")

    def test_a_further_twin_is_new(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"t": "a"}, {"t": "a"}]), rules("row"))
        intake = ledger.take_in(Table([{"t": "b"}, *[{"t": "a"}] * 3]), rules("row"))
        assert intake.added == 2
        assert [one.fields["t"] for one in items(ledger)] == ["a", "a", "b", "a"]

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abcd")))
    def test_a_second_reading_adds_exactly_what_is_more(
        self, tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str]
    ) -> None:
        with open_ledger(tmp_path_factory.mktemp("run")) as ledger:
            ledger.take_in(Table([{"t": text} for text in first]), rules("row"))
            ledger.take_in(Table([{"t": text} for text in second]), rules("row"))
            found = [one.fields["t"] for one in items(ledger)]
        assert {text: found.count(text) for text in "abcd"} == {
            text: max(first.count(text), second.count(text)) for text in "abcd"
        }


class TestSkipInvalid:
    def test_good_rows_are_kept_and_bad_ones_listed(self, ledger: Ledger) -> None:
        table = Table(
            [
                {"text": "no id"},
                {"id": 1, "text": "a"},
                BadRow(number=3, problem="is not CSV"),
                {"id": 1, "text": "again"},
                {"id": 2, "text": ""},
                {"id": 3, "text": "b"},
            ]
        )
        intake = ledger.take_in(table, rules(required=["text"], skip_invalid=True))
        assert (intake.rows_read, intake.added, intake.skipped) == (6, 2, 4)
        assert keys(ledger) == [1, 3]
        listed = ledger.connection.execute("SELECT * FROM skipped ORDER BY row").fetchall()
        assert listed == [
            ("memory:table", 1, "id is missing"),
            ("memory:table", 3, "is not CSV"),
            ("memory:table", 4, "the id '1' stands in row 2 already"),
            ("memory:table", 5, "text is empty"),
        ]

    def test_the_list_is_that_of_the_latest_reading(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"id": 1}, {"id": None}]), rules(skip_invalid=True))
        ledger.take_in(Table([{"id": 1}, {"id": 2}, {"id": 2}]), rules(skip_invalid=True))
        assert ledger.connection.execute("SELECT row FROM skipped").fetchall() == [(3,)]

    def test_a_name_that_is_no_text_is_a_fault_of_its_row(self, ledger: Ledger) -> None:
        ledger.take_in(Table([{"id": 1, "\udc80": "x"}, {"id": 2}]), rules(skip_invalid=True))
        assert keys(ledger) == [2]
        assert ledger.meta()["columns"] == '["id"]'

    def test_every_bad_row_is_listed(self, ledger: Ledger) -> None:
        table = Table([{"id": None}] * 3_000 + [{"id": 1}])
        ledger.take_in(table, rules(skip_invalid=True))
        assert ledger.connection.execute("SELECT COUNT(*) FROM skipped").fetchone() == (3_000,)


class TestLimit:
    def test_it_takes_the_first_and_then_the_next_new_rows(self, ledger: Ledger) -> None:
        assert ledger.take_in(numbered(10), rules(limit=4)).added == 4
        assert ledger.take_in(numbered(10), rules(limit=4)).added == 4
        assert keys(ledger) == list(range(1, 9))
        assert ledger.take_in(numbered(10), rules(limit=4)).added == 2

    def test_the_first_import_reads_no_further(self, ledger: Ledger) -> None:
        table = Table({"id": n} if n <= 5 else {} for n in range(1, 1_000_000))
        ledger.take_in(table, rules(limit=5))
        assert keys(ledger) == [1, 2, 3, 4, 5]
        assert len(table.readings) == 5

    def test_bad_rows_do_not_count(self, ledger: Ledger) -> None:
        table = Table([{"id": None}, {"id": 1}, {"id": None}, {"id": 2}, {"id": 3}])
        ledger.take_in(table, rules(limit=2, skip_invalid=True))
        assert keys(ledger) == [1, 2]


class TestKnown:
    def test_a_source_read_whole_is_known_until_it_changes(self, ledger: Ledger) -> None:
        table = numbered(3)
        assert not ledger.knows(table)
        ledger.take_in(table, rules())
        assert ledger.knows(table)
        table.version = "2"
        assert not ledger.knows(table)

    @pytest.mark.parametrize(("limit", "known"), [(2, False), (3, False), (4, True)])
    def test_a_limit_may_have_left_rows(self, ledger: Ledger, limit: int, *, known: bool) -> None:
        ledger.take_in(numbered(3), rules(limit=limit))
        assert ledger.knows(numbered(3)) is known

    def test_what_cannot_be_told_is_not_known(self, ledger: Ledger) -> None:
        table = numbered(3)
        table.version = None
        ledger.take_in(table, rules())
        assert not ledger.knows(table)


CHANGED = (
    "table.csv: changed while it was read; nothing was imported. "
    "The same command reads it again; give it once the file is complete."
)


class TestChangedWhileRead:
    @pytest.mark.parametrize("later", ["2", None])
    def test_it_is_refused_at_every_import(self, ledger: Ledger, later: str | None) -> None:
        table = Table([])

        def growing(first: int) -> Iterator[Mapping[str, Any]]:
            yield {"id": first}
            table.version = later

        table.content = growing(1)
        assert str(refusal(ledger, table)) == CHANGED
        ledger.take_in(Table([{"id": 1}], uri="memory:other"), rules())
        table.content, table.version = growing(2), "1"
        assert str(refusal(ledger, table, skip_invalid=True)) == CHANGED
        assert keys(ledger) == [1]

    @pytest.mark.parametrize(
        "torn", [BadRow(number=2, problem="has 1 fields"), InputError("is cut", source="table.csv")]
    )
    def test_it_explains_what_else_is_wrong(
        self, ledger: Ledger, torn: BadRow | InputError
    ) -> None:
        table = Table([])

        def cut() -> Iterator[Mapping[str, Any] | BadRow]:
            yield {"id": 1}
            table.version = "2"
            if isinstance(torn, InputError):
                raise torn
            yield torn

        table.content = cut()
        assert str(refusal(ledger, table)) == CHANGED

    def test_nobody_can_tell_of_a_pipe(self, ledger: Ledger) -> None:
        table = numbered(3)
        table.version = None
        assert ledger.take_in(table, rules()).added == 3

    def test_a_file_cut_in_the_middle_of_a_row(self, ledger: Ledger, tmp_path: Path) -> None:
        """The torn row has all its fields, so that only the file's change gives it away."""
        path = tmp_path / "q.csv"
        whole = b"id,text\n" + b"".join(b"%d,<math>%d</math>\n" % (n, n) for n in range(50_000))
        path.write_bytes(whole)
        rows_read = 0

        def cut() -> bool:
            nonlocal rows_read
            rows_read += 1
            if rows_read == 100:
                os.truncate(path, len(whole) - 5)
            return False

        with pytest.raises(InputError, match="changed while it was read"):
            ledger.take_in(Interruptible(open_source(str(path)), cut), rules())
        assert ledger.counts().total == 0
        path.write_bytes(whole)
        assert ledger.take_in(open_source(str(path)), rules()).added == 50_000


_IMPORT = """
import sys
from pathlib import Path
from processor.items import Row
from processor.ledger.ledger import open_ledger
from processor.ledger.reading import IntakeRules
from processor.machine import peak_rss_mb
from processor.tasks.toml import load_task

class Table:
    name = uri = "rows"
    def columns(self): return ()
    def stamp(self): return None
    def rows(self):
        for n in range(1, COUNT + 1):
            fields = {"id": n, "mathml": f"<math><mn>{n}</mn></math>", "subject": "algebra"}
            yield Row(number=n, fields=fields)

COUNT = int(sys.argv[2])
rules = IntakeRules(
    id_field="id",
    required=["mathml"],
    chunk_size=100,
    problem_with=load_task("mathml").problem_with,
)
with open_ledger(Path(sys.argv[1])) as ledger:
    ledger.take_in(Table(), rules)
print(peak_rss_mb())
"""


def _peak_mb(folder: Path, count: int) -> float:
    """Peak memory of an import in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(folder), str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    small_mb = _peak_mb(tmp_path / "small", 40_000)
    large_mb = _peak_mb(tmp_path / "large", 200_000)
    assert large_mb < 1.2 * small_mb


def test_chunks_cover_every_item_once(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 37, chunk_size=8) as ledger:
        ledger.take_in(numbered(100), rules(chunk_size=15))
        spans = ledger.connection.execute(
            "SELECT number, first_seq, items FROM chunks ORDER BY number"
        ).fetchall()
    assert [number for number, _, _ in spans] == list(range(1, len(spans) + 1))
    covered = [seq for _, first, count in spans for seq in range(first, first + count)]
    assert covered == list(range(1, 101))
