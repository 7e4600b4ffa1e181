"""`processor export`: results as files of every form, chosen rows and columns, pivot tables."""

import csv
import json
from pathlib import Path

import pytest
from command_line import Shell

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
    rows = [{"id": n, "word": f"단어 {n}", "tag": {"n": n}, "big": 2**70 + n} for n in (1, 2, 3)]
    shell.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    shell.fault("bad_request:match=단어 2")
    shell.run("--task", "say.toml", "--input", "rows.jsonl")
    return shell


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_newest_run_is_written_whole(done: Shell) -> None:
    result = done("export", "--output", "all.csv")
    assert (result.code, result.out, result.err) == (0, "3 rows written to all.csv\n", "")
    assert (done.folder / "all.csv").read_bytes() == (done.the_run() / "results.csv").read_bytes()


@pytest.mark.parametrize(
    "name", ["some.csv", "some.tsv.gz", "some.jsonl.zst", "some.parquet", "some.xlsx"]
)
def test_what_is_written_is_read_again(done: Shell, name: str) -> None:
    done("export", "--output", name, "--columns", "id,word,result", "--only", "success")
    copy = done("export", "--output", "copy.jsonl", "--columns", "id,word", "--only", "success")
    assert copy.code == 0
    rows = [json.loads(line) for line in (done.folder / "copy.jsonl").read_text().splitlines()]
    assert rows == [{"id": 1, "word": "단어 1"}, {"id": 3, "word": "단어 3"}]
