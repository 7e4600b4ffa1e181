"""`processor run --dry-run`: everything but calls, and nothing left behind."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from command_line import SAY, Shell


def table(shell: Shell, count: int, **more: str) -> str:
    lines = (json.dumps({"word": f"word{n}.", **more}) for n in range(1, count + 1))
    return shell.write("rows.jsonl", "\n".join(lines) + "\n")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))  # empty, of any reader
    }


@pytest.fixture
def options(shell: Shell) -> tuple[str, ...]:
    return ("--task", shell.write("say.toml", SAY), "--input", table(shell, 250))


def test_it_tells_what_would_be_sent_and_leaves_nothing(
    shell: Shell, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    before = files(shell.folder)
    done = shell("run", *options, "--dry-run", "--max-output-tokens", "40")
    assert (done.code, done.err) == (0, "")
    assert "say · gpt-6-luna · openai · rehearsed: nothing sent or written" in done.out
    assert "250 to send" in done.out
    assert f"in (o200k_base) · {250 * 40:,} out (by their cap of 40)" in done.out
    assert "cost      about $" in done.out
    assert "content: Say word1.." in done.out
    assert "max_completion_tokens: 40" in done.out
    assert files(shell.folder) == before
    assert sorted(path.name for path in shell.folder.iterdir()) == ["rows.jsonl", "say.toml"]


def test_nothing_is_sent_and_no_output_is_written(shell: Shell, options: tuple[str, ...]) -> None:
    done = shell.run(*options, "--dry-run", "--output", "all.csv", "--price", "1,2")
    assert done.code == 0
    assert "all.csv: can be written" in done.out
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "all.csv").exists()
    assert not (shell.folder / "logs").exists()


def test_what_a_run_has_counts_and_stays_as_it_is(shell: Shell, options: tuple[str, ...]) -> None:
    assert shell.run(*options, "--limit", "100").code == 0
    table(shell, 260)
    before = files(shell.the_run())
    done = shell.run(*options, "--dry-run")
    assert "160 to send · 100 finished before" in done.out
    assert "out (measured over 100 answers)" in done.out
    assert "content: Say word101.." in done.out
    assert (
        "50 to send · 100 finished before" in shell.run(*options, "--dry-run", "--limit", "50").out
    )
    assert "260 to send\n" in shell.run(*options, "--dry-run", "--new").out
    assert files(shell.the_run()) == before
    assert shell.run(*options).code == 0
    assert "0 to send · 260 finished before" in shell.run(*options, "--dry-run").out
    assert shell.stats()["received"] == 260


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (("rows.jsonl", '{"word": "a."}\n{"word": \n'), ()),
        (("rows.jsonl", '{"other": "a."}\n'), ()),
        (("rows.jsonl", ""), ()),
        (("say.toml", SAY.replace("{{ word }}", "{{ nothing }}")), ()),
        (("say.toml", SAY.replace("prompt", "promt")), ()),
        (None, ("--output", "nowhere/x.csv")),
        (None, ("--output", "rows.jsonl")),
        (None, ("--chunk-size", "0")),
        (None, ("--budget", "1")),  # nobody knows what this server costs
    ],
)
def test_what_a_run_would_be_refused_for_is_refused_in_the_same_words(
    shell: Shell, options: tuple[str, ...], change: tuple[str, str] | None, more: tuple[str, ...]
) -> None:
    if change is not None:
        shell.write(*change)
    rehearsed = shell.run(*options, *more, "--dry-run")
    assert not (shell.folder / "runs").exists()
    real = shell.run(*options, *more)
    assert (rehearsed.code, rehearsed.err) == (real.code, real.err)
    assert real.code == 1
    assert shell.stats()["received"] == 0


def test_a_changed_task_is_refused_as_well(shell: Shell, options: tuple[str, ...]) -> None:
    assert shell.run(*options, "--limit", "10").code == 0
    shell.write("say.toml", SAY.replace("Say", "Tell"))
    refused = shell.run(*options, "--dry-run")
    assert refused.code == 1
    assert "prompt changed since this run began" in refused.err
    agreed = shell.run(*options, "--dry-run", "--accept-change")
    assert "content: Tell word11.." in agreed.out


def test_each_model_is_told_with_its_cost(shell: Shell) -> None:
    shell.write("say.toml", SAY + '[overrides]\nmodel = "model"\n')
    rows = "".join(f'{{"word": "w", "model": "{name}"}}\n' for name in ["", "gpt-6-sol", "mine"])
    shell.write("rows.jsonl", rows)
    options = ("--task", "say.toml", "--input", "rows.jsonl", "--dry-run")
    done = shell("run", "--sandbox", *options)
    assert "cost      not known; --price IN,OUT tells it" in done.out
    assert "gpt-6-sol: 1 item, about $0.0020" in done.out
    assert "mine: 1 item, not known" in done.out
    assert f"in (by length, o200k_base) · {3 * 200} out (assumed: 200 an answer)" in done.out
    priced = shell("run", "--sandbox", *options, "--price", "1,1", "--budget", "0.0005")
    assert "$0.00 of $0.000500 used; the rest may not be enough" in priced.out, priced


def test_a_deadline_tells_what_it_costs_at_least_and_at_most(shell: Shell) -> None:
    options = ("--task", shell.write("say.toml", SAY), "--input", table(shell, 250))
    done = shell.run(*options, "--dry-run", "--deadline", "5h", "--price", "10,100")
    assert "route     hybrid: everything is tried by batch" in done.out
    assert re.search(
        r"cost      about \$\S+ to \$\S+, as batches are done in time or late", done.out
    )
    late = shell.run(*options, "--dry-run", "--deadline", "2020-01-01 10:00", "--price", "10,100")
    assert late.code == 1
    assert "which has passed" in late.err


def test_items_that_cannot_be_rendered_are_told(shell: Shell) -> None:
    shell.write("say.toml", SAY.replace("{{ word }}", "{{ word.deep.er }}"))
    shell.write("rows.jsonl", '{"word": {"deep": {"er": 1}}}\n{"word": {}}\n')
    done = shell.run("--task", "say.toml", "--input", "rows.jsonl", "--dry-run")
    assert done.code == 0
    assert "1 to send" in done.out
    assert "1 item would fail, unsent" in done.out
