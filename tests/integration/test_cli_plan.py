"""`processor plan`: what a run would do, without a key, a call or a trace."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import SAY, Result, Shell

from processor.sandbox_process import sandbox

# The users' example: an article of 500 tokens, 200 around it, a digit as the answer.
STANCE = """\
name = "stance"
model = "gpt-4o-mini"
id = "row"
system = "{system}"
prompt = "Article: {{{{ text }}}} Answer:"
[output]
kind = "label"
labels = {{ "0" = "Support", "1" = "Neutral", "2" = "Oppose" }}
"""
# Each is one token, with or without a space before it.
WORDS = ("policy", "people", "market", "budget", "minister", "report", "support", "change")


def text(tokens: int, first: int = 0) -> str:
    return " ".join(WORDS[(first + place) % len(WORDS)] for place in range(tokens))


def articles(shell: Shell, count: int = 300) -> tuple[str, str]:
    """Options that name the task and the rows of the users' example."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(["title", "text"])
    rows.writerows([f"Title {n}", text(500, n)] for n in range(count))
    around = len(("Article", ":", " Answer", ":"))
    overhead = 2 * (3 + 1) + 3  # two messages with their roles, and what begins the answer
    task = shell.write("stance.toml", STANCE.format(system=text(200 - around - overhead)))
    return task, shell.write("news.csv", file.getvalue())


def table(shell: Shell, count: int, **more: str) -> str:
    lines = (json.dumps({"word": f"word{n}.", **more}) for n in range(1, count + 1))
    return shell.write("rows.jsonl", "\n".join(lines) + "\n")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))  # empty, of any reader
    }


def plan(shell: Shell, *arguments: str) -> Result:
    """A plan for say.toml, for OpenAI."""
    return shell("plan", "--task", shell.write("say.toml", SAY), *arguments)


def document(shell: Shell, *arguments: str) -> dict[str, Any]:
    done = plan(shell, *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    told: dict[str, Any] = json.loads(done.out)
    return told


def lanes(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {lane["lane"]: lane for lane in told["lanes"]}


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "0"]) as url:
        yield url


@pytest.fixture(autouse=True)
def without_key(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nor with anything that this machine knows of batches."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_example_of_the_users(shell: Shell) -> None:
    task, rows = articles(shell)
    done = shell("plan", "--task", task, "--input", rows)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "stance · gpt-4o-mini · openai · planned: nothing sent or written",
        "  items     300 to send",
        "  tokens    about 210,000 in (o200k_base) · 1,500 out (assumed: 5 a label)",
        "  lane      cost     time       confidence",
        "  direct    $0.0324  30s–1m15s  assumed: 20 calls at once, 2–5 s each",
        "  flex      –        –          no flex price of gpt-4o-mini is known",
        "  batch     $0.0162  2–6 h      assumed: hours that users report",
        "  route     direct: 300 items, fewer than 1,000",
    ]
    assert sorted(path.name for path in shell.folder.iterdir()) == ["news.csv", "stance.toml"]


def test_the_example_of_the_users_for_programs(shell: Shell) -> None:
    task, rows = articles(shell)
    told = json.loads(shell("plan", "--task", task, "--input", rows, "--json").out)
    assert told["items"]["to_send"] == 300
    assert (told["tokens"]["input"], told["tokens"]["output"]) == (210_000, 1_500)
    ways = lanes(told)
    assert ways["direct"]["cost_usd"] == pytest.approx(0.0324)
    assert ways["batch"]["cost_usd"] == pytest.approx(0.0162)
    assert (ways["batch"]["least_s"], ways["batch"]["most_s"]) == (7_200, 21_600)
    assert ways["direct"]["confidence"].startswith("assumed")
    assert (ways["flex"]["cost_usd"], ways["flex"]["most_s"]) == (None, None)
    assert told["route"] == {
        "lane": "direct",
        "split": False,
        "choice": "direct",
        "reason": "300 items, fewer than 1,000",
    }
    assert (told["deadline"], told["budget_usd"]) == (None, None)


def test_nothing_is_sent_and_nothing_is_written(shell: Shell) -> None:
    task, rows = shell.write("say.toml", SAY), table(shell, 50)
    before = files(shell.folder)
    done = shell("plan", "--task", task, "--input", rows, "--base-url", shell.url)
    assert (done.code, done.err) == (0, "")
    assert shell.stats()["received"] == 0
    assert files(shell.folder) == before


def test_it_is_measured_where_runs_tell_it(shell: Shell) -> None:
    rows = table(shell, 250)
    run = ("--task", shell.write("say.toml", SAY), "--input", rows, "--limit", "150")
    assert shell.run(*run, "--concurrency", "7").code == 0
    asked = ("--input", rows, "--base-url", shell.url, "--price", "1,2")
    before = files(shell.the_run())
    told = document(shell, *asked, "--concurrency", "7")
    assert told["items"] | {"finished": 150, "to_send": 100} == told["items"]
    direct = lanes(told)["direct"]
    assert (direct["cost_by"], direct["time_by"]) == ("measured", "measured")
    assert direct["confidence"] == (
        "answers measured over 150 answers; time measured over 150 items"
    )
    figures = shell.figures()
    usual = figures["tokens"]["completion"] / 150
    assert told["tokens"]["output"] == 100 * round(usual)
    assert direct["most_s"] == pytest.approx(100 / figures["throughput_per_s"], rel=0.05)
    assert lanes(told)["batch"]["confidence"].startswith("answers measured over 150 answers")
    # Another pace, another input, another model.
    assert lanes(document(shell, *asked))["direct"]["time_by"] == "assumed"
    other = shell.write("other.jsonl", '{"word": "one."}\n')
    fresh = document(shell, "--input", other, *asked[2:], "--concurrency", "7")
    assert fresh["items"]["finished"] == 0
    assert fresh["tokens"]["output_by"] == ["measured over 150 answers"]
    assert lanes(fresh)["direct"]["time_by"] == "measured"
    unlike = document(shell, *asked, "--model", "gpt-6-sol", "--new", "--concurrency", "7")
    assert unlike["tokens"]["output_by"] == ["assumed: 200 an answer"]
    assert lanes(unlike)["direct"]["time_by"] == "assumed"
    assert files(shell.the_run()) == before


def test_runs_that_cannot_be_read_tell_nothing(shell: Shell) -> None:
    for name, content in (("damaged", b"no ledger"), ("empty", b"")):
        (shell.folder / "runs" / name).mkdir(parents=True)
        (shell.folder / "runs" / name / "ledger.sqlite").write_bytes(content)
    assert document(shell, "--input", table(shell, 5))["items"]["to_send"] == 5


def test_unknown_prices_are_unknown(shell: Shell) -> None:
    rows = table(shell, 1_000)
    done = plan(shell, "--input", rows, "--model", "mine")
    assert done.code == 0
    assert "in (by length)" in done.out
    assert "direct    unknown" in done.out
    assert "cost      not known; --price IN,OUT tells it" in done.out
    told = document(shell, "--input", rows, "--model", "mine")
    assert [lane["cost_usd"] for lane in told["lanes"]] == [None, None, None]
    assert told["models"]["mine"]["direct_usd"] is None
    assert told["models"]["mine"]["batch_usd"] is None
    priced = document(shell, "--input", rows, "--model", "mine", "--price", "1,2")
    assert lanes(priced)["direct"]["cost_usd"] > 0.4


def test_what_a_model_thinks_is_named_where_it_is_not_in_the_figures(shell: Shell) -> None:
    note = "note      what gpt-6-luna may think first is charged, and not assumed"
    rows = table(shell, 3)
    assert note in plan(shell, "--input", rows).out
    assert "think" not in plan(shell, "--input", rows, "--model", "gpt-4o-mini").out
    assert "think" not in plan(shell, "--input", rows, "--max-output-tokens", "900").out


def test_flex_costs_what_a_batch_costs(shell: Shell) -> None:
    told = document(shell, "--input", table(shell, 10))
    ways = lanes(told)
    assert ways["flex"]["cost_usd"] == pytest.approx(ways["batch"]["cost_usd"])
    assert "3 times as long as directly" in ways["flex"]["confidence"]
    asked = document(shell, "--input", "rows.jsonl", "--route", "flex")
    assert asked["route"]["lane"] == "flex"
    unpriced = document(shell, "--input", "rows.jsonl", "--route", "flex", "--model", "gpt-4o-mini")
    ways = lanes(unpriced)
    assert ways["flex"]["cost_usd"] == ways["direct"]["cost_usd"]
    assert ways["flex"]["note"] == "no flex price of gpt-4o-mini is known"
    elsewhere = document(shell, "--input", "rows.jsonl", "--base-url", "http://127.0.0.1:9/v1")
    assert lanes(elsewhere)["flex"]["note"] == "127.0.0.1 is not known to have it"


def test_who_waits_and_who_does_not(shell: Shell) -> None:
    rows = table(shell, 1_020)
    told = document(shell, "--input", rows, "--direct-first", "20")
    ways = lanes(told)
    assert (told["route"]["lane"], told["route"]["choice"]) == ("batch", "mix")
    assert ways["mix"]["note"] == "20 directly, 1,000 by batch"
    extra_usd = ways["direct"]["cost_usd"] - ways["batch"]["cost_usd"]
    more_usd = ways["mix"]["cost_usd"] - ways["batch"]["cost_usd"]
    assert more_usd == pytest.approx(extra_usd * 20 / 1_020, rel=0.02)


def test_limits_that_are_told_set_the_time(shell: Shell) -> None:
    rows = table(shell, 600)
    direct = lanes(document(shell, "--input", rows, "--rpm", "60"))["direct"]
    assert (direct["least_s"], direct["most_s"], direct["time_by"]) == (600, 600, "limits")
    done = plan(shell, "--input", rows, "--rpm", "1")
    assert "batch: the limits let it take 10 h directly, a batch takes 3–9 h" in done.out


def test_a_deadline_splits_the_work(shell: Shell) -> None:
    rows = table(shell, 2_000)
    done = plan(shell, "--input", rows, "--deadline", "10h")
    assert done.code == 0
    assert "perhaps by then" in done.out
    assert "note      mix: 50 directly, 1,950 by batch; at most $" in done.out
    assert "route     hybrid: everything is tried by batch" in done.out
    assert "; 1,950 by batch, 50 directly: " in done.out
    told = document(shell, "--input", rows, "--deadline", "10h")
    ways = lanes(told)
    assert told["deadline_made"] is True
    assert {name: way["by_deadline"] for name, way in ways.items()} == {
        "direct": "yes",
        "flex": "yes",
        "batch": "perhaps",
        "mix": "yes",
    }
    assert ways["batch"]["cost_usd"] < ways["mix"]["cost_usd"] < ways["direct"]["cost_usd"]


def test_a_run_begins_as_its_plan_says(shell: Shell) -> None:
    rows = table(shell, 200)
    asked = ("--input", rows, "--base-url", shell.url, "--price", "1,2", "--deadline", "2h")
    told = document(shell, *asked)
    assert lanes(told)["mix"]["note"].startswith("10 directly, 190 by batch")
    assert shell("run", "--task", "say.toml", *asked, "--quiet").code == 0
    done = shell.figures()["lanes"]
    assert (done["direct"]["succeeded"], done["batch"]["succeeded"]) == (10, 190)
    ran = f"route     hybrid: {told['route']['reason'].split(';')[0]}"
    assert ran in shell("status").out


def test_near_deadlines_leave_no_time_for_batches(shell: Shell) -> None:
    told = document(shell, "--input", table(shell, 2_000), "--deadline", "15m")
    assert (told["route"]["lane"], told["route"]["choice"]) == ("hybrid", "direct")
    assert set(lanes(told)) == {"direct", "flex", "batch"}
    assert lanes(told)["batch"]["by_deadline"] == "no"


@pytest.mark.parametrize(
    ("asked", "possible"),
    [
        (("--rpm", "5"), ("direct takes 6h40m", "--limit 300")),
        (("--rpm", "5", "--route", "direct"), ("direct takes 6h40m", "--limit 300")),
        (("--concurrency", "1", "--urgent"), ("direct takes 1–3 h", "--limit 720")),
    ],
)
def test_a_deadline_that_cannot_be_made_is_said_with_what_can(
    shell: Shell, asked: tuple[str, ...], possible: tuple[str, ...]
) -> None:
    rows = table(shell, 2_000)
    done = plan(shell, "--input", rows, "--deadline", "1h", *asked)
    assert done.code == 1
    assert "not by then" in done.out
    assert "Error: --deadline 1h cannot be made. Possible: " in done.err
    assert all(words in done.err for words in possible)
    told = plan(shell, "--input", rows, "--deadline", "1h", *asked, "--json")
    assert told.code == 1
    assert json.loads(told.out)["deadline_made"] is False


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("--deadline", "2025-01-01 10:00"), "that is 2025-01-01 10:00, which has passed"),
        (("--deadline", "soon"), "neither a time nor a span"),
        (("--budget", "0"), "--budget: input should be greater than 0"),
        (("--budget", "1", "--model", "mine"), "what mine costs at api.openai.com is not known"),
        (("--deadline", "1h", "--route", "batch"), "--deadline goes with --route auto"),
        (("--rpm", "0"), "--rpm: input should be greater than or equal to 1"),
        (("--only", "nothing=1"), "nothing"),
        (("--urgent", "--route", "batch"), "--urgent and --route batch exclude each other"),
        (("--sandbox", "--base-url", "http://x"), "exclude each other"),
    ],
)
def test_what_cannot_be_is_refused(shell: Shell, asked: tuple[str, ...], problem: str) -> None:
    done = plan(shell, "--input", table(shell, 3), *asked)
    assert (done.code, done.out) == (1, "")
    assert problem in done.err
    assert done.err.count("\n") == 1


def test_bad_rows_are_refused_as_by_run(shell: Shell) -> None:
    rows = shell.write("rows.jsonl", '{"word": "a."}\n{"other": "b."}\n')
    planned = plan(shell, "--input", rows)
    ran = shell.run("--task", "say.toml", "--input", rows)
    assert planned.code == ran.code == 1
    assert planned.err == ran.err


def test_a_budget_is_held_against_each_way(shell: Shell) -> None:
    rows = table(shell, 1_000)
    ways = lanes(document(shell, "--input", rows))
    between_usd = (ways["direct"]["cost_usd"] + ways["batch"]["cost_usd"]) / 2
    told = document(shell, "--input", rows, "--budget", f"{between_usd:.9f}")
    fits = {name: way["within_budget"] for name, way in lanes(told).items()}
    assert fits == {"direct": False, "flex": True, "batch": False}
    small = document(shell, "--input", rows, "--budget", f"{between_usd:.9f}", "--shard-size", "50")
    assert lanes(small)["batch"]["within_budget"] is True
    # More is held for a batch than it will cost; what is held decides whether it is made.
    assert told["held_usd"] > between_usd
    done = plan(shell, "--input", rows, "--budget", "0.001")
    assert done.code == 0
    assert "· over budget" in done.out
    assert "$0.00 used, $0.001000 left: not enough; the cheapest way costs about $" in done.out


def test_a_budget_that_makes_no_batch_is_told_as_the_run_finds_it(shell: Shell) -> None:
    task, rows = articles(shell)
    asked = ("--task", task, "--input", rows, "--sandbox", "--budget", "0.02")
    done = shell("plan", *asked)
    assert "route     direct: 300 items, fewer than 1,000" in done.out
    held = re.search(r"; \$(\S+) is held for a batch until it is done, so that none", done.out)
    assert held is not None
    assert shell("run", *asked, "--route", "batch", "--quiet").code == 4
    needed = re.search(r"300 items are left, about \$(\S+) more", shell("status").out)
    assert needed is not None
    assert float(held[1]) == pytest.approx(float(needed[1]), rel=0.02)


def test_each_model_has_its_cost(shell: Shell) -> None:
    shell.write("models.toml", SAY + '[overrides]\nmodel = "model"\n')
    rows = "".join(f'{{"word": "w", "model": "{name}"}}\n' for name in ["", "gpt-6-sol", "mine"])
    shell.write("rows.jsonl", rows)
    told = json.loads(shell("plan", "--task", "models.toml", "--input", "rows.jsonl", "--json").out)
    assert {model: load["items"] for model, load in told["models"].items()} == {
        "gpt-6-luna": 1,
        "gpt-6-sol": 1,
        "mine": 1,
    }
    assert told["models"]["gpt-6-sol"]["direct_usd"] > told["models"]["gpt-6-luna"]["direct_usd"]
    assert told["tokens"]["input_by"] == ["length", "o200k_base"]
    assert lanes(told)["direct"]["cost_usd"] is None


def test_nothing_left_to_send(shell: Shell) -> None:
    rows = table(shell, 20)
    task = shell.write("say.toml", SAY)
    assert shell.run("--task", task, "--input", rows).code == 0
    done = plan(shell, "--input", rows, "--base-url", shell.url, "--deadline", "1h")
    assert done.code == 0
    assert "0 to send · 20 finished before" in done.out
    assert document(shell, "--input", rows, "--base-url", shell.url)["lanes"] == []


def test_embeddings_write_nothing(shell: Shell) -> None:
    task = 'name = "e"\nmodel = "text-embedding-3-small"\nid = "row"\nprompt = "{{ word }}"\n'
    task += 'endpoint = "/v1/embeddings"\n[output]\nkind = "embedding"\n'
    shell.write("embed.toml", task)
    done = shell("plan", "--task", "embed.toml", "--input", table(shell, 20))
    assert done.code == 0
    assert "in (cl100k_base)\n" in done.out
    assert "no flex price of text-embedding-3-small is known" in done.out
    assert "assumed: 20 calls at once, 2–5 s each\n" in done.out


def test_what_is_planned_is_what_is_charged(shell: Shell) -> None:
    """The sandbox counts by its own rule; input and cost agree within a third, items exactly."""
    rows = table(shell, 40, note="x")
    told = document(shell, "--input", rows, "--sandbox")
    assert shell("run", "--task", "say.toml", "--input", rows, "--sandbox", "--quiet").code == 0
    figures = shell.figures()
    assert figures["succeeded"] == told["items"]["to_send"]
    assert told["tokens"]["input"] == pytest.approx(figures["tokens"]["prompt"], rel=0.34)
