"""`processor export` and `run --output`: files of every form, pivot tables, a run that goes on."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
import xlsxwriter
from command_line import Shell
from pyarrow import parquet as pq

from processor.ledger.ledger import open_ledger

TASK = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""


@pytest.fixture
def done(shell: Shell) -> Shell:
    """A run of three items, the second of which failed."""
    shell.write("say.toml", TASK)
    rows = [{"id": n, "word": f"단어 {n}", "tag": {"n": n}, "long": 2**70 + n} for n in (1, 2, 3)]
    shell.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    shell.fault("bad_request:match=단어 2")
    shell.run("--task", "say.toml", "--input", "rows.jsonl")
    return shell


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_that_never_began_has_nothing_to_write(shell: Shell) -> None:
    with open_ledger(shell.folder / "out"):
        pass  # where a kill may leave it
    result = shell("export", "out", "--output", "t.csv")
    assert (result.code, result.out) == (1, "")
    assert "out: its run was killed before it began." in result.err
    assert not (shell.folder / "t.csv").exists()


def test_the_newest_run_is_written_whole(done: Shell) -> None:
    result = done("export", "--output", "all.csv")
    assert (result.code, result.out, result.err) == (0, "3 rows written to all.csv\n", "")
    assert (done.folder / "all.csv").read_bytes() == (done.the_run() / "results.csv").read_bytes()


def test_json_lines_keep_nested_values_and_long_integers(done: Shell) -> None:
    result = done("export", "--output", "-", "--columns", "long,tag,id", "--only", "success")
    assert result.err == ""
    assert [json.loads(line) for line in result.out.splitlines()] == [
        {"long": 2**70 + n, "tag": {"n": n}, "id": n} for n in (1, 3)
    ]
    assert list(json.loads(result.out.splitlines()[0])) == ["long", "tag", "id"]


def test_parquet_and_excel_know_types(done: Shell) -> None:
    assert done("export", "--output", "t.parquet").code == 0
    types = {field.name: str(field.type) for field in pq.read_schema(done.folder / "t.parquet")}
    assert {name: types[name] for name in ("id", "word", "long", "attempts", "cost_usd")} == {
        "id": "int64",
        "word": "string",
        "long": "string",
        "attempts": "int64",
        "cost_usd": "decimal128(18, 8)",
    }
    assert "json" in types["tag"]
    assert done("export", "--output", "t.xlsx", "--columns", "id,word,long").code == 0
    book = calamine.CalamineWorkbook.from_path(str(done.folder / "t.xlsx"))
    assert book.get_sheet_by_index(0).to_python()[1] == [1.0, "단어 1", str(2**70 + 1)]


@pytest.mark.parametrize(
    ("only", "ids"), [("failed", ["2"]), ("success", ["1", "3"]), ("review", [])]
)
def test_only_some_rows_are_written(done: Shell, only: str, ids: list[str]) -> None:
    done("export", "--output", "some.csv", "--only", only)
    assert [row["id"] for row in table(done.folder / "some.csv")] == ids


def test_a_run_writes_outputs_at_its_end(shell: Shell) -> None:
    shell.write("say.toml", TASK)
    shell.write("rows.csv", "id,word\n1,a\n2,=b\n")
    outputs = ("--output", "out.csv", "--output", "out.parquet", "--excel", "--no-bom")
    result = shell.run("--task", "say.toml", "--input", "rows.csv", *outputs)
    assert result.code == 0
    own = (shell.the_run() / "results.csv").read_bytes()
    assert own.startswith(b"id,word")
    assert b"'=b" in own
    assert (shell.folder / "out.csv").read_bytes() == own
    assert pq.read_table(shell.folder / "out.parquet")["word"].to_pylist() == ["a", "=b"]


def test_nothing_but_rows_goes_to_standard_output(shell: Shell) -> None:
    shell.write("say.toml", TASK)
    shell.write("rows.csv", "id,word\n1,a\n2,b\n")
    result = shell.run("--task", "say.toml", "--input", "rows.csv", "--output", "-")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == ["1", "2"]
    assert "2 of 2 finished" in result.err


def test_a_reader_that_goes_away_ends_the_writing(done: Shell) -> None:
    command = [sys.executable, "-m", "processor", "export", "--output", "-"]
    with subprocess.Popen(
        command, cwd=done.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_is_told(done: Shell) -> None:
    command = [sys.executable, "-m", "processor", "export", "--output", "-"]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command, cwd=done.folder, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 5
    assert ended.stderr.startswith(b"Error: standard output: No space left on device")


def persona_run(shell: Shell, rows: list[dict[str, Any]]) -> None:
    shell.write("say.toml", TASK)
    shell.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert shell.run("--task", "say.toml", "--input", "rows.jsonl").code == 0


def test_answers_pivot_into_personas_by_questions(shell: Shell) -> None:
    """25 x 11, in the order of the first sight, whatever the order of the rows."""
    pairs = [(p, q) for q in range(11) for p in range(25)]
    pairs.sort(key=lambda pair: (pair[0] * 7 + pair[1] * 5) % 23)
    rows = [
        {"id": n, "word": f"{p}-{q}", "페르소나": f"사람 {p}", "질문": f"질문 {q}?"}
        for n, (p, q) in enumerate(pairs)
    ]
    persona_run(shell, rows)
    result = shell("export", "--output", "p.csv", "--pivot", "페르소나", "질문", "--values", "word")
    assert result.out == "25 rows written to p.csv\n"
    with (shell.folder / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *lines = csv.reader(file)
    assert head == ["페르소나", *dict.fromkeys(f"질문 {q}?" for _, q in pairs)]
    assert [line[0] for line in lines] == list(dict.fromkeys(f"사람 {p}" for p, _ in pairs))
    for line in lines:
        for question, answer in zip(head[1:], line[1:], strict=True):
            assert f"사람 {answer.split('-')[0]}" == line[0]
            assert f"질문 {answer.split('-')[1]}?" == question


def test_two_answers_for_one_cell_are_refused_or_joined(shell: Shell) -> None:
    rows = [("A", "x", "one"), ("B", 7, "three"), ("A", "x", "two")]
    persona_run(
        shell,
        [
            {"id": n, "who": who, "what": what, "word": word}
            for n, (who, what, word) in enumerate(rows)
        ],
    )
    pivot = ("export", "--output", "p.csv", "--pivot", "who", "what", "--values", "word")
    refused = shell(*pivot)
    assert refused.code == 1
    assert "2 answers for the cell of who 'A' and what 'x': 'one', 'two'" in refused.err
    assert not (shell.folder / "p.csv").exists()
    assert shell(*pivot, "--pivot-join", " / ").code == 0
    assert table(shell.folder / "p.csv") == [
        {"who": "A", "x": "one / two", "7": ""},
        {"who": "B", "x": "", "7": "three"},
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--output", "x.doc"], "of no known format"),
        (["--output", "x.parquet.gz"], "of no known format"),
        (["--output", ""], "--output is empty"),
        (["--output", "nowhere/x.csv"], "there is no folder"),
        (["--output", "runs"], "is of no known format"),
        (["--output", "folder.csv"], "is a directory"),
        (["--output", f"{'x' * 300}.csv"], "File name too long"),
        (["--output", "x.csv", "--columns", "id\nword"], "a name is empty"),
        (["--output", "postgresql://h/d", "--write-columns", "result=a\nb"], "cannot be read"),
        (["--output", "rows.jsonl"], "is the input of this run"),
        (["--output", "x.csv", "--columns", "wrod"], "Did you mean 'word'?"),
        (["--output", "x.csv", "--columns", "id,id"], "named twice"),
        (["--output", "x.csv", "--columns", "id,,word"], "a name is empty"),
        (["--output", "x.csv", "--pivot", "id", "id"], "three columns"),
        (["--output", "x.csv", "--pivot", "id", "nothing"], "no column 'nothing'"),
        (["--output", "x.csv", "--pivot", "id", "error_code"], "no 'error_code'"),
        (["--output", "x.csv", "--pivot", "id", "word", "--columns", "id"], "exclude each other"),
        (["--output", "x.csv", "--values", "word"], "go with --pivot"),
        (["--output", "x.csv", "--keep-old"], "no use for old values"),
        (["--output", "postgresql://u:secret@h/d", "--pivot", "id", "word"], "goes into files"),
        (["no-run", "--output", "x.csv"], "no-run holds no run"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(
    done: Shell, options: list[str], words: str
) -> None:
    (done.folder / "folder.csv").mkdir()
    before = sorted(done.folder.glob("*"))
    result = done("export", *options)
    (line,) = result.err.splitlines()
    assert result.code == 1
    assert words in line
    assert "secret" not in line
    assert sorted(done.folder.glob("*")) == before


def test_a_workbook_that_is_read_is_not_written_over(shell: Shell) -> None:
    """Though of the source's name the sheet is a part; nor is what a link leads to."""
    with xlsxwriter.Workbook(shell.folder / "book.xlsx") as book:
        book.add_worksheet("Data").write_row(0, 0, ["id", "word"])
        book.worksheets()[0].write_row(1, 0, [1, "a"])
    (shell.folder / "link.xlsx").symlink_to("book.xlsx")
    shell.write("say.toml", TASK)
    before = (shell.folder / "book.xlsx").read_bytes()
    for read, written in (("book.xlsx", "book.xlsx"), ("link.xlsx", "book.xlsx")):
        options = ("--task", "say.toml", "--input", read, "--sheet", "Data", "--output", written)
        refused = shell.run(*options)
        assert (refused.code, "is the input of this run" in refused.err) == (1, True)
    assert (shell.folder / "book.xlsx").read_bytes() == before


def test_an_output_that_its_own_pattern_would_read_is_refused(shell: Shell) -> None:
    shell.write("say.toml", TASK)
    shell.write("a.csv", "id,word\n1,a\n")
    options = ("--task", "say.toml", "--input", "*.csv", "--output")
    refused = shell.run(*options, "b.csv")
    assert refused.code == 1
    assert "is the input of this run" in refused.err
    assert shell.stats()["received"] == 0
    assert shell.run(*options, "b.tsv").code == 0


def test_a_pattern_that_the_shell_replaced_is_told(shell: Shell) -> None:
    result = shell.run("--input", "a.csv", "b.csv")
    assert result.code == 1
    assert "'b.csv' stands alone. Name its option. A pattern goes in quotes" in result.err


@pytest.mark.parametrize(
    ("package", "extra", "name"),
    [("pyarrow", "parquet", "t.parquet"), ("xlsxwriter", "excel", "t.xlsx")],
)
def test_a_format_whose_package_is_missing_says_what_to_install(
    done: Shell, package: str, extra: str, name: str
) -> None:
    program = (
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"  # as if it were not installed
        "from processor.cli import main\n"
        f"main(['export', '--output', {name!r}])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=done.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: the package {package} is not installed. "
        f"Install it: pip install 'request-processor[{extra}]'.\n"
    )


def test_help_shows_examples(shell: Shell) -> None:
    result = shell("export", "--help")
    assert "processor export --output table.xlsx --pivot persona question" in result.out
