"""A comparison in words: its table, its verdict, and what users have reported beside it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from processor.compare.measured import Measured
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
    return f"{head}: {now.status}, {duration(now.figures.wall_s)}{failed}{problem}"


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
    yield f"{counted(most, 'item')} of {terms['input']}"
    yield from _table(made["arms"], most, several=len(models) > 1)
    yield ""
    yield from _verdict(made, most)
    yield ""
    yield from _reported(made)


def _simulated(simulation: Json | None) -> Iterator[str]:
    if simulation is None:
        return
    yield (
        f"simulated: a call takes {simulation['call_s']:g} s on the average, a batch job "
        f"{duration(simulation['job_s'])}; times are those seconds, which pass "
        f"{simulation['scale']:g} times faster"
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
    widths = [max(len(row[n]) for row in rows if len(row) > n) for n in range(len(_HEAD))]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=False)]
        yield "  " + "  ".join([first.ljust(widths[0]), *cells])
    yield from notes


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
        if figures["is_bound"]:
            yield f"  note      {name}: interrupted or left, so its time is a bound"


# --- the verdict -------------------------------------------------------------------------------


def _verdict(made: Json, most: int) -> Iterator[str]:
    payoffs = made["payoffs"]
    if not payoffs:
        yield "Does batching pay? Not known: it takes one-by-one and batch-N at two sizes."
        return
    yield "Batching pays"
    for way in dict.fromkeys(each["way"] for each in payoffs):
        own = [each for each in payoffs if each["way"] == way]
        for quantity in ("time", "calls"):
            told = [
                f"{_since(each, made['most_items'])} against {each['base']}"
                for each in own
                if each["quantity"] == quantity
            ]
            yield f"  {way:<9} in {quantity:<6}{'; '.join(told)}"
        yield f"  {way:<9} in price {_price(made['arms'], way, most)}"
    yield from _what_if(made)
    yield (
        f"  measured up to {counted(most, 'item')}; beyond that a line is drawn, and a "
        "provider's limits are not in it"
    )


def _since(each: Json, most_items: int) -> str:
    if each["since"] is None:
        told = f"not within {most_items:,} items"
    elif each["until"] is not None:
        told = f"up to {counted(each['until'], 'item')}"
    else:
        told = f"from {counted(each['since'], 'item')} on"
    return told + _range(each["rounds"])


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
    if batch_usd is None or not direct_usd:
        return "not known; --price IN,OUT tells it"
    return (
        f"from the first item on: {share(batch_usd / direct_usd)} of what calls cost "
        f"({money(batch_usd)} against {money(direct_usd)})"
    )


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
    found = made["what_if"]
    if found:
        yield "  in time it depends on what a batch job takes:"
    for job_s, why in dict.fromkeys((each["job_s"], each["why"]) for each in found):
        told = [
            f"{_since({**each, 'rounds': None}, made['most_items'])} against {each['base']}"
            for each in found
            if each["job_s"] == job_s
        ]
        yield f"    {duration(job_s):>6} ({why}): {'; '.join(told)}"


# --- what users have reported ------------------------------------------------------------------


def _reported(made: Json) -> Iterator[str]:
    theirs = made["reported"]
    answers, whole = theirs["answers"], theirs["whole_items"]
    one, batch = _line(made, "one-by-one"), _line(made, f"batch-{answers}")
    low_s, high_s = theirs["whole_s"]
    yield "Beside what users report"
    yield _beside(
        f"{answers} answers one by one", f"{theirs['one_by_one_s']:.0f} s", _at(one, answers)
    )
    yield _beside(f"{answers} answers batched", f"{theirs['batched_s']:.0f} s", _at(batch, answers))
    low, high = theirs["speed_up"]
    yield _beside("batched is quicker", f"{low:g}–{high:g} times", _times(one, batch, answers))
    fewer = _fewer_calls(made)
    yield _beside("fewer calls", f"{share(theirs['fewer_calls'])} and more", fewer)
    together = f"one by one {_at(one, whole)}, batched {_at(batch, whole)}"
    yield _beside(f"{whole} answers", f"{low_s / 60:.0f}–{high_s / 60:.0f} min", together)


def _beside(what: str, theirs: str, ours: str | None) -> str:
    return f"  {what:<22} reported {theirs:<13} here {ours or _NONE}"


def _line(made: Json, arm: str) -> Json | None:
    found = (each for each in made["arms"] if each["arm"] == arm)
    first = next(found, None)
    line: Json | None = first["lines"].get("time") if first else None
    return line


def _value(line: Json, items: int) -> float:
    value: float = line["fixed"] + line["each"] * items
    return value


def _times(slow: Json | None, quick: Json | None, items: int) -> str | None:
    if slow is None or quick is None or not (taken_s := _value(quick, items)):
        return None
    return f"{_value(slow, items) / taken_s:.1f} times"


def _at(line: Json | None, items: int) -> str:
    return _NONE if line is None else duration(_value(line, items))


def _fewer_calls(made: Json) -> str | None:
    """Of the largest batch jobs that were measured, against one by one."""
    most = made["terms"]["sizes"][-1]
    counts = {
        arm["arm"]: fmean(each["figures"]["calls"] for each in done)
        for arm in made["arms"]
        if (done := [e for e in arm["trials"] if e["items"] == most and e["status"] == "done"])
    }
    batches = [name for name in counts if name.startswith("batch-")]
    if not batches or not counts.get("one-by-one"):
        return None
    told = [f"{name} {share(1 - counts[name] / counts['one-by-one'])}" for name in batches]
    return ", ".join(told)
