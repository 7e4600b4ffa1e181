"""`processor compare`: real runs in processes of their own, against a real server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from command_line import SAY, Result, Shell

SCRIPT = Path(__file__).parents[2] / "scripts" / "performance_comparison.py"
FAST = ("--call-s", "4", "--job-s", "2", "--time-scale", "40")
THREE = ("--arms", "one-by-one,direct-5,batch-5")


def the_comparison(folder: Path) -> Path:
    (found,) = (folder / "runs").glob("compare-*")
    return found


def told(folder: Path) -> dict[str, Any]:
    """`comparison.json` of the only comparison."""
    found: dict[str, Any] = json.loads((the_comparison(folder) / "comparison.json").read_text())
    return found


def of_trials(made: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for arm in made["arms"]:
        for trial in arm["trials"]:
            yield f"{arm['arm']}-{trial['items']}", trial


def against_server(shell: Shell, *arguments: str) -> Result:
    """Against a server of one's own that is no simulation: in its own time, without a budget."""
    return shell("compare", "--base-url", shell.url, *arguments)


def write_input(shell: Shell, rows: int = 12) -> Sequence[str]:
    table = shell.write("rows.csv", "word\n" + "".join(f"w{n}\n" for n in range(rows)))
    return "--task", shell.write("say.toml", SAY), "--input", table


def test_one_command_measures_sums_up_draws_and_goes_on(shell: Shell) -> None:
    first = shell("compare", "--items", "5,10", *FAST, *THREE)
    assert first.code == 0, first.err
    made = told(shell.folder)
    figures = {name: trial["figures"] for name, trial in of_trials(made)}
    assert [trial["status"] for _, trial in of_trials(made)] == ["done"] * 6
    assert all(each["cpu_s"] > 0 and each["peak_mb"] > 0 for each in figures.values())
    assert figures["one-by-one-10"]["calls"] == figures["direct-5-10"]["calls"] == 10
    assert figures["one-by-one-10"]["wall_s"] > figures["direct-5-10"]["wall_s"]
    assert 1_500 < figures["one-by-one-10"]["p50_ms"] < 30_000  # of the scaled time
    assert figures["batch-5-10"]["p50_ms"] is None
    assert figures["batch-5-10"]["calls"] >= 2 * 3  # upload, creation and download of two jobs
    half = figures["one-by-one-10"]["cost_usd"] / 2
    assert figures["batch-5-10"]["cost_usd"] == pytest.approx(half, rel=0.1)
    assert made["leading"] == "batch-5"
    assert "simulated: a call takes 4 s on the average, a batch job 2.0s" in first.out
    assert "Batching (batch-5) " in first.out
    assert "reported 27–28 min" in first.out

    svg = (the_comparison(shell.folder) / "comparison.svg").read_text()
    words = {element.text for element in ET.fromstring(svg).iter()}
    assert {"10", f"{figures['batch-5-10']['calls']}"} <= words

    more = ("--arms", THREE[1] + ",chunk-10,in-turn-5", "--chart", "chart.svg")
    again = shell("compare", "--items", "5,10", *FAST, *more)
    ran = [line.split(" · ")[0] for line in again.err.splitlines()]
    assert ran == ["    7/8  chunk-10", "    8/8  in-turn-5"]
    now = {name: trial["figures"] for name, trial in of_trials(told(shell.folder))}
    assert {name: now[name] for name in figures} == figures  # nothing is run again
    assert now["in-turn-5-10"]["succeeded"] == 10  # in two jobs, one after another
    assert "chunks of 10" in (shell.folder / "chart.svg").read_text()


def test_what_is_left_at_the_provider_is_fetched_by_the_same_command(shell: Shell) -> None:
    command = ("--items", "3", "--arms", "batch-2", *write_input(shell))
    shell.reset(in_progress_s=2)
    left = against_server(shell, *command, "--detach")
    assert left.code == 6, left.err
    assert left.out.splitlines()[-1] == "  next      the same command fetches what has ended"
    assert [trial["status"] for _, trial in of_trials(told(shell.folder))] == ["at the provider"]
    fetched = against_server(shell, *command)
    assert fetched.code == 0, fetched.err
    assert shell.stats()["by_route"]["POST /v1/batches"] == 2
    (trial,) = (trial for _, trial in of_trials(told(shell.folder)))
    assert trial["status"] == "done"
    # The provider says when batches ended: the time is known although nobody looked.
    assert not trial["figures"]["is_bound"]
    assert 2 <= trial["figures"]["wall_s"] < 60
    shell.reset(in_progress_s=0.5)


def test_a_killed_comparison_goes_on_and_pays_for_nothing_twice(shell: Shell) -> None:
    task = ("--arms", "one-by-one", *write_input(shell))
    command = ["compare", "--base-url", shell.url, "--items", "4,12", *task]
    shell.reset(latency_ms=100)
    process = subprocess.Popen(
        [sys.executable, "-m", "processor", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "one-by-one · 12 items" in line:  # it has begun
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    again = shell(*command)
    assert again.code == 0, again.err
    trials = dict(of_trials(told(shell.folder)))
    assert {trial["status"] for trial in trials.values()} == {"done"}
    assert "one-by-one · 4 items" not in again.err  # was whole before the kill
    assert shell.stats()["by_route"]["POST /v1/chat/completions"] == 4 + 12
    assert [trial["figures"]["calls"] for trial in trials.values()] == [4, 12]
    shell.reset(latency_ms=1)


def test_an_arm_that_fails_is_in_no_others_way(shell: Shell) -> None:
    asked = ("--items", "3", "--arms", "direct-5", "--models", "gpt-0,,gpt-6-luna")
    done = against_server(shell, *asked, *write_input(shell))
    assert done.code == 3
    arms = told(shell.folder)["arms"]
    states = {(arm["model"], trial["status"]) for arm in arms for trial in arm["trials"]}
    assert states == {("gpt-0", "stopped"), ("gpt-6-luna", "done")}
    assert "note      direct-5 gpt-0: model_not_found" in done.out


def test_items_that_fail_are_told_and_counted(shell: Shell) -> None:
    shell.fault("content_filter:rate=1")
    done = against_server(shell, "--items", "3", "--arms", "direct-5", *write_input(shell))
    assert done.code == 2
    assert [trial["figures"]["failed"] for _, trial in of_trials(told(shell.folder))] == [3]
    assert "3 items failed" in done.out


def test_a_budget_is_for_all_arms_together(shell: Shell) -> None:
    """A call is taken for about 7 cents and costs about one: there is room for some."""
    price = ("--price", "1000,0", "--budget", "0.08")
    asked = ("--items", "3", "--arms", "one-by-one,direct-5")
    rows = write_input(shell)
    done = against_server(shell, *asked, *rows, *price)
    assert done.code == 4
    first, second = (trial for _, trial in of_trials(told(shell.folder)))
    assert first["status"] == second["status"] == "stopped"
    assert 0 < first["figures"]["cost_usd"] <= 0.08
    assert second["figures"]["succeeded"] == 0  # with a budget of its own it would send as much
    sent = shell.stats()["by_route"]["POST /v1/chat/completions"]
    later = against_server(shell, "--items", "3", "--arms", "direct-3", *rows, *price)
    assert later.code == 4
    assert shell.stats()["by_route"]["POST /v1/chat/completions"] == sent


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--base-url", "https://api.openai.com/v1"), "needs a spending limit"),
        (("--base-url", "https://api.example.invalid/v1"), "the price is not known"),
        (("--arms", "quick"), "there is no such arm"),
        (("--arms", ","), "--arms ',' names nothing"),
        (("--models", " , "), "--models ' , ' names nothing"),
        (("--sandbox", "--call-s", "nan"), "--call-s nan is no number"),
        (("--items", "1"), "numbers from 2 on"),
        (("--items", "many"), "numbers from 2 on"),
        (("--chart", "chart.png"), "the chart is an SVG"),
        (("--chart", "there/chart.svg"), "there is no folder there"),
        (("--task", "missing"), "no such task"),
        (("--input", "missing.csv", "--task", "news"), "missing.csv"),
        (("--sandbox", "--base-url", "http://127.0.0.1:1/v1"), "exclude each other"),
    ],
)
def test_what_cannot_be_meant_leaves_nothing_behind(
    shell: Shell, arguments: Sequence[str], told: str
) -> None:
    refused = shell("compare", *arguments)
    assert refused.code == 1
    assert told in refused.err
    assert not (shell.folder / "runs").exists()
    assert shell.stats()["received"] == 0


def test_who_pays_is_told_how_much_it_would_be(shell: Shell) -> None:
    rows = write_input(shell)
    refused = shell("compare", "--items", "4,12", *THREE, *rows)  # there is a key
    assert refused.code == 1
    assert "would send 48 requests for about $0.0" in refused.err
    assert "--budget USD sets it; --sandbox simulates without cost" in refused.err


def test_another_comparison_does_not_go_on_in_its_folder(shell: Shell) -> None:
    command = ("--out", "it", "--arms", "direct-5", *write_input(shell))
    assert against_server(shell, *command, "--items", "3").code == 0
    refused = against_server(shell, *command, "--items", "2")
    assert refused.code == 1
    assert "it compares with another sizes ([3], now [2])" in refused.err
    shell.write("say.toml", SAY.replace("Say", "Do say"))
    refused = against_server(shell, *command, "--items", "3")
    assert refused.code == 1
    assert "it compares with another wording" in refused.err
    assert against_server(shell, *command, "--items", "3", "--new").code == 0
    assert len(list(shell.folder.glob("it*"))) == 2


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("id,word\n1,a\n1,b\n", "1"),
        ("id,text\n1,a\n2,b\n", "word"),
        ("id,word\n1,a\n", "it takes two rows to compare"),
        ("id,word\n", "no rows"),
    ],
)
def test_rows_that_no_arm_could_send_are_refused_at_once(
    shell: Shell, table: str, problem: str
) -> None:
    task = shell.write("say.toml", SAY.replace('id = "row"', 'id = "id"'))
    rows = ("--task", task, "--input", shell.write("rows.csv", table))
    refused = shell("compare", "--sandbox", *rows)
    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith("Error: ")
    assert problem in refused.err
    assert not (shell.folder / "runs").exists()


def test_typed_bare_it_needs_nothing_and_takes_nothing_that_is_not_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    done = shell("compare", "--items", "2", "--arms", "direct-5", *FAST)  # there is a key, too
    assert done.code == 0, done.err
    terms = told(shell.folder)["terms"]
    assert (terms["provider"], terms["input"]) == ("sandbox", "personas")
    assert shell.stats()["received"] == 0


def test_what_a_profile_sets_does_not_change_the_arms(shell: Shell) -> None:
    shell.write("processor.toml", "[default]\nconcurrency = 1\nlimit = 1\nwait_s = 9\n")
    done = against_server(shell, "--items", "3", "--arms", "direct-5", *write_input(shell))
    assert done.code == 0, done.err
    (trial,) = (trial for _, trial in of_trials(told(shell.folder)))
    assert trial["figures"]["succeeded"] == 3


def test_the_users_name_for_it(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--items", "2", "--arms", "direct-5", *FAST, "--json"],
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["terms"]["task"] == "persona"
