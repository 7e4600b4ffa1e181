"""FAULTS.md, Input: 91 and 92, as far as they concern what is read and imported.

What is refused costs nothing: one line that names the file and the row, exit 1, nothing sent, no
run left behind. What is taken comes out again as it went in. (Shards, and models in one batch file,
are the batch lane's half of these numbers.)

Further bad files: `integration/test_cli_bad_input.py`.
"""

import csv
import gzip
import io
import json
import os
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from command_line import Result, Shell

TASK = """\
name = "say"
model = "gpt-6-luna"
id = "row"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
PACKED = gzip.compress(b"id,word\n1,x\n2,y\n", mtime=0)
MORE_PACKED = gzip.compress(b"3,z\n", mtime=0)


def run(shell: Shell, name: str, content: str | bytes | None = None, *options: str) -> Result:
    """The table is written first, unless it is there."""
    shell.write("say.toml", TASK)
    if content is not None:
        shell.write(name, content)
    return shell.run("--task", "say.toml", "--input", name, *options)


def assert_refused(shell: Shell, result: Result, *words: str) -> None:
    (line,) = result.err.splitlines()
    assert line.startswith("Error: ")
    assert [word for word in words if word not in line] == []
    assert result.code == 1
    assert shell.stats()["received"] == 0
    assert not list(shell.folder.glob("runs/*"))


def results(shell: Shell) -> list[dict[str, Any]]:
    """Of all chunk files."""
    return [
        entry
        for path in sorted(shell.the_run().glob("conversion_results_batch_*.json"))
        for entry in json.loads(path.read_text())["results"]
    ]


def table(shell: Shell) -> list[dict[str, str]]:
    text = (shell.the_run() / "results.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# --- 91: how many rows, and how much in one ----------------------------------------------------


@pytest.mark.fault(91)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", b""),
        ("r.csv", b"\xef\xbb\xbf"),
        ("r.csv", b"\r\n\r\n"),
        ("r.csv", b"id,word\n"),
        ("r.csv", b"id,word"),
        ("r.jsonl", b""),
        ("r.jsonl", b" \n\t\n"),
        ("r.csv.gz", b""),
        ("r.csv.gz", gzip.compress(b"", mtime=0)),
    ],
)
def test_f91_a_table_without_rows_is_refused(shell: Shell, name: str, content: bytes) -> None:
    assert_refused(shell, run(shell, name, content), name, "has no rows")


@pytest.mark.fault(91)
@pytest.mark.parametrize(
    "content", ["id,word\n1,x", "id,word\r\n1,x\r\n", "\n\nid,word\n\n1,x\n\n"]
)
def test_f91_one_row_is_a_table(shell: Shell, content: str) -> None:
    assert run(shell, "r.csv", content).code == 0
    assert [row["word"] for row in table(shell)] == ["x"]


@pytest.mark.fault(91)
@pytest.mark.parametrize(("count", "chunks"), [(50_000, 500), (50_001, 501)])
def test_f91_a_row_more_than_a_batch_holds_opens_a_chunk(
    shell: Shell, count: int, chunks: int
) -> None:
    shell.fault("bad_key")  # what counts is the import
    rows = "".join(f"{n},word{n}\n" for n in range(1, count + 1))
    assert run(shell, "r.csv", "id,word\n" + rows, "--route", "direct").code == 3
    figures = shell.figures()
    assert figures["pending"] == figures["total"] == count
    assert figures["chunks"] == chunks
    assert shell.stats()["received"] <= 2


@pytest.mark.fault(91)
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("r.csv", b"id,word\n1,", b"\n"),
        ("r.csv", b'id,word\n1,"', b'"\n'),
        ("r.jsonl", b'{"id": 1, "word": "', b'"}\n'),
        ("r.csv.gz", b"id,word\n1,", b"\n"),
    ],
    ids=["plain", "quoted", "json", "packed"],
)
def test_f91_a_cell_of_100_mb_is_refused(
    shell: Shell, name: str, before: bytes, after: bytes
) -> None:
    content = before + b"x" * (100 << 20) + after
    if name.endswith(".gz"):
        content = gzip.compress(content, 1)
    assert_refused(shell, run(shell, name, content), name, "a line of more than 32 MB")


@pytest.mark.fault(91)
def test_f91_ten_thousand_columns_come_out_again(shell: Shell) -> None:
    names = [f"c{n}" for n in range(10_000)]
    header, row = ",".join(["id", "word", *names]), ",".join(["1", "x", *names])
    assert run(shell, "r.csv", f"{header}\n{row}\n").code == 0
    (kept,) = table(shell)
    assert [kept[name] for name in names] == names


# --- 92: ids -----------------------------------------------------------------------------------

KEYED = TASK.replace('"row"', '"key"')
GOOD_IDS = [
    0,
    -1,
    10**30,
    -(10**300),
    "1e3",
    "01",
    " 1 ",
    "../../x",
    "/etc/passwd",
    "C:\\x",
    "con",
    "a\nb",
    "a\r\nb",
    "a\0b",
    'a"b,c',
    "=1+1",
    "'; DROP TABLE items; --",
    "{{ word }}",
    "${HOME}",
    "<b>x</b>",
    "x" * 10_000,
    "🙂👩‍👩‍👧",
    "e\u0301",
    "\u00e9",
    "שלום",
    "\u202egnp",
    "a\u2028b",
    "\ufeff",
    "\U0010ffff",
    "\x1b[31mred\x9b0m",
    "null",
    "None",
    "NaN",
]


@pytest.mark.fault(92, 96)
def test_f92_ids_come_out_as_they_went_in_and_name_no_file(shell: Shell) -> None:
    rows = [json.dumps({"key": key, "word": f"w{n}"}) for n, key in enumerate(GOOD_IDS)]
    shell.write("keyed.toml", KEYED)
    shell.write("r.jsonl", "\n".join(rows))
    options = ("--log-content", "--keep-bodies", "all")
    assert shell.run("--task", "keyed.toml", "--input", "r.jsonl", *options).code == 0
    assert [entry["id"] for entry in results(shell)] == GOOD_IDS
    assert [row["key"] for row in table(shell)] == [str(key) for key in GOOD_IDS]
    made = {path.relative_to(shell.folder).parts[0] for path in shell.folder.rglob("*")}
    assert made == {"keyed.toml", "r.jsonl", "runs", "logs"}
    assert {path.name for path in shell.the_run().iterdir()} == {
        *("ledger.sqlite", ".lock", "conversion_results_batch_001.json", "conversion_stats.json"),
        *("results.csv", "failed.csv"),
    }
    assert not list(shell.folder.parent.glob("x"))


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("null", "key is empty"),
        ('""', "key is empty"),
        ('" \\t\\n"', "key is empty"),
        ('"\\u3000"', "key is empty"),
        ("true", "True"),
        ("1.5", "1.5"),
        ("1e30", "1e+30"),
        ("9007199254740992.0", "9007199254740992.0"),
        ("1e400", "infinity"),
        ("NaN", "NaN"),
        ("-Infinity", "Infinity"),
        ("[1]", "[1]"),
        ('{"a": 1}', "{'a': 1}"),
        ('"\\ud800"', "surrogate"),
        ("1" * 5_000, "4,300 digits"),
        ("01", "JSON"),
    ],
)
def test_f92_what_is_no_id_is_refused_with_its_row(shell: Shell, key: str, said: str) -> None:
    shell.write("keyed.toml", KEYED)
    shell.write("r.jsonl", f'{{"key": "a", "word": "x"}}\n{{"key": {key}, "word": "y"}}\n')
    result = shell.run("--task", "keyed.toml", "--input", "r.jsonl")
    assert_refused(shell, result, "r.jsonl: row 2: ", said)


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    ("first", "again"),
    [("1", "1"), ("1", '"1"'), ("1", "1.0"), ("0", "-0.0"), ('"a"', '"\\u0061"')],
)
def test_f92_ids_that_stand_twice_are_refused_with_both_rows(
    shell: Shell, first: str, again: str
) -> None:
    rows = (f'{{"key": {key}, "word": "x"}}\n' for key in (first, '"between"', again))
    shell.write("keyed.toml", KEYED)
    shell.write("r.jsonl", "".join(rows))
    result = shell.run("--task", "keyed.toml", "--input", "r.jsonl")
    assert_refused(shell, result, "row 3", "row 1 already")


# --- 92: text that is none ---------------------------------------------------------------------


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("r.jsonl", b'{"word": "a"}\n{"word": "\\ud800"}\n', ["row 2", "surrogate"]),
        ("r.jsonl", '{"word": "한국"}\n'.encode() * 9 + b'{"word": "\xed\xa0\x80"}\n', ["row 10"]),
        ("r.csv", "word\n한국어\n".encode() * 5 + b"\xed\xa0\x80\n", ["row 10", "UTF-8"]),
        ("r.jsonl", b'{"word": NaN}\n', ["row 1", "NaN"]),
        ("r.jsonl", b'{"word": "a"}\n{"word": -Infinity}\n', ["row 2", "Infinity"]),
        ("r.jsonl", b'{"word": [NaN]}\n', ["row 1", "NaN"]),
        ("r.csv", b"word,id\na\0b,1\n", ["row 1", "NUL"]),
        ("r.csv", b"\0\0\0\0", ["line 1", "NUL"]),
        ("r.csv", b"id,word,word\n1,2,3\n", ["column", "word", "Rename"]),
        ("r.csv", b"id,,word\n1,2,3\n", ["column 2 has no name"]),
        ("r.csv", b"word,id\nx,1\ny,2,3\n", ["row 2", "3 fields", "line 3"]),
        ("r.csv", b"word,id\nx,1\ny\n", ["row 2", "1 fields", "line 3"]),
        ("r.csv", b'word,id\nx,1\n"y,2\nz,3\n', ["row 2", "never closed", "line 3"]),
        ("r.csv", b'word,id\n"x"y,1\n', ["row 1", "not CSV"]),
        ("r.csv", b"word\nx\n\xef\xbb\xbfword\ny\n", ["row 2", "another file was joined"]),
        ("r.csv", b"\xef\xbb\xbf\xef\xbb\xbfword\nx\n", ["two byte order marks"]),
        ("r.jsonl", b'{"word": 1}\n\xef\xbb\xbf{"word": 2}\n', ["row 2", "byte order mark"]),
        ("r.csv", "word\nx\n".encode("utf-16-le"), ["line 1", "--encoding utf-16-le"]),
        ("r.csv", "word\nx\n".encode("utf-16-be"), ["line 1", "--encoding"]),
        ("r.csv", "word\nx\ny\n".encode("utf-16")[:-1], ["line 3", "utf-16"]),
        ("r.csv.gz", PACKED[:-6], ["broken or cut off gzip"]),
        ("r.csv.gz", PACKED[:20], ["broken or cut off gzip"]),
        ("r.csv.gz", PACKED[:-8] + bytes(4) + PACKED[-4:], ["broken or cut off gzip"]),
        ("r.csv.gz", PACKED + b"rubbish", ["something else behind its gzip data"]),
        ("r.csv.gz", b"id,word\n1,x\n", ["is not gzip"]),
        ("r.csv", PACKED, ["packed with gzip", ".gz"]),
        ("r.jsonl", b'{"word": ' + b"[" * 100_000, ["row 1"]),
        ("r.jsonl", b'{"word": 1, "word": 2}\n', ["row 1", "word more than once"]),
    ],
)
def test_f92_text_that_is_none_is_refused_with_its_place(
    shell: Shell, name: str, content: bytes, said: list[str]
) -> None:
    assert_refused(shell, run(shell, name, content), name, *said)


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.csv", b"word\nx\r\ny\rz\n", ["x", "y", "z"]),
        ("r.csv", b'word\r\n"x\r\ny"\r\n', ["x\r\ny"]),
        ("r.csv", "word\n한\n".encode("utf-16"), ["한"]),
        ("r.csv", "word\n똠방각하\n".encode("cp949"), ["똠방각하"]),
        ("r.jsonl", '{"word": "a\u2028\u0085b"}\n'.encode(), ["a\u2028\u0085b"]),
        ("r.jsonl", b'{"word": "a\\u0000b"}\r\n', ["a\0b"]),
        (
            "r.jsonl",
            b'{"word": 1e2}\n{"word": 12345678901234567890123}\n',
            ["100.0", "12345678901234567890123"],
        ),
        ("r.csv.gz", PACKED + bytes(100), ["x", "y"]),
        ("r.csv.gz", PACKED + MORE_PACKED, ["x", "y", "z"]),
    ],
)
def test_f92_odd_text_comes_out_as_it_went_in(
    shell: Shell, name: str, content: bytes, words: list[str]
) -> None:
    assert run(shell, name, content).code == 0
    assert [row["word"] for row in table(shell)] == words


# --- what is no table at all -------------------------------------------------------------------


@pytest.mark.fault(92)
@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("null.csv", "/dev/null", "has no rows"),
        ("zero.csv", "/dev/zero", "NUL byte"),
        ("random.csv", "/dev/urandom", ""),
        ("memory.csv", "/proc/self/mem", "cannot be read: Input/output error"),
        ("loop.csv", "loop.csv", "cannot be read: Too many levels"),
        ("nowhere.csv", "nowhere", "there is no such file"),
        ("folder.csv", ".", "is a directory"),
    ],
)
def test_f92_devices_and_links_that_hold_no_table(
    shell: Shell, name: str, target: str, said: str
) -> None:
    (shell.folder / name).symlink_to(target)
    result = run(shell, name)
    assert_refused(shell, result, name, said)
    assert f"mean {name}" not in result.err


@pytest.mark.fault(92)
def test_f92_a_socket_is_no_table(shell: Shell) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("r.csv")  # a short name: addresses of sockets are
        assert_refused(shell, run(shell, "r.csv"), "r.csv", "cannot be read")


@pytest.mark.fault(92)
def test_f92_a_pipe_is_read_once(shell: Shell) -> None:
    os.mkfifo(shell.folder / "r.jsonl")
    rows = "".join(f'{{"id": {n}, "word": "x"}}\n' for n in range(50))
    feeder = threading.Thread(target=(shell.folder / "r.jsonl").write_text, args=(rows,))
    feeder.start()
    assert run(shell, "r.jsonl").code == 0
    feeder.join()
    assert shell.figures()["succeeded"] == 50


@pytest.mark.fault(92)
def test_f92_a_file_that_changes_while_it_is_read_is_refused(shell: Shell) -> None:
    """It is touched without a break, from before it is opened until the end."""
    path = shell.folder / shell.write("r.csv", "word\n" + "x\n" * 20_000)
    ended = threading.Event()

    def touch() -> None:
        while not ended.is_set():
            path.touch()

    toucher = threading.Thread(target=touch)
    toucher.start()
    try:
        result = run(shell, "r.csv")
    finally:
        ended.set()
        toucher.join()
    assert_refused(shell, result, "changed while it was read", "nothing was imported")
    assert run(shell, "r.csv", None, "--limit", "1").code == 0, "left alone, it is taken"


@pytest.mark.fault(92, 96)
def test_f96_names_of_files_lead_out_of_no_folder(shell: Shell) -> None:
    names = [
        *("a b.csv", "-x.csv", "$(id).csv", "a\nb.csv", "\x1b]0;x\x07.csv", "한글.csv", "...csv"),
        *("\u202egnp.csv", "'q\".csv", "%s%n.csv", "{0}.csv", "x" * 250 + ".csv", "\\.csv"),
        *("..\\..\\x.csv", "~.csv", "*.csv", "#.csv", "=1.csv"),
    ]
    for name in names:
        shell.write(name, f"word\n{len(name)}\n")
        result = run(shell, f"./{name}")
        assert result.code == 0
        assert not {mark for mark in result.out if not mark.isprintable()} - {"\n"}
    folders = [path.name for path in (shell.folder / "runs").iterdir()]
    assert len(folders) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in folders)
    assert {path.name for path in shell.folder.iterdir()} == {*names, "say.toml", "runs", "logs"}


@pytest.mark.fault(96)
def test_f96_a_folder_whose_name_is_no_text_is_worked_in(shell: Shell) -> None:
    inside = shell.folder / os.fsdecode(b"\xb0\xa1\xff")
    inside.mkdir()
    (inside / "say.toml").write_text(TASK)
    (inside / "r.csv").write_text("word\n한\n")
    command = ("run", "--task", "say.toml", "--input", "r.csv", "--base-url", shell.url)
    done = subprocess.run(
        [sys.executable, "-m", "processor", *command], cwd=inside, capture_output=True, check=False
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert list(inside.glob("runs/*/results.csv"))
