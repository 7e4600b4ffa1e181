"""Where items go that a batch did not answer, and how many items a start takes by batch."""

from collections.abc import Iterator

import orjson
import pytest
from command_line import SAY, Shell

from processor.sandbox_process import sandbox

A_DAY_S = 86_400.0
FAILING = "server_error:on=line,count=3"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    times = ["--validating-s", "0.1", "--in-progress-s", "0.1", "--finalizing-s", "0.1"]
    with sandbox(["--latency-ms", "0", *times]) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.forget()


def sent(shell: Shell, count: int, *arguments: str, route: str = "batch", more: str = "") -> int:
    lines = [orjson.dumps({"word": f"{shell.folder.name} {n}{more}"}) for n in range(count)]
    table = shell.write("rows.jsonl", b"\n".join(lines))
    task = shell.write("say.toml", SAY)
    return shell.run("--task", task, "--input", table, "--route", route, *arguments).code


def lanes(shell: Shell) -> tuple[int, int]:
    """Successes by batch, and directly."""
    told = shell.figures()["lanes"]
    return told["batch"]["succeeded"], told["direct"]["succeeded"]


def created(shell: Shell) -> int:
    return int(shell.stats()["by_route"].get("POST /v1/batches", 0))


def test_what_a_batch_left_goes_into_another_one(shell: Shell) -> None:
    shell.fault(FAILING)
    assert sent(shell, 20) == 0
    assert (lanes(shell), created(shell)) == ((20, 0), 2)
    assert shell.figures()["retries"] == 3


def test_after_so_many_rounds_it_fails(shell: Shell) -> None:
    shell.fault(FAILING)
    assert sent(shell, 20, "--rounds", "1") == 2
    assert (lanes(shell), created(shell)) == ((17, 0), 1)
    assert shell.figures()["errors"] == {"server_error": 3}


def test_what_a_batch_left_goes_directly(shell: Shell) -> None:
    shell.fault(FAILING)
    assert sent(shell, 20, "--fallback", "direct") == 0
    assert (lanes(shell), created(shell)) == ((17, 3), 1)
    assert shell.stats()["items"]["paid_twice"] == 0


def test_a_limit_counts_both_lanes(shell: Shell) -> None:
    shell.fault("batch_fails:count=1")
    assert sent(shell, 30) == 3  # all rows are known, and none is answered
    shell.fault(FAILING)
    arguments = ("--fallback", "direct", "--limit", "10", "--shard-size", "5")
    assert sent(shell, 30, *arguments) == 0
    assert lanes(shell) == (7, 3)
    assert shell.figures()["pending"] == 20


def test_each_start_takes_so_many_more(shell: Shell) -> None:
    for finished in (10, 20, 25):
        assert sent(shell, 25, "--limit", "10") == 0
        assert shell.figures()["succeeded"] == finished
    assert created(shell) == 3
    assert shell.stats()["items"]["paid_twice"] == 0


def test_who_detaches_with_a_limit_ends_what_was_begun_and_no_more(shell: Shell) -> None:
    assert sent(shell, 25, "--out", "runs/all") == 0
    shell.reset()
    for number in (1, 2):
        assert sent(shell, 25, "--limit", "10", "--detach", "--out", "runs/one", "--new") == 6
        for _ in range(2):
            assert shell("batch", "download", "runs/one", "--wait", "--quiet").code == 0
        told = orjson.loads((shell.folder / "runs/one/conversion_stats.json").read_bytes())
        assert (told["succeeded"], created(shell)) == (10, number)


def test_leftovers_of_a_detached_run_go_directly_when_they_are_fetched(shell: Shell) -> None:
    shell.fault(FAILING)
    assert sent(shell, 20, "--fallback", "direct", "--detach") == 6
    assert shell("batch", "download", "--wait", "--quiet").code == 0
    assert (lanes(shell), created(shell)) == ((17, 3), 1)


def test_nothing_that_waits_for_room_goes_directly(shell: Shell) -> None:
    shell.reset(enqueued_tokens=8_000, enqueued_form="400")
    try:
        arguments = ("--fallback", "direct", "--detach", "--shard-size", "10")
        assert sent(shell, 100, *arguments, more=2_000 * ".") == 6
        assert shell.stats()["by_route"].get("POST /v1/chat/completions", 0) == 0
        assert shell.figures()["lanes"]["batch"]["batches"] == 1
    finally:
        shell.reset(enqueued_tokens=None, enqueued_form="failed")


def test_a_direct_start_fetches_what_is_at_the_provider(shell: Shell) -> None:
    assert sent(shell, 10, "--detach") == 6
    code = sent(shell, 15, route="direct")
    while code == 6:
        code = sent(shell, 15, route="direct")
    assert code == 0
    assert (lanes(shell), created(shell)) == ((10, 5), 1)
    assert shell.stats()["items"]["paid_twice"] == 0
