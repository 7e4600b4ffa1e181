"""The users' persona job by the command line: its scenarios, its rows, lines of the Batch API."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from command_line import Shell
from python_calamine import CalamineWorkbook

from processor import Processor
from processor.data import personas
from processor.sandbox_process import sandbox

FIRST = "어디가 불편해서 방문하게 되었나요?"
TEXT = f"질문: {FIRST}\n페르소나: 폭발적인, 비논리적인"
CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """Its batches end at once."""
    waits = ["--validating-s", "0", "--in-progress-s", "0", "--finalizing-s", "0"]
    with sandbox(["--latency-ms", "1", *waits]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


def results(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "results.csv").read_text("utf-8-sig"))))


def answers(shell: Shell, *options: str) -> list[dict[str, str]]:
    done = shell.run("--task", "persona", "--route", "direct", *options)
    assert (done.code, done.err) == (0, "")
    return results(shell.the_run())


def line(number: int, url: str = CHAT, **body: Any) -> dict[str, Any]:
    said = {"messages": [{"role": "user", "content": TEXT}]} if url == CHAT else {"input": TEXT}
    model = "text-embedding-3-small" if url == EMBEDDINGS else "gpt-6-luna"
    request = {"model": model, **said, **body}
    return {"custom_id": f"request-{number}", "method": "POST", "url": url, "body": request}


def lines(*given: Mapping[str, Any]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in given)


def test_one_question_first_and_the_others_later(shell: Shell) -> None:
    rows = answers(shell, "--only", f"질문={FIRST}")
    assert len(rows) == len({row["페르소나"] for row in rows}) == 25
    assert {row["질문"] for row in rows} == {FIRST}
    assert len(answers(shell)) == 275
    assert shell.stats()["paid"] == 275
    assert shell.figures()["reconciled"] is True


def test_the_rows_that_are_printed_are_those_that_are_asked(shell: Shell) -> None:
    printed = shell("tasks", "persona", "--rows").out
    first = (
        '{"model": "gpt-6-luna", "input": "질문: 어디가 불편해서 방문하게 되었나요?\\n페르소나: '
    )
    assert printed.startswith(first + '고립되고 겁이 많은, 미성숙한"}\n')
    assert [json.loads(one) for one in printed.splitlines()] == personas.lines()
    rows = answers(shell, "--input", shell.write("batchinput.jsonl", printed))
    assert shell("export", "--pivot", "페르소나", "질문", "--output", "answers.xlsx").code == 0
    head, *table = CalamineWorkbook.from_path("answers.xlsx").get_sheet_by_index(0).to_python()
    assert (len(head), len(table)) == (12, 25)
    assert head[1:] == list(dict.fromkeys(row["질문"] for row in rows))
    assert [row[0] for row in table] == list(dict.fromkeys(row["페르소나"] for row in rows))
    cells = {(row[0], asked): cell for row in table for asked, cell in zip(head, row, strict=True)}
    assert all(cells[row["페르소나"], row["질문"]] == row["result"] for row in rows)


def test_no_rows_come_with_other_tasks(shell: Shell) -> None:
    refused = shell("tasks", "news", "--rows")
    assert (refused.code, refused.out) == (1, "")
    assert "no rows come with news" in refused.err


def test_a_part_that_failed_is_recovered(shell: Shell) -> None:
    shell.fault("server_error:match=폭발적인")
    failed = shell.run("--task", "persona", "--route", "direct", "--retries", "0")
    assert failed.code == 2
    assert (shell.figures()["succeeded"], shell.figures()["failed"]) == (220, 55)
    shell.reset()
    assert shell("retry").out.startswith("55 items are pending again")
    assert len(answers(shell)) == 275
    assert (shell.figures()["succeeded"], shell.figures()["failed"]) == (275, 0)
    assert shell.stats()["paid"] == 55


def test_a_share_of_the_rows(shell: Shell) -> None:
    assert len(answers(shell, "--generate", "30")) == 30
    refused = shell.run("--task", "persona", "--generate", "276", "--new")
    assert refused.code == 1
    assert "There are 275; ask for 1 to 275" in refused.err


def test_nobody_pays_for_these_rows_unasked(shell: Shell) -> None:
    for options in ([], ["--generate", "3"]):
        refused = shell("run", "--task", "persona", *options)
        assert refused.code == 1
        assert "--generate N --yes pays for made-up ones" in refused.err
    assert not (shell.folder / "runs").exists()


def test_a_table_of_ones_own_needs_no_model(shell: Shell) -> None:
    table = shell.write("rows.csv", "질문,페르소나,patient\na?,b,34세\nc?,d,\n")
    assert [row["페르소나"] for row in answers(shell, "--input", table)] == ["b", "d"]


def test_symptoms_and_the_patient_are_told(shell: Shell) -> None:
    given = {"model": "gpt-6-luna", "input": TEXT + "\n증상: 두통", "patient": {"나이": 34}}
    shell.write("rows.jsonl", lines(given))
    told = shell("tasks", "try", "persona", "--input", "rows.jsonl", "--dry-run").out
    assert "환자 정보: 나이 34\n" in told
    assert told.endswith("증상: 두통\n")


def test_the_models_of_lines_are_theirs_until_another_is_named(shell: Shell) -> None:
    gone = [{"model": "gpt-4-turbo-preview", "input": TEXT.replace("?", f"{n}?")} for n in range(4)]
    options = ("--task", "persona", "--input", shell.write("rows.jsonl", lines(*gone)), "--route")
    for lane in ("direct", "batch"):
        stopped = shell.run(*options, lane, "--out", lane)
        assert stopped.code == 3
        assert "model_not_found: " in stopped.err
        assert "Name another model with --model and --accept-change." in stopped.err
        mended = shell.run(*options, lane, "--out", lane, "--model", "gpt-6-sol", "--accept-change")
        assert mended.code == 0
        assert {row["model"] for row in results(shell.folder / lane)} == {"gpt-6-sol"}
        assert {row["input_model"] for row in results(shell.folder / lane)} == {
            "gpt-4-turbo-preview"
        }


@pytest.mark.parametrize("task", ["persona", "requests"])
def test_a_model_that_is_not_there_fails_the_lines_that_name_it(shell: Shell, task: str) -> None:
    odd = {"model": "gpt-99-nova"}
    given = [line(number, **(odd if number % 5 == 2 else {})) for number in range(20)]
    table = shell.write("rows.jsonl", lines(*given))
    done = shell.run("--task", task, "--input", table, "--route", "direct")
    assert done.code == 2, done.err
    failed = {row["id"]: row["error_code"] for row in results(shell.the_run()) if row["error_code"]}
    assert failed == {f"request-{number}": "model_not_found" for number in (2, 7, 12, 17)}


def test_a_parameter_that_is_refused_fails_the_lines_that_have_it(shell: Shell) -> None:
    heat = {"model": "gpt-6-sol", "temperature": 0.3}
    cool = {"model": "gpt-6-sol"}
    given = [line(number, **(heat if number % 5 == 2 else cool)) for number in range(20)]
    table = shell.write("rows.jsonl", lines(*given))
    done = shell.run("--task", "requests", "--input", table, "--route", "direct")
    assert done.code == 2, done.err
    failed = {row["id"]: row["error_code"] for row in results(shell.the_run()) if row["error_code"]}
    assert failed == {f"request-{number}": "refused_parameter" for number in (2, 7, 12, 17)}


@pytest.mark.parametrize("lane", ["direct", "batch"])
def test_full_lines_are_rows_too(shell: Shell, lane: str) -> None:
    table = shell.write("rows.jsonl", lines(*(line(n) for n in range(3))))
    done = shell.run("--task", "persona", "--input", table, "--route", lane)
    assert (done.code, done.err) == (0, "")
    rows = results(shell.the_run())
    assert [row["id"] for row in rows] == ["request-0", "request-1", "request-2"]
    assert {(row["질문"], row["기질"], row["성격"]) for row in rows} == {
        (FIRST, "폭발적인", "비논리적인")
    }


@pytest.mark.parametrize("lane", ["direct", "batch"])
@pytest.mark.parametrize("url", [CHAT, RESPONSES, EMBEDDINGS])
def test_lines_as_they_are(shell: Shell, url: str, lane: str) -> None:
    own = {"user": "somebody"}
    table = shell.write("rows.jsonl", lines(*(line(n, url, **own) for n in range(3))))
    done = shell.run("--task", "requests", "--input", table, "--route", lane)
    assert (done.code, done.err) == (0, "")
    assert [row["id"] for row in results(shell.the_run())] == [f"request-{n}" for n in range(3)]
    if url == EMBEDDINGS:
        assert (shell.the_run() / "embeddings.npy").exists()
    if lane == "direct":
        assert shell.stats()["by_route"][f"POST {url}"] == 3


def test_a_line_is_sent_with_all_that_it_says(shell: Shell) -> None:
    table = shell.write("rows.jsonl", lines(line(0, temperature=0.5, max_tokens=9)))
    told = shell("tasks", "try", "requests", "--input", table, "--dry-run").out
    assert "temperature: 0.5" in told
    assert "max_tokens: 9" in told
    assert "model: gpt-6-luna" in told
    others = ("--model", "mine", "--max-output-tokens", "7")
    told = shell("tasks", "try", "requests", "--input", table, "--dry-run", *others).out
    assert "model: mine" in told
    assert "max_tokens: 7" in told
    assert "max_tokens: 9" not in told


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (line(2, RESPONSES), f"its url is {RESPONSES}, after lines for {CHAT}; make two files"),
        (line(1), "the id 'request-1' stands in row 1 already"),
        ({**line(2), "custom_id": None}, "has no custom_id, which a Batch line needs"),
        ({**line(2), "method": "GET"}, "its method is 'GET'; the Batch API knows POST"),
        ({"model": "m", "input": TEXT}, "is a short line after full Batch lines"),
        (line(2, messages=[]), f"its body has no messages, which {CHAT} needs"),
        (line(2, stream=True), "its body asks for stream, and an answer is read as a whole"),
        (line(2, model=None), "its body names no model, as --model does"),
    ],
)
def test_bad_lines_are_told_by_file_and_line(
    shell: Shell, second: Mapping[str, Any], said: str
) -> None:
    table = shell.write("rows.jsonl", lines(line(1), second))
    refused = shell.run("--task", "requests", "--input", table)
    assert refused.code == 1
    assert refused.err.startswith(f"Error: rows.jsonl: row 2: {said}")
    assert refused.err.count("\n") == 1
    assert not list((shell.folder / "runs").glob("*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "m", "input": TEXT}, "there is no column 'body'"),
        (line(1, "/v1/images/generations"), "its url is /v1/images/generations, and there are /v1"),
        (line(1, EMBEDDINGS, input=["a", "b"]), "its body asks for several vectors"),
    ],
)
def test_lines_that_cannot_be_sent(shell: Shell, given: Mapping[str, Any], said: str) -> None:
    refused = shell.run("--task", "requests", "--input", shell.write("rows.jsonl", lines(given)))
    assert refused.code == 1
    assert said in refused.err


def test_a_damaged_line_is_told(shell: Shell) -> None:
    shell.write("rows.jsonl", lines(line(1)) + '{"custom_id": "request-2", "method"')
    refused = shell.run("--task", "requests", "--input", "rows.jsonl")
    assert refused.code == 1
    assert refused.err.startswith("Error: rows.jsonl: row 2: is cut off: it ends within its JSON")


def packed(shell: Shell) -> str:
    return shell.write("rows.jsonl.gz", gzip.compress(lines(line(0), line(1)).encode()))


def parts(shell: Shell) -> str:
    for number in range(2):
        shell.write(f"part{number}.jsonl", lines(line(number)))
    return "part*.jsonl"


@pytest.mark.parametrize("made", [packed, parts])
@pytest.mark.parametrize("task", ["persona", "requests"])
def test_other_ways_to_bring_lines(shell: Shell, task: str, made: Callable[[Shell], str]) -> None:
    done = shell.run("--task", task, "--input", made(shell), "--route", "direct")
    assert (done.code, done.err) == (0, "")
    assert [row["id"] for row in results(shell.the_run())] == ["request-0", "request-1"]


def test_files_of_several_urls_are_told_by_their_names(shell: Shell) -> None:
    shell.write("part0.jsonl", lines(line(0)))
    shell.write("part1.jsonl", lines(line(1, RESPONSES)))
    refused = shell.run("--task", "requests", "--input", "part*.jsonl")
    assert refused.code == 1
    assert refused.err.startswith(f"Error: part1.jsonl: row 1: its url is {RESPONSES}")


def test_lines_from_a_pipe(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(lines(line(0), line(1)).encode()))
    monkeypatch.setattr(sys, "stdin", pipe)
    done = shell.run("--task", "requests", "--input", "-", "--route", "direct")
    assert (done.code, done.err) == (0, "")
    assert [row["id"] for row in results(shell.the_run())] == ["request-0", "request-1"]


def test_lines_in_a_program(shell: Shell) -> None:
    engine = Processor(base_url=shell.url, api_key="sk-test", route="direct")
    shell.write("batchinput.jsonl", lines(*personas.lines()[:3]))
    assert engine.run_sync("persona", "batchinput.jsonl").succeeded == 3
    made = engine.run_sync("persona", iter(personas.lines()), out="made")
    assert made.succeeded == 275
    rows = list(engine.run_sync("requests", [line(n) for n in range(3)], out="lines").rows())
    assert [row["id"] for row in rows] == [f"request-{n}" for n in range(3)]
    chosen = Processor(base_url=shell.url, api_key="sk-test", only={"성격": "미성숙한"}, repeat=2)
    told = chosen.run_sync("persona", "batchinput.jsonl", out="chosen", progress=False)
    assert [row["repeat"] for row in told.rows()] == [1, 2]


def test_lines_in_tables_that_know_their_columns(shell: Shell) -> None:
    short = pd.DataFrame(personas.lines()[:4])
    engine = Processor(base_url=shell.url, api_key="sk-test", route="direct")
    assert engine.run_sync("persona", short, out="frame").succeeded == 4
    whole = pl.DataFrame([line(n) for n in range(2)])
    assert engine.run_sync("requests", whole, out="whole").succeeded == 2
    short.to_parquet("rows.parquet")
    rows = answers(shell, "--input", "rows.parquet", "--only", "성격=미성숙한")
    assert [row["성격"] for row in rows] == ["미성숙한"]
    short.assign(input="no label").to_parquet("bare.parquet")
    refused = shell.run("--task", "persona", "--input", "bare.parquet")
    assert refused.code == 1
    assert "there is no column '질문'" in refused.err


@pytest.mark.parametrize("lane", ["direct", "batch"])
def test_each_row_several_times(shell: Shell, lane: str) -> None:
    table = shell.write("rows.jsonl", lines(*personas.lines()[:5]))
    options = ("--task", "persona", "--input", table, "--route", lane)
    assert shell.run(*options, "--repeat", "3").code == 0
    rows = results(shell.the_run())
    assert [row["id"] for row in rows] == [f"{row['repeat_of']}#{row['repeat']}" for row in rows]
    assert [row["repeat"] for row in rows] == ["1", "2", "3"] * 5
    assert len({row["repeat_of"] for row in rows}) == 5
    assert shell.figures()["total"] == shell.figures()["succeeded"] == 15
    more = shell.run(*options, "--repeat", "4")
    assert more.code == 0
    assert shell.figures()["total"] == shell.figures()["requests_sent"] == 20
    again = shell.run(*options)
    assert again.code == 0
    assert shell.figures()["total"] == shell.figures()["requests_sent"] == 20
    fewer = shell.run(*options, "--repeat", "2")
    assert (fewer.code, fewer.out) == (1, "")
    assert "--repeat 2: this run was begun with --repeat 4" in fewer.err


def test_repeats_that_were_left_are_asked_by_the_same_command(shell: Shell) -> None:
    table = shell.write("rows.jsonl", lines(*personas.lines()[:4]))
    options = ("--task", "persona", "--input", table, "--route", "direct", "--repeat", "5")
    assert shell.run(*options, "--limit", "7").code == 0
    assert (shell.figures()["succeeded"], shell.stats()["paid"]) == (7, 7)
    dry = shell.run(*options, "--dry-run")
    assert "13 to send · 7 finished before" in dry.out
    assert shell.run(*options).code == 0
    assert (shell.figures()["total"], shell.stats()["paid"]) == (20, 20)


def test_a_dry_run_counts_repeats(shell: Shell) -> None:
    told = shell.run("--task", "persona", "--repeat", "4", "--only", "기질=폭발적인", "--dry-run")
    assert told.code == 0
    assert "220 to send" in told.out
    assert not (shell.folder / "runs").exists()


def test_repeats_in_one_cell_are_put_together_on_request(shell: Shell) -> None:
    answers(shell, "--only", f"질문={FIRST}", "--repeat", "2")
    pivot = ("export", "--pivot", "페르소나", "질문", "--output", "answers.csv")
    refused = shell(*pivot)
    assert refused.code == 1
    assert "2 answers for the cell of 페르소나 '고립되고 겁이 많은, 미성숙한'" in refused.err
    assert "--pivot-join" in refused.err
    assert shell(*pivot, "--pivot-join", " / ").code == 0
    table = list(csv.reader(io.StringIO((shell.folder / "answers.csv").read_text("utf-8-sig"))))
    assert len(table) == 26
    assert all(" / " in row[1] for row in table[1:])
    assert shell("export", "--pivot", "페르소나", "repeat", "--output", "each.csv").code == 0
    each = (shell.folder / "each.csv").read_text("utf-8-sig")
    assert each.startswith("페르소나,1,2\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--repeat", "0"], "--repeat: "),
        (["--repeat", "-1"], "--repeat: "),
        (["--repeat", "1001"], "--repeat: "),
        (["--repeat", "x"], "'--repeat'"),
        (["--only", "x"], "--only: NAME=VALUE is needed"),
        (["--only", "=x"], "--only: string should have at least 1 character"),
        (["--only", "기질=x"], "personas: no row has 기질=x"),
        (["--only", "기운=x"], "personas: there is no column '기운'"),
    ],
)
def test_bad_wishes_are_refused(shell: Shell, options: list[str], said: str) -> None:
    refused = shell.run("--task", "persona", *options)
    assert refused.code == 1
    assert said in refused.err
    assert not list((shell.folder / "runs").glob("*"))


def test_what_is_not_meant_is_not_sent(shell: Shell) -> None:
    shell.fault("insufficient_quota")
    assert shell.run("--task", "persona", "--route", "direct").code == 3
    shell.reset()
    refused = shell.run("--task", "persona", "--route", "direct", "--only", "기질=폭발적인")
    assert refused.code == 1
    assert "waits in this run, and --only does not mean it" in refused.err
    assert shell.stats()["paid"] == 0


def test_repeats_of_rows_with_numbers_keep_their_types(shell: Shell) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(
        pa.table({"question_id": [1, 2], "mathml": ["<math><mi>x</mi></math>"] * 2}), "q.parquet"
    )
    assert shell.run("--input", "q.parquet", "--repeat", "2", "--only", "question_id=2").code == 0
    assert shell("export", "--output", "out.parquet").code == 0
    rows = pq.read_table("out.parquet").to_pylist()
    assert [(row["question_id"], row["repeat_of"], row["repeat"]) for row in rows] == [
        ("2#1", 2, 1),
        ("2#2", 2, 2),
    ]


def test_submitting_repeats_begins_a_run(shell: Shell) -> None:
    options = ("--base-url", shell.url, "--quiet", "--repeat", "2")
    submitted = shell("batch", "submit", "--task", "persona", "--generate", "3", *options)
    assert submitted.code == 6
    assert shell("batch", "download", "--wait", "--quiet").code == 0
    assert [row["repeat"] for row in results(shell.the_run())] == ["1", "2"] * 3
    refused = shell("batch", "submit", "runs/x", "--repeat", "3")
    assert "--repeat is for a run that begins" in refused.err
