"""Whatever a user gets wrong: one clear line, exit 1, nothing sent."""

import pytest
from command_line import Shell

MATHML = "<math><mn>1</mn></math>"
ROW = f'{{"question_id": "a", "mathml": "{MATHML}"}}\n'

BAD_FILES = [
    ("q.csv", f"id,mathml\na,{MATHML}\n", ["q.csv", "question_id", "id, mathml"]),
    ("q.csv", f"question_id,mathl\na,{MATHML}\n", ["q.csv", "'mathml'", "did you mean 'mathl'"]),
    ("q.jsonl", ROW + '{"question_id": "b", "mathml":\n', ["q.jsonl", "row 2"]),
    ("q.jsonl", ROW + '["a"]\n', ["q.jsonl", "row 2", "object"]),
    ("q.jsonl", ROW + ROW, ["q.jsonl", "row 2", "'a'", "row 1"]),
    ("q.jsonl", ROW + '{"question_id": "b"}\n', ["q.jsonl", "row 2", "mathml is missing"]),
    ("q.jsonl", ROW + '{"question_id": "b", "mathml": " "}\n', ["row 2", "mathml is empty"]),
    ("q.jsonl", ROW.replace('"a"', "null"), ["row 1", "question_id is empty"]),
    ("q.jsonl", ROW.replace('"a"', "true"), ["row 1", "True", "whole number"]),
    ("q.jsonl", ROW.replace('"a"', "1.5"), ["row 1", "1.5", "whole number"]),
    ("q.jsonl", ROW.replace('"a"', "1") + ROW.replace('"a"', '"1"'), ["row 2", "'1'"]),
    ("q.csv", f"question_id,mathml\na,{MATHML}\nb,hello\n", ["row 2", "mathml holds no <math>"]),
    ("q.csv", f"question_id,mathml\na,{MATHML[:-3]}", ["row 1", "a <math> that is not closed"]),
    ("q.csv", f"question_id,mathml\na,{MATHML},extra\n", ["q.csv", "row 1", "3 fields"]),
    ("q.csv", f'question_id,mathml\na,"{MATHML}\n', ["q.csv", "row 1"]),
    ("q.csv", "question_id,mathml\n", ["q.csv", "no rows"]),
    ("q.csv", b"", ["q.csv", "no rows"]),
    ("q.jsonl", b"\n\n", ["q.jsonl", "no rows"]),
    ("q.csv", b"question_id,mathml\n\xb0\xa1,\xff\xff\n", ["q.csv", "line 2", "--encoding"]),
    ("q.csv.gz", b"no gzip", ["q.csv.gz", "gzip"]),
    ("q.parquet", b"question_id,mathml\n", ["q.parquet", "is no Parquet file"]),
    ("q.xlsx", b"question_id,mathml\n", ["q.xlsx", "is no Excel workbook"]),
    ("q.doc", b"PAR1", ["q.doc", ".csv", ".parquet"]),
    ("q", b"x", ["q", ".csv"]),
]


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(("name", "content", "expected"), BAD_FILES)
def test_a_bad_file_is_named_with_its_row(
    shell: Shell, name: str, content: str | bytes, expected: list[str]
) -> None:
    result = shell.run("--input", shell.write(name, content))
    line = one_line(result.err)
    assert result.code == 1
    assert [part for part in expected if part not in line] == []
    assert shell.stats()["received"] == 0
    assert not list(shell.folder.glob("runs/*")), "a refused input leaves no run behind"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--bogus"], "--bogus"),
        (["--input", "nope.csv"], "nope.csv"),
        (["--input", "."], "directory"),
        (["--input", "q.csv", "--generate", "3"], "exclude"),
        (["--generate", "0"], "--generate"),
        (["--task", "nope"], "mathml, news"),
        (["--task", "nope.toml"], "nope.toml"),
        (["--chunk-size", "0"], "--chunk-size"),
        (["--chunk-size", "x"], "--chunk-size"),
        (["--concurrency", "0"], "--concurrency"),
        (["--concurrency", "1.5"], "--concurrency"),
        (["--wait", "-1"], "--wait"),
        (["--wait", "nan"], "--wait"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "inf"], "--timeout"),
        (["--retries", "-1"], "--retries"),
        (["--rpm", "0"], "--rpm"),
        (["--limit", "0"], "--limit"),
        (["--min-success", "95"], "--min-success"),
        (["--encoding", "nope", "--input", "q.csv"], "nope"),
        (["--route", "moon"], "--route"),
        (["--base-url", "ftp://x"], "--base-url"),
        (["--base-url", "http://me:secret@127.0.0.1/v1"], "OPENAI_API_KEY"),
        (["--model", " "], "--model"),
        (["stray"], "stray"),
    ],
)
def test_a_bad_option_is_named(shell: Shell, arguments: list[str], expected: str) -> None:
    result = shell.run(*arguments)
    assert result.code == 1
    assert expected in one_line(result.err)
    assert shell.stats()["received"] == 0


def test_a_missing_key_names_the_three_ways_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    result = shell("run", "--generate", "3")
    line = one_line(result.err)
    assert result.code == 1
    assert line.startswith("Error: OPENAI_API_KEY not found")
    assert [
        way for way in ("export OPENAI_API_KEY", "--base-url", "--sandbox") if way not in line
    ] == []


def test_a_paid_api_gets_no_invented_questions_unasked(shell: Shell) -> None:
    result = shell("run")
    assert result.code == 1
    assert "--generate N" in one_line(result.err)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["status"], "no run"),
        (["status", "nowhere"], "nowhere"),
        (["retry"], "no run"),
        (["retry", "nowhere"], "nowhere"),
        (["tasks", "nope"], "mathml, news"),
        (["frobnicate"], "frobnicate"),
        (["sandbox", "--rpm", "0"], "rpm"),
    ],
)
def test_other_commands_refuse_in_a_line(shell: Shell, arguments: list[str], expected: str) -> None:
    result = shell(*arguments)
    assert result.code == 1
    assert expected in one_line(result.err)


TASKS = [
    ('name = "t"\nmodel = "m"\nprompt = "{{ text }"\n[output]\nkind = "text"\n', "prompt"),
    ('name = "t"\nmodel = "m"\nprompt = "{{ text }}"\n[output]\nkind = "jsn"\n', "json"),
    ('name = "t"\npromt = "{{ text }}"\n[output]\nkind = "text"\n', "promt"),
    ('name = "t"\nmodel = "m"\nprompt = "x\n', "t.toml"),
]


@pytest.mark.parametrize(("content", "expected"), TASKS)
def test_a_bad_task_file_is_named(shell: Shell, content: str, expected: str) -> None:
    rows = shell.write("rows.jsonl", '{"id": 1, "text": "x"}\n')
    task = shell.write("t.toml", content)
    result = shell.run("--task", task, "--input", rows)
    assert result.code == 1
    assert expected in one_line(result.err)
    assert shell.stats()["received"] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--base-url", "http://127.0.0.1:99999/v1"], "--base-url"),
        (["--base-url", "http://127.0.0.1:abc/v1"], "--base-url"),
        (["--base-url", "http://127.0.0.1/v1?x=1"], "--base-url"),
        (["--input", ""], "--input is empty"),
        (["--sandbox"], "exclude"),
        (["--sandbox-args", "--rpm 1"], "--sandbox"),
        (["--out", "taken"], "no folder"),
        (["--logs", "taken"], "no folder"),
    ],
)
def test_what_can_be_known_before_sending_is_told_before(
    shell: Shell, arguments: list[str], expected: str
) -> None:
    shell.write("taken", "")
    result = shell.run(*arguments)
    assert result.code == 1
    assert expected in one_line(result.err)
    assert shell.stats()["received"] == 0


def test_a_key_that_cannot_be_one_is_told_without_showing_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nX: y")
    result = shell.run("--generate", "3")
    assert result.code == 1
    assert "OPENAI_API_KEY" in one_line(result.err)
    assert "secret" not in result.err + result.out


def test_invented_questions_are_paid_for_only_with_yes(shell: Shell) -> None:
    result = shell("run", "--base-url", "https://api.invalid/v1", "--generate", "3")
    assert result.code == 1
    assert "--yes" in one_line(result.err)


def test_results_without_their_ledger_are_not_paid_for_again(shell: Shell) -> None:
    shell.run("--limit", "5")
    folder = shell.the_run()
    (folder / "ledger.sqlite").unlink()
    result = shell.run("--limit", "5")
    assert result.code == 1
    assert "--new" in one_line(result.err)
    assert shell.stats()["received"] == 5


def test_a_line_of_an_env_file_that_is_none_is_told_once(shell: Shell) -> None:
    (shell.folder / ".env").write_text("A B C\n")
    result = shell.run("--limit", "1")
    assert result.code == 0
    (line,) = result.err.splitlines()
    assert line.startswith("Warning: .env: ")


def test_an_env_file_that_is_no_text_is_named(shell: Shell) -> None:
    (shell.folder / ".env").write_bytes(b"A=\xb0\xa1\n")
    assert ".env is not UTF-8" in one_line(shell.run("--generate", "3").err)
