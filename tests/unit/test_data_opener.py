import gzip
import io
import os
import pty
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from processor import packing, postgres
from processor.data import BadRow, open_source
from processor.data.files import refusal
from processor.data.opener import StandardInput
from processor.errors import InputError, UsageError
from processor.exports.output import Terms, open_output
from processor.items import Row

CSV = "id,본문\n1,가나다\n"
JSONL = '{"id": "1", "본문": "가나다"}\n'
ROW = [Row(number=1, fields={"id": "1", "본문": "가나다"})]


def why_refused(spec: str | Path) -> InputError:
    """What is wrong with a file, when it is opened or read."""
    with pytest.raises(InputError) as caught:
        list(open_source(str(spec)).rows())
    return caught.value


def piped(text: bytes) -> list[Row | BadRow]:
    source = StandardInput(stream=io.TextIOWrapper(io.BytesIO(text)))
    return list(source.rows())


def unpacked(text: bytes) -> bytes:
    return text


def zstandard(text: bytes) -> bytes:
    packed = io.BytesIO()
    with packing.packing(packed, packing.ZSTANDARD) as stream:
        stream.write(text)
    return packed.getvalue()


def gzipped(text: bytes) -> bytes:
    # Without the time: workers that collect the same tests must see the same bytes.
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize(
    ("name", "text"), [("t.CSV", CSV), ("t.jsonl", JSONL), ("t.NDJson", JSONL)]
)
@pytest.mark.parametrize(
    ("packed", "pack"), [("", unpacked), (".gz", gzipped), (".zst", zstandard)]
)
def test_a_table_reads_the_same_in_every_encoding_and_packed(
    tmp_path: Path, name: str, text: str, encoding: str, packed: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / (name + packed)
    path.write_bytes(pack(text.encode(encoding)))
    source = open_source(str(path))
    assert list(source.rows()) == ROW
    assert list(source.rows()) == ROW, "a source can be read again"


def test_tab_separated_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(CSV.replace(",", "\t").encode("utf-16"))
    assert list(open_source(str(path)).rows()) == ROW


def test_an_encoding_that_cannot_be_recognised_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id\ncafé\n".encode("cp1252"))
    assert "--encoding" in why_refused(path).way_out
    rows = list(open_source(str(path), encoding="cp1252").rows())
    assert rows == [Row(number=1, fields={"id": "café"})]
    with pytest.raises(UsageError, match="unknown encoding 'latin-x'"):
        open_source(str(path), encoding="latin-x")


def test_korean_that_begins_after_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["id,text", *(f"{n},plain" for n in range(100_000)), "x,대한민국"]
    path.write_bytes("\n".join(lines).encode("cp949"))
    *_, last = open_source(str(path)).rows()
    assert last == Row(number=100_001, fields={"id": "x", "text": "대한민국"})


def test_a_file_is_known_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "monday.csv").write_text(CSV)
    (tmp_path / "today.csv").symlink_to("monday.csv")
    spec = os.path.relpath(tmp_path / "today.csv")
    source = open_source(spec)
    assert source.name == spec
    assert source.uri == str(tmp_path / "today.csv")


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    source = open_source(str(path))
    first = source.stamp()
    assert first == open_source(str(path)).stamp()
    path.write_text(CSV + "2,라\n")
    grown = source.stamp()
    os.utime(path, ns=(1, 1))
    assert len({first, grown, source.stamp(), None}) == 4


def test_a_pipe_with_a_name_has_no_stamp(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    os.mkfifo(path)
    assert open_source(str(path)).stamp() is None


@pytest.mark.parametrize("ending", [".csv", ".jsonl.gz", ".parquet", ".xlsx"])
def test_a_name_that_is_too_long_is_refused_as_one(ending: str) -> None:
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        open_source("x" * 300 + ending)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "questions.csv").write_text(CSV)
    error = why_refused(tmp_path / "question.csv")
    assert "there is no such file" in error.message
    assert error.way_out == "Did you mean questions.csv?"
    assert why_refused(tmp_path / "zzz.jsonl").way_out == ""
    assert "There is no folder" in why_refused(tmp_path / "nowhere" / "t.csv").way_out
    assert "There is no folder" in why_refused(tmp_path / "questions.csv" / "t.csv").way_out


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    assert "is a directory" in why_refused(tmp_path / "t.csv").message
    assert "is a directory" in why_refused(tmp_path).message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "has no rows"),
        ("t.jsonl", b"", "has no rows"),
        ("t.csv.gz", b"", "has no rows"),
        ("t.csv.gz", gzipped(b""), "has no rows"),
        ("t.csv.gz", CSV.encode(), "ends in .gz but is not gzip"),
        (
            "t.csv.gz",
            gzipped(random.Random(0).randbytes(9999).hex().encode())[:-99],
            "is a broken or cut off gzip file",
        ),
        ("t.csv.gz", gzipped(b"a\n1\n")[:-8] + bytes(8), "is a broken or cut off gzip file"),
        ("t.csv.gz", gzipped(b"a\n1\n")[:10] + b"\xff" * 20, "is a broken or cut off gzip"),
        ("t.csv", gzipped(CSV.encode()), "is packed with gzip"),
        ("t.csv.zst", b"", "is a broken or cut off Zstandard file"),
        ("t.csv.zst", CSV.encode(), "ends in .zst but is not Zstandard"),
        ("t.csv.zst", zstandard(bytes(range(256)) * 99)[:-9], "is a broken or cut off Zstandard"),
        ("t.csv.zst", zstandard(CSV.encode()) + b"junk", "holds something else behind"),
        ("t.csv", zstandard(CSV.encode()), "is packed with Zstandard"),
        ("t.parquet.gz", b"PAR1", "is of no known format"),
        ("t.ods", b"PK", "is of no known format"),
        ("t", CSV.encode(), "is of no known format"),
        ("t.gz", CSV.encode(), "is of no known format"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = why_refused(path)
    assert error.source == str(path)
    assert words in error.message


def test_an_unknown_format_names_the_known() -> None:
    error = why_refused("t.doc")
    known = ".csv, .tsv, .jsonl, .ndjson, each also with .gz or .zst, .parquet, .xlsx, and -"
    assert known in error.way_out


@pytest.mark.parametrize("table", ["db", "db.csv"])
def test_an_unknown_database_shows_no_password(table: str) -> None:
    error = why_refused(f"mysql://me:secret@host/{table}")
    assert "PostgreSQL is read" in error.way_out
    assert "secret" not in str(error)


@pytest.mark.parametrize("scheme", ["postgresql:/", "postgres:", " POSTGRESQL:"])
def test_an_address_with_a_slash_too_few_shows_no_password(scheme: str) -> None:
    typed = f"{scheme}me:secret@host/db"
    assert "secret" not in str(why_refused(typed))
    with pytest.raises(UsageError) as refused:
        open_output(typed, Terms(), task="t")
    assert "secret" not in str(refused.value)
    assert postgres.shown("a:b@c.doc") == "a:b@c.doc"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "null byte" in why_refused("a\0b.csv").message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "may not be read"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_what_the_system_refuses_is_told(error: OSError, words: str) -> None:
    """Tests may run as root, whom no permission stops."""
    assert words in refusal(error, Path("t.csv"), name="t.csv").message


@pytest.mark.parametrize(
    "text",
    [
        CSV.encode(),
        CSV.encode("cp949"),
        CSV.encode("utf-16"),
        JSONL.encode("utf-8-sig"),
    ],
)
def test_standard_input_is_recognised_by_its_beginning(text: bytes) -> None:
    assert piped(text) == ROW


def test_blank_lines_before_json_do_not_make_it_csv() -> None:
    assert piped(b"\n" * 100 + JSONL.encode()) == [Row(number=101, fields=ROW[0].fields)]
    assert piped(b"[1]\n") == [BadRow(number=1, problem="is an array, not an object")]


@pytest.mark.parametrize("text", [b"", b"\n", b"id\n"])
def test_standard_input_without_rows_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match="standard input: has no rows"):
        piped(text)


@pytest.mark.parametrize("spec", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_standard_input_has_many_names(spec: str) -> None:
    source = open_source(spec)
    assert (source.name, source.uri, source.stamp()) == ("standard input", "-", None)


def test_another_descriptor_is_no_standard_input(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    with (tmp_path / "t.csv").open() as stream:
        error = why_refused(f"/dev/fd/{stream.fileno()}")
    assert "is of no known format" in error.message
    assert "- for standard input" in error.way_out


def test_a_nul_byte_is_named_with_its_row(tmp_path: Path) -> None:
    """Near the beginning too, where more of them would be a sign of UTF-16."""
    table, lines = tmp_path / "t.csv", tmp_path / "t.jsonl"
    table.write_text("id,text\n1,a\n2,b\0\n")
    error = why_refused(table)
    assert (error.row, "has a NUL byte (line 3)" in error.message) == (2, True)
    lines.write_text('{"id": 1}\n{"id": "\0"}\n')
    assert [type(row) for row in open_source(str(lines)).rows()] == [Row, BadRow]


def test_rows_come_out_of_a_pipe_before_it_is_closed() -> None:
    program = (
        "from processor.data import open_source\n"
        "for row in open_source('-').rows(): print(row.number, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b'{"id": 1, "text": "' + b"x" * 100 + b'"}\n')
        child.stdin.flush()
        assert child.stdout.readline() == b"1\n"
        child.stdin.close()


def test_a_terminal_as_standard_input_is_refused() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs) as terminal:
        source = StandardInput(stream=terminal)
        assert (source.uri, source.stamp()) == ("-", None)
        with pytest.raises(InputError, match="standard input: is a terminal"):
            source.rows()


def test_a_closed_standard_input_is_refused() -> None:
    for stream in (None, io.StringIO()):
        if stream is not None:
            stream.close()
        with pytest.raises(InputError, match="standard input: is closed"):
            StandardInput(stream=stream).rows()
