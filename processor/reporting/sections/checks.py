"""Quality: checks, labels, consistency, diversity, groups, agreement, as `processor quality`."""

from collections.abc import Iterator, Mapping

from processor.console.words import counted
from processor.quality.agreement import Agreement
from processor.quality.assessment import Assessment
from processor.quality.figure import Figure as Measured, share as of_cases
from processor.quality.separation import Separation
from processor.reporting import figures
from processor.reporting.document import (
    Block,
    Cell,
    Figure,
    Foreign,
    Line,
    Part,
    Prose,
    Section,
    Table,
    cells,
)
from processor.reporting.gathering import Findings

_HEADS = ("measure", "value", "95% interval", "of")
_NUMBERS = frozenset({1, 2, 3})
_LABELS_MOST = 12
_LABELS_SHOWN = 40
_EXTREMES = 3


def section(found: Findings) -> Section | None:
    """None of a run without answers."""
    scan = found.scan
    if scan is None or scan.quality is None:
        return None
    blocks = [*_checks(found), *_blocks(scan.quality, content=found.content)]
    if not blocks:
        return None
    if not scan.is_whole:
        blocks.append(
            Prose(
                (f"Measured on {scan.items:,} of {scan.of_items:,} items, drawn evenly.",),
                look="note",
            )
        )
    return Section("quality", "Quality", blocks)


def _checks(found: Findings) -> Iterator[Block]:
    """Of all successes, as the ledger counts them."""
    counts, succeeded = found.shot.checks, found.shot.succeeded
    if not counts.keys() - {"unchecked"}:
        return
    rows = [
        _row(f"checks.{name}.share", name, of_cases(count, succeeded))
        for name, count in counts.items()
    ]
    yield Table("Checks of results", _HEADS, rows, _NUMBERS)


def _blocks(found: Assessment, *, content: bool) -> Iterator[Block]:
    if found.labels is not None:
        yield _labels(found.labels, found.run.labels)
    if found.gold is not None and found.terms.gold is not None:
        yield from _gold(found.gold, found.terms.gold, content=content)
    rows = list(_measures(found))
    if rows:
        yield Table("Answers beside each other", _HEADS, rows, _NUMBERS)
    if found.separation is not None:
        yield Prose(tuple(_groups(found.separation, content=content)))


def _labels(shares: Mapping[str, Measured], names: Mapping[str, str]) -> Table:
    rows = []
    ordered = sorted(shares, key=lambda key: -(shares[key].value or 0.0))[:_LABELS_SHOWN]
    for key, one in shares.items():
        if key not in ordered:
            continue
        name: tuple[Part, ...] = (Foreign(names.get(key, key)),)
        rows.append(
            [
                Cell(name if names.get(key, key) == key else (f"{key} ", *name)),
                Cell((figures.measured(f"quality.labels.{key}", one),), filled=one.value),
                Cell((figures.interval(one),)),
                Cell((f"{one.n:,}",)),
            ]
        )
    left = len(shares) - len(rows)
    title = f"Labels; {left:,} rarer ones are left out" if left else "Labels"
    return Table(title, ("label", *_HEADS[1:]), rows, _NUMBERS)


def _measures(found: Assessment) -> Iterator[list[Cell]]:
    same, apart = found.consistency, found.diversity
    if same is not None:
        yield _row("quality.equal", "answers to one input that are equal", same.equal)
        if same.kappa is not None:
            yield _row("quality.fleiss", "the same beyond chance: Fleiss' kappa", same.kappa, 1)
        if same.similarity is not None and same.unrelated is not None:
            yield _row("quality.same", "similarity of answers to one input", same.similarity, 1)
            yield _row("quality.unrelated", "of answers to different ones", same.unrelated, 1)
    if apart is not None:
        yield _row("quality.unique", "answers that no other equals", apart.unique)
        yield _row("quality.similarity", "similarity of any two answers", apart.similarity, 1)
    lengths = found.lengths
    if lengths is not None and lengths.p50 is not None:
        yield cells(
            "characters of an answer, half of them",
            Figure("quality.length_p50", lengths.p50, f"{lengths.p50:,}"),
            (f"{lengths.p5:,}–{lengths.p95:,} are the middle 90%",),
            f"{lengths.texts:,}",
        )


def _row(name: str, words: str, one: Measured, plain: int = 0) -> list[Cell]:
    is_share = not plain
    return cells(
        words,
        figures.measured(name, one, is_share=is_share),
        figures.interval(one, is_share=is_share),
        f"{one.n:,}",
    )


def _gold(found: Agreement, column: str, *, content: bool) -> Iterator[Block]:
    line: Line = (f"Of {counted(found.pairs, 'item')} with a right label",)
    if content:
        line = (*line, " in ", Foreign(column))
    line = (*line, ", ", figures.measured("quality.gold.accuracy", found.accuracy), " were given ")
    line = (*line, f"it ({figures.interval(found.accuracy)}).")
    if not found.by_label:
        kappa = figures.measured("quality.gold.kappa", found.kappa, is_share=False)
        line = (*line, " Beyond chance (Cohen's kappa): ", kappa)
        line = (*line, f" ({figures.interval(found.kappa, is_share=False)}).")
    yield Prose(line)
    confusion = found.confusion
    if not content or found.by_label or not 2 <= len(confusion.labels) <= _LABELS_MOST:
        return
    rows = []
    for name, counts in zip(confusion.names, confusion.counts, strict=True):
        whole = sum(counts) or 1
        row = [Cell((Foreign(name),))]
        row += [Cell((f"{count:,}",), filled=count / whole) for count in counts]
        rows.append(row)
    heads = ["right ↓  given →", *confusion.names]
    yield Table(
        "Right labels and given ones", heads, rows, frozenset(range(1, len(confusion.names) + 1))
    )


def _groups(found: Separation, *, content: bool) -> Iterator[Part]:
    yield f"{counted(found.groups, 'group')} answered {counted(found.questions, 'question')}: "
    yield figures.measured("quality.recognised", found.recognised)
    yield " of the answers are recognised as their group's by its other answers; chance gives "
    yield figures.measured("quality.chance", found.chance)
    if found.p_value is not None:
        shown = "so they differ" if found.is_shown else "so no difference is shown"
        yield f" (p = {found.p_value:.3f}, {shown})"
    yield "."
    ordered = sorted(found.by_group.items(), key=lambda pair: -(pair[1].value or 0.0))
    if not content or len(ordered) <= 2 * _EXTREMES:
        return
    for words, some in ((" Most: ", ordered[:_EXTREMES]), (" Least: ", ordered[-_EXTREMES:])):
        yield words
        for place, (name, one) in enumerate(some):
            yield " · " if place else ""
            yield Foreign(name)
            yield f" {figures.share('', one.value).words}"
        yield "."
