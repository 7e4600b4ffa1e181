"""What to do next with a run, as commands to type."""

import shlex
from collections.abc import Iterator

from processor.codes import BUDGET_CODE, DEADLINE_CODE, cause_of
from processor.watch.snapshot import Snapshot

UNKNOWN_COMMAND = "processor run …"
_MORE = {BUDGET_CODE: " with a higher --budget", DEADLINE_CODE: " with a later --deadline"}


def next_steps(shot: Snapshot, *, command: str) -> Iterator[str]:
    """The steps, a line each; `command` is what went on with the run last."""
    folder = shlex.quote(str(shot.folder))
    if shot.jobs.at_provider:
        if shot.deadline_s is not None:
            yield f"batches that are late are taken back only while it runs: {command}"
        yield f"how its batches are: processor batch check {folder}"
        yield f"fetch what has ended: processor batch download {folder}"
    if shot.pending > shot.jobs.at_provider:
        yield _go_on(shot, command, folder)
    elif not shot.pending and shot.session is not None and shot.session.exit_code is None:
        yield f"its files were not written to the end: the same command does: {command}"
    if any(cause_of(code).retryable for code in shot.errors):
        yield f"send the failed items again: processor retry {folder}, then the same command"
    if shot.session is not None and shot.session.stop_code in shot.errors:
        code = shot.session.stop_code
        yield f"the job was at fault, not the items: processor retry {folder} --code {code}"
    if shot.failed and (shot.folder / "failed.csv").exists():
        yield f"look at the failures: {shot.folder / 'failed.csv'}"
    if shot.checks.get("review") and (shot.folder / "review.csv").exists():
        yield f"look over what is in doubt: {shot.folder / 'review.csv'}"
    if shot.succeeded and (shot.folder / "results.csv").exists():
        yield f"results: {shot.folder / 'results.csv'}"


def _go_on(shot: Snapshot, command: str, folder: str) -> str:
    pending = f"{shot.pending - shot.jobs.at_provider:,} pending"
    if shot.cancelled:
        return f"{pending}, as they were cancelled: processor batch submit {folder}"
    stopped = None if shot.session is None else shot.session.stop_code
    more = _MORE.get(stopped or "", "")
    return f"{pending}: the same command{more} goes on: {command}"
