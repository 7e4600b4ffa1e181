"""`comparison.json`: what a comparison has found, as JSON values.

{"format": 1, "terms": {…}, "exit_code",
 "arms": [{"arm", "words", "model",
           "trials": [{"items", "round", "status", "exit_code", "problem", "folder",
                       "figures": {…} or null}],
           "lines": {"time" | "calls" | "cost": {"fixed", "each"}}}],
 "leading": the way that the verdict is about, or null,
 "payoffs": [{"way", "base", "quantity", "since", "until",
              "rounds": {"pairs", "paying", "since_least", "since_most"} or null}],
 "what_if": [{"why", "job_s", "base", "since", "until"}],
 "most_items", "reported": {…}}

Times are seconds of the provider, money US dollars, memory MB of a million bytes. `since` and
`until` are numbers of items; both are null where the way never pays up to `most_items`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from processor.compare import reported
from processor.compare.line import MOST_ITEMS, Span
from processor.compare.measured import Measured
from processor.compare.payoff import Entry, Payoff, WhatIf, entries, leading, payoffs, what_if
from processor.compare.terms import FORMAT, Terms


def begun(terms: Terms) -> dict[str, Any]:
    """Of a comparison that has found nothing yet."""
    return made(terms, [], exit_code=None)


def made(terms: Terms, found: Sequence[Measured], *, exit_code: int | None) -> dict[str, Any]:
    """All that is known.

    Args:
        terms: Of the comparison.
        found: All trials as they stand.
        exit_code: What the command ends with; None while it goes on.
    """
    done = entries(found)
    return {
        "format": FORMAT,
        "terms": terms.as_json(),
        "exit_code": exit_code,
        "arms": _arms(found, done),
        "payoffs": [_payoff(each) for each in payoffs(done)],
        "leading": way.arm.name if (way := leading(done)) is not None else None,
        "what_if": [_what_if(each) for each in what_if(done, reported.JOBS)],
        "most_items": MOST_ITEMS,
        "reported": {
            "one_by_one_s": reported.CALL_S * reported.ANSWERS,
            "batched_s": reported.BATCHED_S,
            "answers": reported.ANSWERS,
            "speed_up": list(reported.SPEED_UP),
            "fewer_calls": reported.FEWER_CALLS,
            "whole_items": reported.WHOLE_ITEMS,
            "whole_s": list(reported.WHOLE_S),
        },
    }


def _arms(found: Sequence[Measured], done: Sequence[Entry]) -> list[dict[str, Any]]:
    lines = {(each.arm, each.model): each.lines for each in done}
    keys = dict.fromkeys((each.trial.arm, each.trial.model) for each in found)
    return [
        {
            "arm": arm.name,
            "words": arm.words,
            "model": model,
            "trials": [
                _trial(each) for each in found if (each.trial.arm, each.trial.model) == (arm, model)
            ],
            "lines": {name: asdict(line) for name, line in lines.get((arm, model), {}).items()},
        }
        for arm, model in keys
    ]


def _trial(each: Measured) -> dict[str, Any]:
    figures = each.figures
    return {
        "items": each.trial.items,
        "round": each.trial.round,
        "status": str(each.status),
        "exit_code": each.exit_code,
        "problem": each.problem or None,
        "folder": each.folder.name,
        "figures": None if figures is None else {**asdict(figures), "per_s": figures.per_s},
    }


def _payoff(each: Payoff) -> dict[str, Any]:
    rounds = {
        "pairs": each.pairs,
        "paying": each.pairs_paying,
        "since_least": each.since_least,
        "since_most": each.since_most,
    }
    return {
        "way": each.way,
        "base": each.base,
        "quantity": each.quantity,
        **_span(each.span),
        "rounds": rounds if each.pairs else None,
    }


def _what_if(each: WhatIf) -> dict[str, Any]:
    return {"why": each.why, "job_s": each.job_s, "base": each.base, **_span(each.span)}


def _span(span: Span | None) -> dict[str, int | None]:
    return {
        "since": None if span is None else span.since,
        "until": None if span is None else span.until,
    }
