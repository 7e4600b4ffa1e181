"""Too many tokens enqueued: nothing is lost, nothing is sent twice, and it ends."""

from collections.abc import Iterator

import orjson
import pytest
from command_line import SAY, Shell

ROWS = 20
ROW_TOKENS = 100  # a little more: four bytes each
LIMIT = 1_500  # one shard of ten rows, but not two


@pytest.fixture
def strict(shell: Shell) -> Iterator[Shell]:
    """A sandbox that has a limit for as long as the test lasts."""
    shell.reset(enqueued_tokens=LIMIT, validating_s=0.1, in_progress_s=0.1, finalizing_s=0.1)
    yield shell
    shell.reset(enqueued_tokens=None, validating_s=0.3, in_progress_s=0.5, finalizing_s=0.2)


def sent(shell: Shell, shard_size: int) -> None:
    """Send rows by batch, and see that each has one answer that was paid once."""
    lines = [{"word": f"{shell.folder.name} {n} ".ljust(4 * ROW_TOKENS, "x")} for n in range(ROWS)]
    source = shell.write("rows.jsonl", b"\n".join(map(orjson.dumps, lines)))
    task = shell.write("say.toml", SAY)
    size = str(shard_size)
    told = shell.run("--task", task, "--input", source, "--route", "batch", "--shard-size", size)
    assert told.code == 0, told
    assert shell.figures()["succeeded"] == ROWS
    seen = shell.stats()
    assert (seen["paid"], seen["items"]["paid_twice"]) == (ROWS, 0)


@pytest.mark.fault(60, 61)
@pytest.mark.parametrize("form", ["failed", "400", "429"])
def test_a_shard_without_room_waits_for_another_to_end(strict: Shell, form: str) -> None:
    strict.reset(enqueued_form=form)
    sent(strict, 10)
    seen = strict.stats()
    assert seen["by_route"]["POST /v1/files"] == 2
    assert seen["by_route"]["POST /v1/batches"] == 3
    assert seen["by_status"].get(form, 0) == (0 if form == "failed" else 1)


@pytest.mark.fault(60, 61)
@pytest.mark.parametrize("form", ["failed", "429"])
def test_a_shard_that_alone_is_too_large_is_split(strict: Shell, form: str) -> None:
    strict.reset(enqueued_form=form)
    sent(strict, ROWS)
    assert strict.stats()["by_route"]["POST /v1/files"] == 3
