"""How a run stands, in words: figures, errors with their remedies, targets."""

import shlex
import time
from collections.abc import Iterator, Sequence

from processor.codes import cause_of
from processor.console import course_lines
from processor.console.words import (
    at_provider,
    counted,
    duration,
    milliseconds,
    money,
    rate,
    share,
)
from processor.delivery import Handover
from processor.exports.output import Delivered
from processor.exports.tables import SKIPPED_NAME
from processor.ledger.intake import Intake
from processor.plan.prices import FLEX
from processor.watch.course import course_of, latest_that_acts, timing_of
from processor.watch.snapshot import Snapshot
from processor.watch.targets import targets

_STANDARD = "default"  # as providers call it


def lines(shot: Snapshot) -> Iterator[str]:
    """The summary, a line at a time."""
    yield f"{shot.task} · {shot.model} · {shot.provider} · {shot.folder}"
    yield _row(
        "items",
        f"{shot.finished:,} of {shot.total:,} finished: {shot.succeeded:,} succeeded, "
        f"{shot.failed:,} failed, {shot.pending:,} pending",
    )
    if shot.skipped:
        yield _row("left out", f"{counted(shot.skipped, 'bad row')}, listed in {SKIPPED_NAME}")
    yield from _way(shot)
    if shot.checks:
        yield _row("checks", " · ".join(f"{name} {count:,}" for name, count in shot.checks.items()))
    overall = shot.overall
    lost = f" · {overall.requests_lost:,} cut off by a kill" if overall.requests_lost else ""
    yield _row(
        "requests",
        f"{overall.requests_sent:,} sent · {counted(overall.retries, 'retry', 'retries')} · "
        f"{overall.reasks:,} asked again · {overall.rate_limited:,} rate limited{lost}",
    )
    if (_is_flex(shot) or shot.tiers.keys() - {_STANDARD}) and (told := _tiers(shot)):
        yield _row("tier", told)
    latency = shot.latency_ms
    if latency.p50 is not None:  # answers of a batch have none
        yield _row(
            "latency",
            f"p50 {milliseconds(latency.p50)} · p95 {milliseconds(latency.p95)} · "
            f"p99 {milliseconds(latency.p99)}",
        )
    charged = " at list price; the sandbox charges nothing" if shot.provider == "sandbox" else ""
    yield _row(
        "tokens",
        f"{overall.prompt_tokens:,} in · {overall.completion_tokens:,} out · "
        f"{money(overall.cost_usd)}{charged}",
    )
    if (lanes := course_lines.lanes(shot)) is not None:
        yield _row("lanes", lanes)
    if shot.session is not None and shot.session.budget_usd is not None:
        yield _row("budget", _budget(shot, shot.session.budget_usd))
    for code, count in shot.errors.items():
        cause = cause_of(code)
        yield _row("error", f"{code} {count:,}: {cause.means} {cause.remedy}")
    yield from _targets(shot)


def _way(shot: Snapshot) -> Iterator[str]:
    """Which lanes items take, and how the time stands."""
    now_s = time.time()
    is_chosen = any(shot.route.get(name) for name in ("split", "moved"))
    if _is_flex(shot) or shot.route.get("asked") == "auto" or is_chosen:
        yield _row("route", f"{shot.route['lane']}: {shot.route['reason']}")
    timing = timing_of(shot)
    if timing is not None:
        yield _row("deadline", course_lines.deadline(timing, shot, now_s))
    yield _row("time", f"{duration(shot.elapsed_s)} · {rate(shot.throughput_per_s)}")
    if shot.jobs.at_provider:
        yield _row("batch", at_provider(shot.jobs, now_s))
    if shot.jobs.waiting:
        yield _row("batch", f"{counted(shot.jobs.waiting, 'item')} in shards that are no batch yet")


def _is_flex(shot: Snapshot) -> bool:
    return bool(shot.route.get("lane") == FLEX)


def decisions(shot: Snapshot) -> Iterator[str]:
    """The latest decision of a run that uses both lanes, and what was known, a line at a time."""
    latest = course_of(shot)
    if latest is None:
        return
    now_s, acting = time.time(), latest_that_acts(shot.folder)
    if acting is not None and acting.view.deadline_s == shot.deadline_s:
        yield _row("decided", course_lines.decision(acting, now_s))
    if acting is None or acting.at != latest.at:
        yield _row("latest", course_lines.decision(latest, now_s))
    yield _row("known", course_lines.known(latest.view))


def changes(intake: Intake) -> Iterator[str]:
    """What the source no longer has as it was, a line at a time."""
    found = intake.changes
    if found.changed:
        done = "asked again" if found.redone else "kept as answered; --update asks again"
        yield _row("changed", f"{_rows(found.changed, found.changed_ids)}: {done}")
    if found.gone:
        yield _row("gone", f"{_rows(found.gone, found.gone_ids)} of the source: results stay")
    if found.taken:
        yield _row(
            "left out",
            f"{_rows(found.taken, found.taken_ids)} with an id that another source's row has: "
            "--out names a run of their own",
        )


def handovers(handed: Sequence[Handover]) -> Iterator[str]:
    """What went to outputs, a line each."""
    for one in handed:
        wait = f" · {one.waiting:,} wait" if one.waiting else ""
        yield _row("output", f"{one.name}: {outline(one.delivered)}{wait}")
        yield from (_row("note", note) for note in one.delivered.notes)


def outline(done: Delivered) -> str:
    """What was done with rows of an output."""
    parts = [f"{done.inserted:,} new"]
    if done.updated or done.unchanged:
        parts += [f"{done.updated:,} changed", f"{done.unchanged:,} as they were"]
    if done.missing:
        parts.append(f"{done.missing:,} not there")
    if done.refused_rows:
        parts.append(f"{done.refused_rows:,} refused")
    return " · ".join(parts)


def undelivered(shot: Snapshot, handed: Sequence[Handover], *, command: str) -> Iterator[str]:
    """Which outputs lack results, and how they get them, a line each."""
    export = f"processor export {shlex.quote(str(shot.folder))} --output …"
    for one in handed:
        if one.problem is not None:
            end = "" if one.problem.endswith((".", "?")) else "."
            yield (
                f"Not all results are there: {one.problem}{end} The same command catches up, "
                f"and so does {export}: {command}"
            )


def _rows(count: int, ids: Sequence[str]) -> str:
    more = ", …" if count > len(ids) else ""
    return f"{count:,} {'row' if count == 1 else 'rows'} ({', '.join(ids)}{more})"


def stop(shot: Snapshot) -> str | None:
    """What ended the latest start early, and the remedy; None if nothing did."""
    session = shot.session
    if session is None or session.stop_code is None:
        return None
    return f"{session.stop_code}: {session.stop_message} {cause_of(session.stop_code).remedy}"


def _budget(shot: Snapshot, limit_usd: float) -> str:
    used = f"{money(shot.spent_usd)} of {money(limit_usd)} used"
    if shot.killed_usd:
        used += f", {money(shot.killed_usd)} of it only reserved when a start was killed"
    if shot.jobs.reserved_usd:
        used += f" · {money(shot.jobs.reserved_usd)} reserved for batches"
    reserved_usd = shot.reserved_usd - shot.spent_usd
    return f"{used} · {money(reserved_usd)} reserved for calls" if reserved_usd > 0 else used


def _tiers(shot: Snapshot) -> str:
    """At which service tiers items were answered, and billed."""
    parts = [
        f"{'standard' if name == _STANDARD else name} {count:,}"
        for name, count in shot.tiers.items()
    ]
    if shot.overall.no_room:
        parts.append(f"no room {counted(shot.overall.no_room, 'time')}")
    return " · ".join(parts)


def _targets(shot: Snapshot) -> Iterator[str]:
    for target in targets(shot):
        value = milliseconds(target.value) if target.unit == "ms" else share(target.value)
        yield _row("target", f"{target.name}: {value} {'✓' if target.met else '✗ missed'}")


def _row(name: str, text: str) -> str:
    return f"  {name:<9} {text}"
