"""`processor quality`: real runs against the sandbox, measured."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import NEWS, SAY, VECTORS, Shell
from run_bench import folder_before

SEVERAL = NEWS.replace('kind = "label"', 'kind = "label"\nmultiple = true')


def table_of(shell: Shell, name: str, rows: list[dict[str, Any]]) -> str:
    return shell.write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def measured(shell: Shell, *options: str) -> Any:
    result = shell("quality", "--json", *options)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def news_run(shell: Shell, rows: list[dict[str, Any]], *, out: str, task: str = NEWS) -> None:
    shell.write("news.toml", task)
    table_of(shell, f"{out}.jsonl", rows)
    shell.run("--task", "news.toml", "--input", f"{out}.jsonl", "--out", out)


def articles(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": number, "text": f"기사 {number}", **fields} for number in range(count)]


def test_personas_are_told_apart_question_by_question(shell: Shell) -> None:
    """The sandbox's personas have voices of their own: 25 personas, 11 questions."""
    assert shell.run("--task", "persona", "--route", "direct", "--out", "p").code == 0
    found = measured(shell, "p")
    assert found["counts"]["succeeded"] == 275
    assert (found["terms"]["group"], found["terms"]["within"]) == ("페르소나", "질문")
    separation = found["separation"]
    assert (separation["groups"], separation["questions"]) == (25, 11)
    assert separation["is_shown"] is True
    assert separation["chance"]["high"] < separation["recognised"]["low"]
    assert len(separation["by_group"]) == 25
    same, other = (separation[f"{group}_group_other_question"] for group in ("same", "other"))
    assert same["low"] > other["high"]
    assert found["diversity"]["answers"] == found["lengths"]["texts"] == 275
    temper = measured(shell, "p", "--group", "기질")["separation"]
    assert (temper["groups"], temper["speakers"]) == (5, 25)
    assert temper["is_shown"] is False  # voices are drawn for personas, not for temperaments
    assert "of 5 기질 (25 speakers) to 11 questions" in shell("quality", "p", "--group", "기질").out
    (note,) = found["notes"]
    assert note.startswith("consistency: no input was asked more than once.")


def test_rows_that_were_repeated_are_one_input(shell: Shell) -> None:
    options = ("--task", "persona", "--route", "direct", "--repeat", "3", "--limit", "60")
    assert shell.run(*options, "--out", "p").code == 0
    found = measured(shell, "p")
    consistency = found["consistency"]
    assert (consistency["inputs"], consistency["answers"]) == (20, 60)
    assert consistency["similarity"]["low"] > consistency["unrelated"]["high"]
    assert found["separation"]["questions"] == 1
    assert found["separation"]["is_shown"] is True
    (note,) = found["notes"]
    assert "count every answer to an input as a case of its own" in note


def test_the_table_tells_the_same_as_the_json(shell: Shell) -> None:
    shell.run("--task", "persona", "--route", "direct", "--limit", "50", "--out", "p")
    found, said = measured(shell, "p"), shell("quality", "p").out
    words = found["diversity"]["distinct_words"][0]
    assert ["distinct-1", "of", "words", f"{words['value']:.3f}", "–", f"{words['n']:,}"] in [
        line.split() for line in said.splitlines()
    ]
    assert "50 succeeded, 0 failed" in said
    assert "groups: 50 answers of 25 페르소나 to 2 questions" in said
    assert "note  consistency: no input was asked more than once" in said
    assert shell("quality", "p", "--output", "q.json").code == 0
    assert json.loads((shell.folder / "q.json").read_text()) == found


def test_labels_have_shares_and_agree_with_right_ones(shell: Shell) -> None:
    news_run(shell, articles(40), out="first")
    with (shell.folder / "first" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        given = {row["id"]: row["result"] for row in csv.DictReader(file)}
    names = {"0": "옹호 (Support)", "1": "중립", "2": "oppose"}
    rows = articles(40)
    for row in rows:
        label = given[str(row["id"])]
        row["right"] = names[label] if row["id"] >= 4 else str((int(label) + 1) % 3)
    rows[-1]["right"] = ""
    news_run(shell, rows, out="second")
    found = measured(shell, "second", "--gold", "right")
    assert list(found["labels"]) == ["0", "1", "2"]
    assert sum(figure["value"] for figure in found["labels"].values()) == pytest.approx(1)
    gold = found["gold"]
    assert (gold["pairs"], gold["only_second"]) == (39, 1)
    assert gold["accuracy"]["value"] == pytest.approx(35 / 39)
    assert gold["confusion"]["names"] == ["옹호 (Support)", "중립 (Neutral)", "비판 (Oppose)"]
    assert sum(map(sum, gold["confusion"]["counts"])) == 39
    said = shell("quality", "second", "--gold", "right").out
    assert "agreement with right: 39 pairs of labels · 1 of the run alone" in said
    assert "Cohen's kappa" in said


def test_two_runs_are_compared_item_by_item(shell: Shell) -> None:
    news_run(shell, articles(40), out="first")
    news_run(shell, articles(50)[10:], out="same")
    news_run(shell, articles(40, edition="석간"), out="other")
    same = measured(shell, "first", "--against", "same")["against"]
    assert (same["both"], same["only_first"], same["only_second"]) == (30, 10, 10)
    assert (same["rows_differ"], same["answered_both"]) == (0, 30)
    assert same["identical"]["value"] == same["agreement"]["kappa"]["value"] == 1
    assert same["second"]["folder"] == "same"
    other = measured(shell, "first", "--against", "other")["against"]
    assert (other["both"], other["rows_differ"]) == (40, 40)
    assert other["agreement"]["accuracy"]["value"] == other["identical"]["value"] < 0.8
    said = shell("quality", "first", "--against", "same").out
    assert "30 items in both · 10 in the first only · 10 in the second only" in said


def test_texts_of_two_runs_are_compared_too(shell: Shell) -> None:
    shell.write("say.toml", SAY.replace('id = "row"\n', ""))
    rows = [{"id": f"r{number}", "word": f"word {number}"} for number in range(12)]
    for name, some in (("a", rows), ("b", [*rows[:-1], {"id": "r11", "word": "another"}])):
        table_of(shell, f"{name}.jsonl", some)
        shell.run("--task", "say.toml", "--input", f"{name}.jsonl", "--out", name)
    found = measured(shell, "a", "--against", "b")["against"]
    assert (found["both"], found["rows_differ"]) == (12, 1)
    assert found["identical"]["value"] == pytest.approx(11 / 12)
    assert found["likeness"]["drawn"] == 12
    assert found["likeness"]["similarity"]["value"] > found["likeness"]["unrelated"]["value"]
    assert found["agreement"] is None


def test_inputs_are_the_same_by_columns(shell: Shell) -> None:
    rows = [
        {"id": 3 * number + edition, "text": f"기사 {number}", "edition": edition}
        for number in range(12)
        for edition in range(3)
    ]
    news_run(shell, rows, out="n")
    found = measured(shell, "n", "--same-by", "text")["consistency"]
    assert (found["inputs"], found["answers"]) == (12, 36)
    assert 0 <= found["unanimous"]["value"] < 1
    assert found["kappa"]["value"] < 0.6  # the sandbox throws dice for every edition
    assert measured(shell, "n", "--same-by", "text", "--same-by", "edition")["consistency"] is None


def test_several_labels_count_each(shell: Shell) -> None:
    news_run(shell, articles(30, right="0, 1"), out="n", task=SEVERAL)
    found = measured(shell, "n", "--gold", "right")
    assert sum(figure["value"] for figure in found["labels"].values()) > 1
    gold = found["gold"]
    assert (gold["pairs"], list(gold["by_label"])) == (30, ["0", "1", "2"])
    given = found["labels"]["2"]["value"]
    assert gold["by_label"]["2"]["accuracy"]["value"] == pytest.approx(1 - given)
    assert "Cohen's kappa of 2" in shell("quality", "n", "--gold", "right").out
    against = measured(shell, "n", "--against", "n")["against"]
    assert against["agreement"]["accuracy"]["value"] == 1
    news_run(shell, articles(3), out="one")
    refused = shell("quality", "n", "--against", "one")
    assert (refused.code, "one label for an item, the other" in refused.err) == (1, True)


def test_a_column_of_other_things_than_labels_is_refused(shell: Shell) -> None:
    news_run(shell, articles(30), out="n")
    result = shell("quality", "n", "--gold", "text")
    assert (result.code, result.out) == (1, "")
    assert "--gold text: holds other things than labels, such as '기사 0', '기사 1'" in result.err


def test_what_failed_is_told_by_its_code(shell: Shell) -> None:
    shell.fault("bad_request:match=기사 1")
    news_run(shell, articles(20), out="n")
    found = measured(shell, "n")
    assert (found["counts"]["succeeded"], found["counts"]["failed"]) == (9, 11)
    assert found["counts"]["errors"]["bad_request"]["value"] == 11 / 20
    assert "failed: bad_request" in shell("quality", "n").out


def test_where_nothing_succeeded_there_is_nothing_to_measure(shell: Shell) -> None:
    shell.fault("bad_request:match=기사")
    news_run(shell, articles(3), out="n")
    found = measured(shell, "n")
    assert found["notes"] == ["No item has succeeded yet: there are no answers to look at."]
    assert found["labels"] is None
    assert found["counts"]["success"]["value"] == 0
    assert measured(shell, "n", "--against", "n")["against"]["identical"]["value"] is None


def test_embeddings_are_counted_and_no_more(shell: Shell) -> None:
    shell.write("vectors.toml", VECTORS)
    table_of(shell, "rows.jsonl", articles(5))
    shell.run("--task", "vectors.toml", "--input", "rows.jsonl", "--out", "v")
    found = measured(shell, "v")
    assert found["counts"]["succeeded"] == 5
    assert found["notes"] == [
        "The answers are embeddings: their form was checked, and no more is measured."
    ]
    refused = shell("quality", "v", "--against", "v")
    assert refused.code == 1
    assert "compares labels and texts, and these runs have embeddings" in refused.err


def test_two_runs_of_other_rows_have_nothing_to_compare(shell: Shell) -> None:
    news_run(shell, articles(3), out="a")
    news_run(shell, [{**row, "id": f"x{row['id']}"} for row in articles(2)], out="b")
    said = shell("quality", "a", "--against", "b").out
    assert "0 items in both · 3 in the first only · 2 in the second only" in said
    assert "no id is in both" in said
    assert "Cohen" not in said


def test_of_many_answers_some_are_drawn(shell: Shell) -> None:
    shell.run("--task", "persona", "--route", "direct", "--out", "p")
    found = measured(shell, "p", "--sample", "100")
    assert found["diversity"]["answers"] == 100
    assert found["separation"]["answers"] == 100
    assert found["separation"]["questions"] == 4  # whole ones
    assert found["lengths"]["texts"] == 275  # what is counted is counted over all
    assert "diversity: of 100 answers drawn from 275 (seed 0)" in found["notes"]
    assert found == measured(shell, "p", "--sample", "100")
    other = measured(shell, "p", "--sample", "100", "--seed", "1")
    assert other["diversity"] != found["diversity"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--group", "txet"], "--group: the input has no column 'txet'. It has: id, text; did you"),
        (["--speaker", "who"], "--speaker: the input has no column 'who'"),
        (["--gold", "right"], "--gold: the input has no column 'right'"),
        (["--same-by", "nothing"], "--same-by: the input has no column 'nothing'"),
        (["--group", "text", "--within", "text"], "--group and --within both name 'text'"),
        (["--against", "nowhere"], "nowhere holds no run"),
        (["--against", "texts"], "n has labels, texts has texts"),
        (["--output", "no/folder/q.json"], "--output no/folder/q.json: there is no folder"),
        (["--output", "n/ledger.sqlite"], "the figures are JSON. Name a file .json."),
        (["--output", "."], "the figures are JSON"),
        (["--output", "n/conversion_stats.json"], "is made by the run. Name another file."),
        (["--output", "n/conversion_results_batch_001.json"], "is made by the run"),
        (["--sample", "3"], "3 is not in the range"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    shell: Shell, options: list[str], words: str
) -> None:
    news_run(shell, articles(2), out="n")
    shell.write("say.toml", SAY)
    table_of(shell, "rows.jsonl", [{"word": "a"}])
    shell.run("--task", "say.toml", "--input", "rows.jsonl", "--out", "texts")
    result = shell("quality", "n", *options)
    (line,) = result.err.splitlines()
    assert result.code == 1
    assert result.out == ""
    assert words in line


def test_right_labels_are_for_tasks_with_labels(shell: Shell) -> None:
    shell.write("say.toml", SAY)
    table_of(shell, "rows.jsonl", [{"word": "a"}])
    shell.run("--task", "say.toml", "--input", "rows.jsonl", "--out", "texts")
    result = shell("quality", "texts", "--gold", "word")
    assert result.code == 1
    assert "--gold goes with labels, and the answers of 'say' are texts" in result.err


def test_a_run_is_measured_while_it_works(sandbox_url: str, tmp_path: Path) -> None:
    with folder_before(sandbox_url, tmp_path, rows=200) as folder:
        process = folder.start("--rpm", "600", "--route", "direct")
        folder.wait_for_answers(20)
        looked = subprocess.run(
            [sys.executable, "-m", "processor", "quality", "out", "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert process.poll() is None
        counts = json.loads(looked.stdout)["counts"]
        assert counts["pending"] > 0
        assert counts["succeeded"] + counts["failed"] + counts["pending"] == 200
