"""Rivals run as processes of their own; here the openai SDK, which the tests have anyway."""

import sys
from pathlib import Path

import pytest
from command_line import Shell

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from _rivals import RivalError, RivalResult, available, run

ROWS = "".join(f'{{"id": {n}, "topic": "tides", "number": {n}}}\n' for n in range(1, 31))


def openai(
    shell: Shell, *, url: str = "", key: str = "sk-any", timeout_s: float = 60
) -> RivalResult:
    return run(
        "openai",
        url=url or shell.url,
        key=key,
        rows_path=shell.folder / shell.write("rows.jsonl", ROWS),
        concurrency=10,
        timeout_s=timeout_s,
        python=Path(sys.executable),
    )


def test_every_rival_has_its_module() -> None:
    modules = Path(sys.modules["_rivals"].__file__ or "").parent / "rivals"
    assert {name.replace("-", "_") for name in available()} | {"__init__", "job"} == {
        path.stem for path in modules.glob("*.py")
    }


def test_rows_answered_and_what_they_cost(shell: Shell) -> None:
    result = openai(shell)
    assert (result.answered, result.lost, result.finished) == (30, 0, True)
    assert result.cpu_s > 0
    assert result.wall_s > 0
    assert shell.stats()["received"] == 30


def test_a_dead_key_loses_every_row(shell: Shell) -> None:
    shell.reset(api_key="sk-right")
    result = openai(shell, key="sk-wrong")
    shell.reset(api_key=None)
    assert (result.answered, result.lost) == (0, 30)


def test_when_time_is_up_there_is_what_was_answered_by_then(shell: Shell) -> None:
    shell.fault("hang:match=number 7.")
    result = openai(shell, timeout_s=3)
    assert (result.answered, result.lost, result.finished) == (29, 1, False)


def test_nothing_outside_this_machine_is_reached(shell: Shell) -> None:
    """A reserved address, at which nobody would answer for minutes."""
    result = openai(shell, url="http://192.0.2.1:9/v1")
    assert (result.answered, result.finished) == (0, True)


def test_a_rival_that_breaks_is_told_with_its_last_words(shell: Shell) -> None:
    with pytest.raises(RivalError, match=r"No module named .lm_deluge"):
        run(
            "lm-deluge",
            url=shell.url,
            key="sk-any",
            rows_path=shell.folder / shell.write("rows.jsonl", ROWS),
            concurrency=1,
            timeout_s=5,
            python=Path(sys.executable),
        )
