"""Results of a run that a program starts, in files: as `run --output` puts them there."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
from command_line import Shell

from processor import Processor, ProcessorError, Task
from processor.cli.run import command
from processor.outputs import Written

TASK = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")
ROWS = [{"id": n, "who": f"guest {n}"} for n in range(1, 26)]


@pytest.fixture
def engine(shell: Shell) -> Processor:
    return Processor(base_url=shell.url, api_key="sk-test-of-the-api", concurrency=5)


def test_files_of_several_kinds(engine: Processor) -> None:
    report = engine.run_sync(TASK, ROWS, out="out", outputs=["all.jsonl", Path("all.parquet")])
    told = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert [row["result"] for row in told] == [row["result"] for row in report.rows()]
    assert pq.read_table("all.parquet")["result"].to_pylist() == [row["result"] for row in told]
    assert [(each.name, each.delivered.inserted) for each in report.handovers] == [
        ("all.jsonl", 25),
        ("all.parquet", 25),
    ]
    assert all(each.problem is None for each in report.handovers)


def test_settings_of_files_are_heeded(shell: Shell) -> None:
    plain = Processor(base_url=shell.url, api_key="sk-test-of-the-api", bom=False, excel=True)
    rows = [{"id": 1, "who": "=HYPERLINK()"}]
    plain.run_sync(TASK, rows, out="out", outputs="all.csv")
    assert Path("all.csv").read_bytes().startswith(b"id,who")
    assert "'=HYPERLINK" in Path("all.csv").read_text()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"outputs": "there/is/no/all.csv"}, "there is no folder"),
        ({"outputs": "all.doc"}, "of no known format"),
        ({"outputs": ""}, "--output is empty"),
        ({"outputs": "mysql://host/school"}, "of no known kind"),
        ({"outputs": 7}, "outputs: int is no place"),
        ({"outputs": ["all.csv", None]}, "outputs: NoneType is no place"),
        ({"write": "verified"}, "are for a database"),
        ({"keep_old": True}, "are for a database"),
        ({"outputs": "all.csv", "output_table": "answers"}, "are for a database"),
        ({"write": "success "}, "write: 'success ' is none of verified, success, all"),
        ({"write_columns": "result=latex"}, "write_columns cannot be read"),
        ({"write_columns": {"result": ""}}, "write_columns cannot be read"),
        ({"ouputs": "all.csv"}, r"ouputs: there is no such keyword \(did you mean outputs\?\)"),
        ({"concurrency": 5}, "concurrency is a setting"),
        ({"out": ""}, "out is empty"),
        ({"table": "questions"}, "table is for items that are the name"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    engine: Processor, shell: Shell, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ProcessorError, match=problem):
        engine.run_sync(TASK, ROWS, **{"out": "out", **options})
    assert shell.stats()["received"] == 0
    assert not Path("out").exists()


def test_standard_output_that_takes_no_bytes_is_refused(engine: Processor, shell: Shell) -> None:
    """As in a notebook."""
    with (
        redirect_stdout(StringIO()),
        pytest.raises(ProcessorError, match="standard output takes no bytes here"),
    ):
        engine.run_sync(TASK, ROWS, out="out", outputs="-")
    assert shell.stats()["received"] == 0


def test_a_program_may_say_what_a_command_may() -> None:
    (write,) = (option for option in command.params if option.name == "write")
    assert tuple(write.to_info_dict()["type"]["choices"]) == get_args(Written)


def test_a_model_that_settings_name_goes_before_the_task_s(shell: Shell) -> None:
    other = Processor(base_url=shell.url, api_key="sk-test-of-the-api", model="gpt-6-terra")
    report = other.run_sync(TASK, ROWS[:1], out="out")
    assert report.figures.model == "gpt-6-terra"
