"""A comparison in words: its table, its verdict, and what users have reported beside it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from processor.compare.measured import Measured, Status
from processor.console.words import counted, duration, milliseconds, money, rate, share

_HEAD = ("arm", "time", "items/s", "calls", "tokens", "cost", "CPU", "memory", "p50", "p95")
_NONE = "–"

Json = Mapping[str, Any]


def began(now: Measured) -> str:
    """A trial that is about to run."""
    return f"{now.trial.arm.name} · {counted(now.trial.items, 'item')}{_model_and_round(now)} …"


def ended(now: Measured) -> str:
    """A trial that has run."""
    head = f"{now.trial.arm.name} · {counted(now.trial.items, 'item')}{_model_and_round(now)}"
    if now.figures is None:
        return f"{head}: {now.status}: {now.problem}"
    failed = f" · {now.figures.failed:,} failed" if now.figures.failed else ""
    problem = f" · {now.problem}" if now.problem else ""
    took = f", {duration(now.figures.wall_s)}" if now.status is Status.DONE else ""
    return f"{head}: {now.status}{took}{failed}{problem}"


def _model_and_round(now: Measured) -> str:
    again = f", round {now.trial.round}" if now.trial.round > 1 else ""
    return f", {now.trial.model}{again}"


def lines(made: Json, folder: Path) -> Iterator[str]:
    """All of it, a line at a time.

    Args:
        made: As `document.made` gives it.
        folder: Of the comparison.
    """
    terms = made["terms"]
    most = terms["sizes"][-1]
    models = dict.fromkeys(arm["model"] for arm in made["arms"])
    yield f"{terms['task']} · {', '.join(models)} · {terms['provider']} · {folder}"
    yield from _simulated(terms["simulation"])
    yield ""
    yield f"{counted(most, 'item')} of {terms['input']}; costs at list price{_charged(terms)}"
    yield from _table(made["arms"], most, several=len(models) > 1)
    if any(arm["arm"].startswith("chunk-") for arm in made["arms"]):
        yield "  note      the size of chunks changes time only with a wait between them"
    yield ""
    yield from _verdict(made, most)
    yield ""
    yield from _reported(made)


def _charged(terms: Json) -> str:
    return "" if terms["simulation"] is None else ", and the sandbox charges nothing"


def _simulated(simulation: Json | None) -> Iterator[str]:
    if simulation is None:
        return
    yield (
        f"simulated: a call takes {simulation['call_s']:g} s on the average, a batch job "
        f"{duration(simulation['job_s'])}; times are those seconds, which pass "
        f"{simulation['scale']:g} times faster"
    )
    if simulation["scale"] > 1:
        yield (
            f"  what the machine itself takes while it sends counts {simulation['scale']:g} times: "
            "other work on it spoils the figures"
        )


# --- the table ---------------------------------------------------------------------------------


def _table(arms: Sequence[Json], most: int, *, several: bool) -> Iterator[str]:
    rows: list[Sequence[str]] = [_HEAD]
    notes: list[str] = []
    for arm in arms:
        name = f"{arm['arm']} {arm['model']}" if several else arm["arm"]
        found = [each for each in arm["trials"] if each["items"] == most]
        done = [each["figures"] for each in found if each["status"] == "done"]
        rows.append((name, *_cells(done)) if done else (name, *_undone(found)))
        notes += _notes(name, found)
    yield from _aligned(rows)
    yield from notes


def _aligned(rows: Sequence[Sequence[str]], *, left_last: bool = False) -> Iterator[str]:
    """Rows as lines: the first column to the left, numbers to the right."""
    most = max(map(len, rows))
    widths = [max(len(row[n]) for row in rows if len(row) > n) for n in range(most)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=False)]
        cells[0] = row[0].ljust(widths[0])
        if left_last:
            cells[-1] = row[-1]
        yield "  " + "  ".join(cells).rstrip()


def _cells(done: Sequence[Json]) -> Sequence[str]:
    def mean(name: str) -> float | None:
        values = [figures[name] for figures in done if figures[name] is not None]
        return fmean(values) if values else None

    tokens = fmean(each["prompt_tokens"] + each["completion_tokens"] for each in done)
    bound = "≤ " if any(each["is_bound"] for each in done) else ""
    calls, memory = mean("calls") or 0.0, mean("peak_mb")
    return (
        bound + duration(mean("wall_s")),
        rate(mean("per_s")).removesuffix("/s"),
        f"{calls:,.0f}",
        f"{tokens:,.0f}",
        money(mean("cost_usd")),
        f"{mean('cpu_s') or 0:.2f}s",
        f"{memory:.0f} MB" if memory else _NONE,
        milliseconds(mean("p50_ms")),
        milliseconds(mean("p95_ms")),
    )


def _undone(found: Sequence[Json]) -> Sequence[str]:
    return (", ".join(dict.fromkeys(each["status"] for each in found)) or "only at other sizes",)


def _notes(name: str, found: Sequence[Json]) -> Iterator[str]:
    for each in found:
        figures = each["figures"]
        if each["problem"]:
            yield f"  note      {name}: {each['problem']}"
        if figures is None:
            continue
        if figures["failed"] or figures["retries"]:
            named = ", ".join(f"{code} {count:,}" for code, count in figures["errors"].items())
            yield (
                f"  note      {name}: {counted(figures['failed'], 'item')} failed, "
                f"{counted(figures['retries'], 'call')} sent again{f' ({named})' if named else ''}"
            )
        if figures["is_bound"] and each["status"] == "done":
            yield f"  note      {name}: interrupted or left meanwhile, so its time is a bound"


# --- the verdict -------------------------------------------------------------------------------


def _verdict(made: Json, most: int) -> Iterator[str]:
    payoffs = made["payoffs"]
    if made["leading"] is None or not payoffs:
        yield "Does batching pay? Not known: it takes one-by-one and batch-N at two sizes."
        return
    yield from _headline(made, most)
    yield ""
    bases = dict.fromkeys(each["base"] for each in payoffs)
    head = ["pays from", *(f"time, {base}" for base in bases), "calls", "price"]
    rows = [head]
    for way in dict.fromkeys(each["way"] for each in payoffs):
        told = [_of(made, way, base, "time") for base in bases]
        calls = _of(made, way, next(iter(bases)), "calls")
        cells = [_short(each, made["most_items"]) for each in (*told, calls)]
        rows.append([way, *cells, _price(made["arms"], way, most)])
    yield from _aligned(rows)
    yield from _what_if(made)
    yield (
        f"  measured up to {counted(most, 'item')}; beyond that a line is drawn, and a "
        "provider's limits are not in it"
    )
    if not any(each["rounds"] for each in payoffs):
        yield "  each was measured once; --rounds 3 tells how far these numbers would differ"
    if _has_bounds(made):
        yield "  some of these times are bounds, and so is what follows from them"
    if _has_failures(made):
        yield "  items failed, so that some of these figures are of fewer answers"


def _has_bounds(made: Json) -> bool:
    return any(
        each["status"] == "done" and each["figures"]["is_bound"]
        for arm in made["arms"]
        for each in arm["trials"]
    )


def _has_failures(made: Json) -> bool:
    return any(
        each["status"] == "done" and each["figures"]["failed"]
        for arm in made["arms"]
        for each in arm["trials"]
    )


def _headline(made: Json, most: int) -> Iterator[str]:
    """The verdict in a sentence for each of time, calls and price."""
    way = made["leading"]
    for each in made["payoffs"]:
        if each["way"] == way and each["quantity"] == "time":
            yield f"Batching ({way}) {_pays(each, made)} in time against {each['base']}"
    calls = next((e for e in made["payoffs"] if (e["way"], e["quantity"]) == (way, "calls")), None)
    if calls is not None:
        yield f"Batching ({way}) {_pays(calls, made)} in calls"
    batch_usd = _cost(made["arms"], way, most)
    direct_usd = _cost(made["arms"], "one-by-one", most)
    if batch_usd is not None and direct_usd:
        yield (
            f"Batching costs {share(batch_usd / direct_usd)} of what calls cost, from the first "
            f"item on: {money(batch_usd)} against {money(direct_usd)} at list price"
        )


def _pays(each: Json, made: Json) -> str:
    if each["since"] is None:
        return f"does not pay within {made['most_items']:,} items{_range(each['rounds'])}"
    if each["until"] is not None:
        return f"pays up to {counted(each['until'], 'item')}{_range(each['rounds'])}"
    return f"pays from {counted(each['since'], 'item')} on{_range(each['rounds'])}"


def _of(made: Json, way: str, base: str, quantity: str) -> Json | None:
    wanted = (way, base, quantity)
    found = (e for e in made["payoffs"] if (e["way"], e["base"], e["quantity"]) == wanted)
    return next(found, None)


def _short(each: Json | None, most_items: int) -> str:
    """A number of items; a range where rounds tell one."""
    if each is None:
        return _NONE
    if each["since"] is None:
        return f"not by {most_items:,}"
    if each["until"] is not None:
        return f"1 to {each['until']:,}"
    rounds = each["rounds"]
    if rounds is None or rounds["since_most"] is None:
        return f"{each['since']:,}"
    return f"{each['since']:,} ({rounds['since_least']:,}–{rounds['since_most']:,})"


def _range(rounds: Json | None) -> str:
    if rounds is None:
        return ""
    if not rounds["paying"]:
        return f" (in none of {rounds['pairs']} pairs of rounds)"
    if rounds["since_most"] is None:
        return (
            f" (in {rounds['paying']} of {rounds['pairs']} pairs of rounds, from "
            f"{rounds['since_least']:,} on at best)"
        )
    return f" ({rounds['since_least']:,}–{rounds['since_most']:,} over pairs of rounds)"


def _price(arms: Sequence[Json], way: str, most: int) -> str:
    batch_usd, direct_usd = _cost(arms, way, most), _cost(arms, "one-by-one", most)
    return _NONE if batch_usd is None or not direct_usd else share(batch_usd / direct_usd)


def _cost(arms: Sequence[Json], name: str, most: int) -> float | None:
    costs = [
        each["figures"]["cost_usd"]
        for arm in arms
        if arm["arm"] == name and arm["model"] == arms[0]["model"]
        for each in arm["trials"]
        if each["items"] == most and each["status"] == "done"
    ]
    known = [cost for cost in costs if cost is not None]
    return fmean(known) if known else None


def _what_if(made: Json) -> Iterator[str]:
    """The same if a batch job took as long as is said; what a provider makes of it decides."""
    found = made["what_if"]
    bases = dict.fromkeys(each["base"] for each in found)
    rows = [["if a job took", *(f"time, {base}" for base in bases), ""]]
    for job_s, why in dict.fromkeys((each["job_s"], each["why"]) for each in found):
        own = [{**each, "rounds": None} for each in found if each["job_s"] == job_s]
        cells = [_short(each, made["most_items"]) for each in own]
        rows.append([duration(job_s), *cells, f"({why})"])
    yield from _aligned(rows, left_last=True)


# --- what users have reported ------------------------------------------------------------------


def _reported(made: Json) -> Iterator[str]:
    theirs = made["reported"]
    answers, whole = theirs["answers"], theirs["whole_items"]
    way = f"batch-{answers}"
    one_s, batch_s = _time_s(made, "one-by-one", answers), _time_s(made, way, answers)
    if one_s is None and batch_s is None:
        return
    yield "Beside what users report"
    yield _beside(
        f"{answers} answers one by one", f"{theirs['one_by_one_s']:.0f} s", duration(one_s)
    )
    yield _beside(f"{answers} answers batched", f"{theirs['batched_s']:.0f} s", duration(batch_s))
    low, high = theirs["speed_up"]
    times = f"{one_s / batch_s:.1f} times" if one_s and batch_s else _NONE
    yield _beside("batched is quicker", f"{low:g}–{high:g} times", times)
    yield _beside("fewer calls", f"{share(theirs['fewer_calls'])} and more", _fewer_calls(made))
    low_s, high_s = theirs["whole_s"]
    one_by_one = duration(_time_s(made, "one-by-one", whole))
    batched = duration(_time_s(made, way, whole))
    together = f"one by one {one_by_one}, {way} {batched}"
    yield _beside(f"{whole} answers", f"{low_s / 60:.0f}–{high_s / 60:.0f} min", together)


def _beside(what: str, theirs: str, ours: str) -> str:
    return f"  {what:<22} reported {theirs:<15} here {ours}"


def _time_s(made: Json, name: str, items: int) -> float | None:
    """What so many items took with the first model, or would by the line of that arm."""
    arm = next((each for each in made["arms"] if each["arm"] == name), None)
    if arm is None:
        return None
    measured = [
        each["figures"]["wall_s"]
        for each in arm["trials"]
        if each["items"] == items and each["status"] == "done"
    ]
    line = arm["lines"].get("time")
    if measured:
        return fmean(measured)
    return None if line is None else line["fixed"] + line["each"] * items


def _fewer_calls(made: Json) -> str:
    """Of each size of batch jobs, against one by one."""
    most = made["terms"]["sizes"][-1]
    counts = {
        arm["arm"]: fmean(each["figures"]["calls"] for each in done)
        for arm in made["arms"]
        if arm["model"] == made["arms"][0]["model"]
        and (done := [e for e in arm["trials"] if e["items"] == most and e["status"] == "done"])
    }
    batches = [name for name in counts if name.startswith("batch-")]
    if not batches or not counts.get("one-by-one"):
        return _NONE
    told = [f"{name} {share(1 - counts[name] / counts['one-by-one'])}" for name in batches]
    return ", ".join(told)
