"""Measures the checks of the mathml task on real or generated questions.

    python scripts/measure_mathml_checks.py questions.jsonl --mutations
    python scripts/measure_mathml_checks.py --generate 3000 --mutations

Every `mathml` is converted by pandoc and checked; where a row has a gold `latex`, that is checked
too. An answer that is not verified is either the converter's mistake or a false alarm: the
examples are there to be looked at. With --mutations one thing is changed in each verified answer,
and the share of changes that the check finds is printed for each kind.
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypandoc

from processor.items import Accepted, Invalid, Item
from processor.tasks.toml import load_task

_CONVERTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """A question, the answer to it, and what the check made of it."""

    item: Item
    answer: str
    verdict: Accepted | Invalid

    @property
    def state(self) -> str:
        """`verified`, `review`, `unchecked` or `invalid`."""
        return self.verdict.check if isinstance(self.verdict, Accepted) else "invalid"

    @property
    def reason(self) -> str:
        """Notes or problem."""
        if isinstance(self.verdict, Invalid):
            return self.verdict.problem
        return "; ".join(self.verdict.notes)


# --- questions and answers ---------------------------------------------------------------------


def questions(options: argparse.Namespace) -> list[Item]:
    """The rows of the file, or generated ones."""
    if options.generate:
        from processor.data.generator import generate  # noqa: PLC0415 - only when asked for

        rows: list[Any] = [row.fields for row in generate(options.generate, seed=options.seed)]
    else:
        rows = [
            json.loads(line) for line in Path(options.file).read_text("utf-8").split("\n") if line
        ]
    return [
        Item(seq=number, chunk=1, id=row["question_id"], fields=row)
        for number, row in enumerate(rows, start=1)
    ]


def pandoc_answers(items: Sequence[Item]) -> list[str]:
    """LaTeX of each item, as pandoc writes it; empty where it finds no formula."""
    answers: list[str] = []
    for start in range(0, len(items), _CONVERTED_AT_ONCE):
        some = items[start : start + _CONVERTED_AT_ONCE]
        html = "".join(f"<div>{item.fields['mathml']}</div>" for item in some)
        document = json.loads(pypandoc.convert_text(html, "json", format="html"))
        found = ["".join(_formulas(block)) for block in document["blocks"]]
        if len(found) != len(some):
            message = f"pandoc gave {len(found)} blocks for {len(some)} questions"
            raise SystemExit(message)
        answers += found
    return answers


def _formulas(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("t") == "Math":
            yield node["c"][1]
        else:
            yield from _formulas(list(node.values()))
    elif isinstance(node, list):
        for child in node:
            yield from _formulas(child)


# --- mutations ---------------------------------------------------------------------------------

_Mutation = Callable[[str, random.Random], str | None]
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_OPERATORS = {
    "=": r"\neq ",
    "<": r"\leq ",
    ">": "<",
    r"\leq": r"\geq",
    r"\geq": r"\leq",
    r"\times": r"\div",
    r"\cdot": "+",
    r"\div": r"\times",
    r"\pm": "+",
}


def _changed(pattern: str, change: Callable[[re.Match[str], random.Random], str]) -> _Mutation:
    """A mutation that changes one of the places where a pattern matches."""
    compiled = re.compile(pattern)

    def mutate(latex: str, rng: random.Random) -> str | None:
        places = list(compiled.finditer(latex))
        if not places:
            return None
        at = rng.choice(places)
        return latex[: at.start()] + change(at, rng) + latex[at.end() :]

    return mutate


def _other(choices: str) -> Callable[[re.Match[str], random.Random], str]:
    return lambda at, rng: rng.choice([c for c in choices if c != at[0]])


def _truncated(latex: str, rng: random.Random) -> str | None:
    """Cut before a visible character; spacing at the end is not seen and cannot be missed."""
    places = [m.start() for m in re.finditer(r"(?<![\\A-Za-z])[A-Za-z0-9]", latex) if m.start()]
    return latex[: rng.choice(places)] if places else None


def _swapped(at: re.Match[str], _rng: random.Random) -> str:
    return rf"\frac{at['bottom']}{at['top']}"


# Neither the width of a space nor what a phantom hides is seen.
_LETTER = r"(?<![\\A-Za-z])(?<!phantom\{)(?<!array\}\{)[A-Za-z](?![A-Za-z])"
_DIGIT = r"\d(?!\d*mu\})"
MUTATIONS: dict[str, _Mutation] = {
    "digit": _changed(_DIGIT, _other("0123456789")),
    "digit dropped": _changed(_DIGIT, lambda _at, _rng: ""),
    "sign": _changed(r"[+-]", lambda at, _rng: "-" if at[0] == "+" else "+"),
    "sign dropped": _changed(r"[+-]", lambda _at, _rng: " "),
    "variable": _changed(_LETTER, _other("abcmnpxyz")),
    "fraction swapped": _changed(rf"\\frac(?P<top>{_GROUP})(?P<bottom>{_GROUP})", _swapped),
    "script dropped": _changed(rf"[_^]{_GROUP}", lambda _at, _rng: ""),
    "script turned": _changed(rf"(?<=[A-Za-z0-9])[_^](?={_GROUP})", _other("^_")),
    "truncated": _truncated,
    "operator": _changed(
        r"=|<|>|\\(?:leq|geq|times|cdot|div|pm)(?![A-Za-z])", lambda at, _rng: _OPERATORS[at[0]]
    ),
    "root dropped": _changed(rf"\\sqrt(?P<inside>{_GROUP})", lambda at, _rng: at["inside"]),
    "bracket dropped": _changed(r"(?<!\\left)(?<!\\right)[()]", lambda _at, _rng: ""),
    "cells joined": _changed(r"(?<=[0-9a-z}]) & (?=[0-9a-z])", lambda _at, _rng: " "),
    "rows joined": _changed(r"\\\\", lambda _at, _rng: " "),
}


def changes(checked: Sequence[Checked], mutate: _Mutation, seed: int) -> Iterator[tuple[Item, str]]:
    """One change to each verified answer that has a place for it and is not the same after it."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for one in checked:
        if one.state == "verified":
            mutant = mutate(one.answer, rng)
            if mutant is not None and mutant != one.answer:
                yield one.item, mutant


# --- what is printed ---------------------------------------------------------------------------


def check_all(pairs: Sequence[tuple[Item, str]]) -> list[Checked]:
    """What the mathml task says to each answer."""
    task = load_task("mathml")
    return [Checked(item, answer, task.check(item, answer)) for item, answer in pairs]


def print_states(title: str, pairs: Sequence[tuple[Item, str]], examples: int) -> list[Checked]:
    """Counts, time an item, and examples of what was not verified."""
    started = time.perf_counter()
    checked = check_all(pairs)
    each_us = (time.perf_counter() - started) / max(1, len(pairs)) * 1e6
    counts = Counter(one.state for one in checked)
    said = ", ".join(f"{counts[s]} {s}" for s in ("verified", "review", "unchecked", "invalid"))
    print(f"{title}: {len(pairs)} answers: {said}; {each_us:.0f} us each")
    doubtful = [one for one in checked if one.state != "verified"]
    for one in doubtful[:examples]:
        print(f"  {one.state:9} {one.item.id} {one.answer[:70]!r}\n            {one.reason}")
    return checked


def print_mutations(checked: Sequence[Checked], seed: int, examples: int) -> None:
    """For each kind of change the share that was found: review or invalid."""
    print("changes found:")
    for kind, mutate in MUTATIONS.items():
        mutants = check_all(list(changes(checked, mutate, seed)))
        missed = [one for one in mutants if one.state in {"verified", "unchecked"}]
        share = 1 - len(missed) / len(mutants) if mutants else 1.0
        print(f"  {kind:17} {len(mutants) - len(missed)} of {len(mutants)} ({share:.2%})")
        for one in missed[:examples]:
            print(f"    missed: {one.item.id} {one.answer[:70]!r} {one.state}")


def main() -> None:
    """Runs the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="JSONL with question_id, mathml and maybe latex")
    parser.add_argument("--generate", type=int, default=0, metavar="N", help="made-up questions")
    parser.add_argument("--mutations", action="store_true", help="measure what the check finds")
    parser.add_argument("--examples", type=int, default=10, metavar="N", help="of each group")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if bool(options.file) == bool(options.generate):
        parser.error("name a file or --generate N")
    items = questions(options)
    pairs = list(zip(items, pandoc_answers(items), strict=True))
    checked = print_states("pandoc", pairs, options.examples)
    gold = [(item, item.fields["latex"]) for item in items if item.fields.get("latex")]
    if gold:
        print_states("gold", gold, options.examples)
    if options.mutations:
        print_mutations(checked, options.seed, options.examples)


if __name__ == "__main__":
    main()
