"""The figures of an assessment as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from unicodedata import east_asian_width

from processor.console.words import counted, share
from processor.quality.against import Against
from processor.quality.agreement import Agreement, Confusion
from processor.quality.assessment import Assessment
from processor.quality.consistency import Consistency
from processor.quality.counts import Counts
from processor.quality.diversity import Diversity
from processor.quality.figure import Figure
from processor.quality.lengths import Lengths
from processor.quality.separation import Separation

_LABEL_COLUMNS = 46
_EXTREME_GROUPS = 3
_BETWEEN = " · "  # names may have commas
_CONFUSED_MOST = 12  # labels that a matrix shows on a screen


def lines(found: Assessment) -> Iterator[str]:
    """All that there is to say, in a table for each measure."""
    run, names = found.run, found.run.labels
    yield f"{run.folder} · task {run.task} · model {run.model} · {counted(run.items, 'item')}"
    yield _padded("", _LABEL_COLUMNS) + f"{'value':>8}   {'95 % interval':<15} {'n':>9}"
    yield from _counts(found.counts)
    if found.labels is not None:
        yield from _section("labels", _shares(found.labels, names))
    if found.lengths is not None:
        yield from _lengths(found.lengths)
    if found.consistency is not None:
        yield from _consistency(found.consistency)
    if found.diversity is not None:
        yield from _diversity(found.diversity)
    if found.separation is not None:
        yield from _separation(found.separation, found.terms.group or "group")
    if found.gold is not None:
        yield from _gold(found.gold, found.terms.gold or "")
    if found.against is not None:
        yield from _against(found.against)
    for note in found.notes:
        yield f"note  {note}"


def _counts(counts: Counts) -> Iterator[str]:
    rows = [
        _row("succeeded", counts.success),
        *_shares(counts.errors, {}, "failed: "),
        *(_shares(counts.checks, {}) if counts.checks.keys() - {"unchecked"} else ()),
    ]
    pending = f", {counts.pending:,} pending" if counts.pending else ""
    yield from _section(
        f"items: {counts.succeeded:,} succeeded, {counts.failed:,} failed{pending}", rows
    )


def _lengths(lengths: Lengths) -> Iterator[str]:
    yield ""
    yield (
        f"lengths in characters: p5 {lengths.p5:,} · p50 {lengths.p50:,} · p95 {lengths.p95:,} "
        f"· least {lengths.least:,} · most {lengths.most:,}"
    )
    yield _row("empty", lengths.empty)


def _consistency(found: Consistency) -> Iterator[str]:
    rows = [
        _row("pairs of answers to one input that are equal", found.equal),
        _row("inputs all of whose answers are equal", found.unanimous),
    ]
    if found.kappa is not None:
        rows.append(_row("Fleiss' kappa", found.kappa, plain=True))
    if found.similarity is not None and found.unrelated is not None:
        rows.append(_row("similarity, same input", found.similarity, plain=True))
        rows.append(_row("similarity, different inputs", found.unrelated, plain=True))
    head = f"consistency: {counted(found.answers, 'answer')} to {counted(found.inputs, 'input')}"
    yield from _section(head, rows)


def _diversity(found: Diversity) -> Iterator[str]:
    rows = [
        _row("answers that no other equals", found.unique),
        _row("similarity of two answers", found.similarity, plain=True),
    ]
    for what, figures in (
        ("words", found.distinct_words),
        ("characters", found.distinct_characters),
    ):
        for length, figure in enumerate(figures, 1):
            rows.append(_row(f"distinct-{length} of {what}", figure, plain=True))
    yield from _section(f"diversity: {counted(found.answers, 'answer')}", rows)


def _separation(found: Separation, group: str) -> Iterator[str]:
    by = "its group's other speakers" if found.speakers else "its other answers"
    rows = [
        _row(f"similarity, one {group}, one question", found.same_group_same_question, plain=True),
        _row(f"similarity, two {group}, one question", found.other_group_same_question, plain=True),
        _row(
            f"similarity, one {group}, two questions", found.same_group_other_question, plain=True
        ),
        _row(
            f"similarity, two {group}, two questions", found.other_group_other_question, plain=True
        ),
        _row(f"recognised by {by}", found.recognised),
        _row("the same by chance (groups shuffled)", found.chance),
    ]
    groups = f"{found.groups:,}"
    if found.groups < found.of_groups:
        groups += f" of {found.of_groups:,}"
    made_of = f" ({found.speakers:,} speakers)" if found.speakers else ""
    yield from _section(
        f"groups: {counted(found.answers, 'answer')} of {groups} {group}{made_of} "
        f"to {counted(found.questions, 'question')}",
        rows,
    )
    if found.p_value is not None:
        told = "differ" if found.is_shown else "are not shown to differ"
        yield f"  the groups {told} (p = {found.p_value:.3f})"
    ordered = sorted(found.by_group.items(), key=lambda pair: -(pair[1].value or 0.0))
    if len(ordered) > 2 * _EXTREME_GROUPS:
        yield f"  most recognised: {_BETWEEN.join(map(_told, ordered[:_EXTREME_GROUPS]))}"
        yield f"  least: {_BETWEEN.join(map(_told, reversed(ordered[-_EXTREME_GROUPS:])))}"
    elif ordered:
        yield f"  recognised: {_BETWEEN.join(map(_told, ordered))}"


def _told(group: tuple[str, Figure]) -> str:
    name, figure = group
    return f"{name} {share(figure.value)}"


def _gold(found: Agreement, column: str) -> Iterator[str]:
    alone = {
        "that the run has none for": found.only_first,
        "of the run alone": found.only_second,
        "without any": found.neither,
    }
    yield ""
    yield (
        f"agreement with {column}: {counted(found.pairs, 'pair of labels', 'pairs of labels')}"
        + ("".join(f" · {count:,} {words}" for words, count in alone.items() if count))
    )
    yield from _agreement(found, "right ↓  the run's →")


def _agreement(found: Agreement, sides: str) -> Iterator[str]:
    yield _row("accuracy", found.accuracy)
    if not found.by_label:
        yield _row("Cohen's kappa", found.kappa, plain=True)
        yield from _confusion(found.confusion, sides)
    for label, own in found.by_label.items():
        yield _row(f"Cohen's kappa of {label}", own.kappa, plain=True)


def _confusion(confusion: Confusion, sides: str) -> Iterator[str]:
    if len(confusion.labels) > _CONFUSED_MOST:
        yield f"  {len(confusion.labels)} labels: the matrix is in the JSON (--json)"
        return
    widths = [max(_width(label), 7) for label in confusion.labels]
    heads = "  ".join(
        _padded(label, width, right=True)
        for label, width in zip(confusion.labels, widths, strict=True)
    )
    yield f"  {_padded(sides, _LABEL_COLUMNS - 2)}{heads}"
    for label, name, row in zip(confusion.labels, confusion.names, confusion.counts, strict=True):
        cells = "  ".join(f"{count:>{width},}" for count, width in zip(row, widths, strict=True))
        yield f"  {_padded(_named(label, name), _LABEL_COLUMNS - 2)}{cells}"


def _against(found: Against) -> Iterator[str]:
    second = found.second
    yield ""
    yield f"against {second.folder} · task {second.task} · model {second.model}"
    apart = {
        "in the first only": found.only_first,
        "in the second only": found.only_second,
        "answered by the first only": found.answered_first,
        "answered by the second only": found.answered_second,
        "with different rows": found.rows_differ,
    }
    told = "".join(f" · {count:,} {words}" for words, count in apart.items() if count)
    yield f"{counted(found.both, 'item')} in both{told}"
    if not found.both:
        yield "  no id is in both: only runs of the same rows can be looked at item by item"
        return
    yield _row("equal answers", found.identical)
    if found.likeness is not None:
        yield _row("similarity, same item", found.likeness.similarity, plain=True)
        yield _row("similarity, different items", found.likeness.unrelated, plain=True)
    if found.agreement is not None:
        yield from _agreement(found.agreement, "first ↓  second →")


def _section(head: str, rows: Sequence[str]) -> Iterator[str]:
    yield ""
    yield head
    yield from rows


def _shares(figures: Mapping[str, Figure], names: Mapping[str, str], before: str = "") -> list[str]:
    return [
        _row(f"{before}{_named(key, names.get(key, key))}", figure)
        for key, figure in figures.items()
    ]


def _named(key: str, name: str) -> str:
    return key if key == name else f"{key} {name}"


def _row(label: str, figure: Figure, *, plain: bool = False) -> str:
    """`  succeeded   98.9%   96.8–99.6%   275`, or why there is no figure."""
    line = "  " + _padded(label, _LABEL_COLUMNS - 2)
    if figure.value is None:
        return f"{line}{'–':>8}   {figure.note}"
    value = _plain(figure.value) if plain else share(figure.value)
    note = f"   {figure.note}" if figure.note else ""
    return f"{line}{value:>8}   {_interval(figure, plain=plain):<15} {figure.n:>9,}{note}"


def _interval(figure: Figure, *, plain: bool) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    if plain:
        return f"{_plain(figure.low)}–{_plain(figure.high)}"
    return f"{share(figure.low).removesuffix('%')}–{share(figure.high)}"


def _plain(value: float) -> str:
    """With three places; 0 has no sign."""
    return f"{round(value, 3) + 0.0:.3f}"


def _padded(text: str, columns: int, *, right: bool = False) -> str:
    room = " " * max(0, columns - _width(text))
    return room + text if right else text + room


def _width(text: str) -> int:
    """Columns of a terminal; Korean characters take two."""
    return sum(2 if east_asian_width(mark) in "WF" else 1 for mark in text)
