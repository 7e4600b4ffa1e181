"""`processor tasks`: listed, shown, tried; and tasks of every form run to their results."""

import csv
import json
from typing import Any

import pytest
from command_line import Result, Shell

from processor.tasks.taskfile import parse

ROWS = "id,title,text\n1,A,red apples\n2,B,green pears\n3,C,blue plums\n4,D,none\n"
PEOPLE = """\
name = "fruit"
description = "What fruit is in a text"
model = "gpt-6-luna"
messages = [
  { role = "developer", content = "Find the fruit." },
  { role = "user", content = "{{ title }}: {{ text }}" },
]
[output]
kind = "json"
columns = true
[output.schema]
type = "object"
required = ["fruit", "ripe", "colours"]
additionalProperties = false
[output.schema.properties]
fruit = { type = "string", minLength = 3 }
ripe = { type = "boolean" }
colours = { type = "array", items = { enum = ["red", "green"] }, minItems = 1 }
"""


@pytest.fixture
def files(shell: Shell) -> Shell:
    shell.write("rows.csv", ROWS)
    shell.write("fruit.toml", PEOPLE)
    return shell


def tried(shell: Shell, *options: str, task: str = "fruit.toml") -> Result:
    return shell("tasks", "try", task, "--input", "rows.csv", "--base-url", shell.url, *options)


def results(shell: Shell) -> list[dict[str, str]]:
    with (shell.the_run() / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_list_names_kind_and_model(shell: Shell) -> None:
    first, second, third, fourth = shell("tasks").out.splitlines()
    assert first.split()[:3] == ["mathml", "latex", "gpt-6-luna"]
    assert second.split()[:3] == ["news", "label", "gpt-6-luna"]
    assert third.split()[:3] == ["persona", "text", "gpt-6-luna"]
    assert fourth.startswith("requests   text       their own models Lines of the Batch API")


def test_what_is_shown_is_a_task_file_still(files: Shell) -> None:
    shown = files("tasks", "show", "fruit.toml")
    assert (shown.code, shown.err) == (0, "")
    assert parse(shown.out, where="f") == parse(PEOPLE, where="f")
    assert "# columns needed: text, title\n" in shown.out
    assert "#     - role: user\n#       content: <title>: <text>\n" in shown.out


def test_a_request_that_hangs_on_its_row_cannot_be_shown_without_one(shell: Shell) -> None:
    shell.write("t.toml", 'name = "t"\nmodel = "m"\nprompt = "{{ n + 1 }}"\n')
    assert "#   depends on the row" in shell("tasks", "show", "t.toml").out


def test_a_dry_run_shows_requests_and_sends_nothing(files: Shell) -> None:
    said = tried(files, "--dry-run", "--rows", "2")
    assert said.code == 0
    assert "content: A: red apples" in said.out
    assert "content: B: green pears" in said.out
    assert "C:" not in said.out
    assert "answer" not in said.out
    assert files.stats()["received"] == 0
    assert sorted(path.name for path in files.folder.iterdir()) == ["fruit.toml", "rows.csv"]


def test_a_trial_prints_request_answer_and_check(files: Shell) -> None:
    files.reset(bad_answers=1.0)
    said = tried(files, "--rows", "2")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line for line in lines if line.startswith("id ")] == ["id 1", "id 2"]
    kinds = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert kinds == ["request", "answer", "invalid", "answer", "result", "check"] * 2
    assert files.stats()["received"] == 4
    assert sorted(path.name for path in files.folder.iterdir()) == ["fruit.toml", "rows.csv"]
    files.reset(bad_answers=0.0)


def test_a_trial_that_fails_says_why(files: Shell) -> None:
    files.fault("model_not_found")
    said = tried(files)
    assert said.code == 3
    assert "  failed    model_not_found: " in said.out
    assert said.err.startswith("Stopped: model_not_found: ")


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_bad_rows_are_refused_or_left_out(files: Shell, options: list[str]) -> None:
    files.write("rows.csv", ROWS.replace("red apples", ""))
    refused = tried(files, "--rows", "2", *options)
    assert refused.code == 1
    assert "rows.csv: row 1: text is empty" in refused.err
    assert files.stats()["received"] == 0
    said = tried(files, "--rows", "2", "--skip-invalid", *options)
    assert said.code == 0
    assert [line for line in said.out.splitlines() if line.startswith("id ")] == ["id 2", "id 3"]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{{ text }}",
            "{{ txt }}",
            "Error: rows.csv: there is no column 'txt'. It has: id, title, text; did you mean 'te",
        ),
        ("{{ text }}", "{{ text", "Error: fruit.toml: messages[1].content: line 1: unexpected end"),
        (
            '"boolean"',
            '"bolean"',
            'Error: fruit.toml: output: schema: no JSON Schema: properties.ripe.type: "bolean" is',
        ),
        ('kind = "json"', 'kind = "jsn"', "Error: fruit.toml: output: kind: no kind 'jsn'"),
    ],
)
def test_a_wrong_task_is_one_line_and_sends_nothing(
    files: Shell, options: list[str], old: str, new: str, said: str
) -> None:
    files.write("fruit.toml", PEOPLE.replace(old, new))
    found = tried(files, *options)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(said)
    assert found.err.count("\n") == 1
    assert files.stats()["received"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["try", "news"], "no rows were named"),
        (["try", "news", "--input", "rows.csv", "--rows", "0"], "'--rows'"),
        (["try", "nope", "--input", "rows.csv"], "nope: no such task"),
        (["try", "news", "--input", "none.csv"], "none.csv"),
        (["show", "nope"], "nope: no such task"),
        (["nope"], "nope: no such task"),
    ],
)
def test_wrong_words(files: Shell, arguments: list[str], said: str) -> None:
    found = files("tasks", *arguments)
    assert found.code == 1
    assert said in found.err
    assert found.err.count("\n") == 1


def test_kind_json_from_schema_to_columns(files: Shell) -> None:
    files.reset(bad_answers=0.5)
    said = files.run("--task", "fruit.toml", "--input", "rows.csv")
    files.reset(bad_answers=0.0)
    assert (said.code, said.err) == (0, "")
    rows = results(files)
    assert list(rows[0])[:8] == [
        *("id", "title", "text", "status", "result", "fruit", "ripe", "colours"),
    ]
    for row in rows:
        whole = json.loads(row["result"])
        assert row["result"] == json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        told = [row["fruit"], json.loads(row["ripe"]), json.loads(row["colours"])]
        assert told == [whole["fruit"], whole["ripe"], whole["colours"]]


def test_what_strict_mode_would_refuse_is_told_and_goes_on(files: Shell) -> None:
    files.write("fruit.toml", PEOPLE.replace("additionalProperties = false\n", ""))
    said = files.run("--task", "fruit.toml", "--input", "rows.csv")
    assert said.code == 0
    assert said.err == (
        "Note: fruit.toml: output: schema is sent with strict = false, because "
        "additionalProperties must be false\n"
    )


BY_ROW = """\
name = "by_row"
model = "gpt-6-luna"
[overrides]
model = "model"
parameters = { max_completion_tokens = "cap" }
[body]
messages = "{{ said }}"
"""


def said_rows(*rows: dict[str, Any]) -> str:
    return "".join(
        json.dumps({"id": number, "said": [{"role": "user", "content": f"q{number}"}], **row})
        + "\n"
        for number, row in enumerate(rows, 1)
    )


def test_rows_name_their_model_and_parameters(shell: Shell) -> None:
    shell.write("t.toml", BY_ROW)
    shell.write("rows.jsonl", said_rows({"model": "gpt-6-sol"}, {"cap": "2"}, {"model": ""}))
    done = shell.run("--task", "t.toml", "--input", "rows.jsonl")
    assert done.code == 2
    rows = results(shell)
    assert [(row["model"], row["error_code"]) for row in rows] == [
        ("gpt-6-sol", ""),
        ("gpt-6-luna", "truncated"),
        ("gpt-6-luna", ""),
    ]


def test_a_row_that_names_a_model_that_is_not_there_fails_alone(shell: Shell) -> None:
    shell.write("t.toml", BY_ROW)
    missing = {"model": "gpt-99-nova", "cap": ""}
    shell.write("rows.jsonl", said_rows(missing, {"model": "gpt-6-sol", "cap": ""}, missing))
    done = shell.run("--task", "t.toml", "--input", "rows.jsonl")
    assert done.code == 2
    rows = results(shell)
    assert [(row["status"], row["error_code"]) for row in rows] == [
        ("failed", "model_not_found"),
        ("success", ""),
        ("failed", "model_not_found"),
    ]
    assert all("gpt-99-nova" in row["error_message"] for row in rows if row["error_code"])
    assert shell.stats()["received"] <= 3


def test_without_a_model_that_answers_the_run_stops_with_every_row_pending(shell: Shell) -> None:
    shell.write("t.toml", BY_ROW)
    missing = {"model": "gpt-99-nova", "cap": ""}
    shell.write("rows.jsonl", said_rows(*[missing] * 30))
    done = shell.run("--task", "t.toml", "--input", "rows.jsonl")
    assert done.code == 3
    assert "Stopped: model_not_found: " in done.err
    assert "gpt-99-nova" in done.err
    assert shell.figures()["pending"] == 30
    assert shell.stats()["received"] <= 2


def test_a_row_whose_parameter_has_the_wrong_type_is_refused_before_anything_is_sent(
    shell: Shell,
) -> None:
    shell.write("t.toml", BY_ROW)
    shell.write("rows.jsonl", said_rows({"model": ""}, {"cap": "many"}))
    found = shell.run("--task", "t.toml", "--input", "rows.jsonl")
    assert found.code == 1
    assert "row 2: cap must be a whole number, as max_completion_tokens is" in found.err
    assert shell.stats()["received"] == 0


def test_a_changed_schema_is_a_changed_task(files: Shell) -> None:
    assert files.run("--task", "fruit.toml", "--input", "rows.csv").code == 0
    files.write("fruit.toml", PEOPLE.replace("minLength = 3", "minLength = 4"))
    found = files.run("--task", "fruit.toml", "--input", "rows.csv")
    assert found.code == 1
    assert "output changed since this run began" in found.err


@pytest.mark.parametrize(
    ("options", "row", "said"),
    [
        (["--budget", "1"], {"model": "", "cap": ""}, "row 1: --budget: what gpt-6-luna costs"),
        (
            [],
            {"modl": "", "cap": ""},
            "there is no column 'model'. It has: id, said, modl, cap; did",
        ),
        ([], {"model": ""}, "there is no column 'cap'. It has: id, said, model;"),
    ],
)
def test_what_rows_name_must_be_somewhere_and_have_a_price(
    shell: Shell, options: list[str], row: dict[str, Any], said: str
) -> None:
    shell.write("t.toml", BY_ROW)
    shell.write("rows.jsonl", said_rows(row))
    found = shell.run("--task", "t.toml", "--input", "rows.jsonl", *options)
    assert found.code == 1
    assert said in found.err
    assert shell.stats()["received"] == 0


def test_responses_are_asked_for_json_and_again(files: Shell) -> None:
    files.reset(bad_answers=1.0)
    head, rest = PEOPLE.split("messages", 1)
    files.write("fruit.toml", f'{head}endpoint = "/v1/responses"\nmessages{rest}')
    done = files.run("--task", "fruit.toml", "--input", "rows.csv")
    files.reset(bad_answers=0.0)
    assert (done.code, done.err) == (0, "")
    assert {row["status"] for row in results(files)} == {"success"}
    assert files.figures()["requests_sent"] == 8


TOPICS = """\
name = "topics"
model = "gpt-6-luna"
id = "row"
prompt = "What is {{ text }} about?"
[output]
kind = "label"
multiple = true
reask = 2
labels = { a = "Art", b = "Business", c = "Culture" }
"""


def test_several_labels_from_answer_to_pivot(shell: Shell) -> None:
    """Some first answers are wrong; they are asked again."""
    shell.write("topics.toml", TOPICS)
    rows = [{"text": f"text{n}", "who": f"w{n % 4}", "what": f"q{n // 4}"} for n in range(24)]
    shell.write("rows.jsonl", said_rows(*rows))
    shell.reset(bad_answers=0.3)
    try:
        done = shell.run("--task", "topics.toml", "--input", "rows.jsonl")
    finally:
        shell.reset(bad_answers=0.0)
    assert done.code == 0, done.err
    names = {"a": "Art", "b": "Business", "c": "Culture"}
    found = results(shell)
    assert len(found) == 24
    for row in found:
        keys = json.loads(row["result"])
        assert keys == sorted(set(keys))
        assert row["label_name"] == "; ".join(names[key] for key in keys)
    assert len({row["result"] for row in found}) > 3
    assert any(int(row["attempts"]) > 1 for row in found)
    pivot = ("export", "--output", "p.csv", "--pivot", "who", "what", "--values", "label_name")
    assert shell(*pivot).code == 0
    with (shell.folder / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = {(row["who"], name): row[name] for row in csv.DictReader(file) for name in row}
    for row in found:
        assert cells[row["who"], row["what"]] == row["label_name"]
    tried = shell("tasks", "try", "topics.toml", "--input", "rows.jsonl", "--base-url", shell.url)
    assert tried.code == 0, tried.err
    assert "] · " in tried.out


def test_made_up_questions_and_sheets_are_tried_as_a_run_reads_them(shell: Shell) -> None:
    made_up = shell("tasks", "try", "mathml", "--generate", "2", "--base-url", shell.url)
    assert (made_up.code, made_up.out.count("  result ")) == (0, 2), made_up.err
    shell.write("rows.csv", ROWS)
    refused = shell("tasks", "try", "mathml", "--input", "rows.csv", "--sheet", "x", "--dry-run")
    assert (refused.code, refused.err) == (1, "Error: --sheet goes with .xlsx. Leave it out.\n")
    nothing = shell("tasks", "try", "mathml", "--dry-run")
    assert nothing.code == 1
    assert "no rows were named" in nothing.err
