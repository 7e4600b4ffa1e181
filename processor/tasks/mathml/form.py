"""The canonical form: a formula as its reader sees it.

A form is a tuple of single characters and nodes. Scripts follow their base as nodes of their own,
so that the extent of the base, which nobody sees, does not count.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

Form: TypeAlias = "tuple[str | Node, ...]"

# What the rule of an element makes its form of: the forms of its parts, and its attributes.
Children: TypeAlias = list[Form]
Attributes: TypeAlias = Mapping[str, str]


class Node(NamedTuple):
    """A part of a form that is more than a character.

    Attributes:
        kind: `frac`, `root`, `^`, `_`, `stack` (base, under, over), `table`, `row`, …
        parts: Forms, in the order in which they are read.
    """

    kind: str
    parts: tuple[Form, ...]


def text(form: Form) -> str:
    """A form in one line for people: `x^{2}+frac{1}{2}`."""
    return "".join(
        atom if isinstance(atom, str) else atom.kind + "".join(f"{{{text(p)}}}" for p in atom.parts)
        for atom in form
    )


def difference(source: Form, answer: Form) -> tuple[str, str] | None:
    """The first place where two forms differ, as (source, answer); None when they are equal."""
    if source == answer:
        return None
    at = next(
        (i for i, (a, b) in enumerate(zip(source, answer, strict=False)) if a != b),
        min(len(source), len(answer)),
    )
    if at < len(source) and at < len(answer):
        inner = _inner_difference(source[at], answer[at])
        if inner is not None:
            return inner
    return _excerpt(source, at), _excerpt(answer, at)


def _inner_difference(a: str | Node, b: str | Node) -> tuple[str, str] | None:
    if isinstance(a, str) or isinstance(b, str) or a.kind != b.kind:
        return None
    if len(a.parts) != len(b.parts):
        return None
    return next(
        (found for p, q in zip(a.parts, b.parts, strict=True) if (found := difference(p, q))), None
    )


_BEFORE, _AFTER, _LONGEST = 4, 6, 40


def _excerpt(form: Form, at: int) -> str:
    shown = text(form[max(0, at - _BEFORE) : at + _AFTER])
    if at >= len(form):
        shown += "(end)"
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"
