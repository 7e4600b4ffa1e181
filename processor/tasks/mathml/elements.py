"""What each element of presentation MathML contributes to the canonical form."""

from collections.abc import Callable, Mapping
from itertools import chain, zip_longest
from typing import TypeAlias

from processor.tasks.mathml import tables
from processor.tasks.mathml.characters import atoms, is_accent, mark
from processor.tasks.mathml.form import Attributes, Children, Form, Node

Rule: TypeAlias = Callable[[Children, Attributes], Form]

_PRIME, _DEGREE = "′", "°"
_PRESCRIPTS: Form = (Node("prescripts", ()),)
# Their limits stand above and below in one style and beside in another; both mean the same.
_OPERATORS = frozenset("ΣΠ∐∫∬∭∮∯∰∪∩∨∧⊕⊗⊙⨄⨆") | {
    *("lim", "limsup", "liminf", "max", "min", "sup", "inf", "det", "gcd", "Pr"),
    *("argmax", "argmin", "injlim", "projlim"),
}
_STRIKES_AND_BOXES = {"roundedbox": "box", "updiagonalarrow": "updiagonalstrike"}


def _row(children: Children, _attributes: Attributes) -> Form:
    return children[0] if len(children) == 1 else tuple(chain.from_iterable(children))


def _nothing(_children: Children, _attributes: Attributes) -> Form:
    return ()


def _first(children: Children, _attributes: Attributes) -> Form:
    return children[0] if children else ()


def _selected(children: Children, attributes: Attributes) -> Form:
    selection = attributes.get("selection", "1")
    return children[int(selection) - 1] if children else ()


def _frac(children: Children, attributes: Attributes) -> Form:
    top, bottom = children
    without_line = attributes.get("linethickness", "").strip().startswith("0")
    return (Node("binom" if without_line else "frac", (top, bottom)),)


def _sqrt(children: Children, attributes: Attributes) -> Form:
    return (Node("root", (_row(children, attributes), ())),)


def _root(children: Children, _attributes: Attributes) -> Form:
    body, index = children
    return (Node("root", (body, () if index == ("2",) else index)),)


def _scripted(base: Form, sub: Form, sup: Form) -> Form:
    """A base with its scripts; the subscript comes first, primes and degrees are no scripts."""
    count = next((i for i, atom in enumerate(sup) if atom != _PRIME), len(sup))
    if count:
        base, sup = _primed(base, sup[:count]), sup[count:]
    if sup in {("∘",), (_DEGREE,)}:
        base, sup = (*base, _DEGREE), ()
    last = base[-1] if base else ""
    if sub and not sup and isinstance(last, Node) and last.kind == "^":
        return (*base[:-1], Node("_", (sub,)), last)
    return base + _node("_", sub) + _node("^", sup)


def _primed(base: Form, primes: Form) -> Form:
    """A base with primes, which stand before its subscript however they were written."""
    last = base[-1] if base else ""
    if isinstance(last, Node) and last.kind == "_":
        return base[:-1] + primes + (last,)
    return base + primes


def _node(kind: str, form: Form) -> Form:
    return (Node(kind, (form,)),) if form else ()


def _sub(children: Children, _attributes: Attributes) -> Form:
    base, sub = children
    return _scripted(base, sub, ())


def _sup(children: Children, _attributes: Attributes) -> Form:
    base, sup = children
    return _scripted(base, (), sup)


def _subsup(children: Children, _attributes: Attributes) -> Form:
    base, sub, sup = children
    return _scripted(base, sub, sup)


def _stacked(base: Form, under: Form, over: Form) -> Form:
    """A base with what is below and above it; for an operator these are its scripts."""
    if not under and not over:
        return base
    under, over = mark(under), mark(over)
    if _is_operator(base) and not is_accent(under) and not is_accent(over):
        return _scripted(base, under, over)
    only = base[0] if len(base) == 1 else ""
    if isinstance(only, Node) and only.kind == "stack":
        inner, inner_under, inner_over = only.parts
        if not (under and inner_under) and not (over and inner_over):
            return (Node("stack", (inner, under or inner_under, over or inner_over)),)
    return (Node("stack", (base, under, over)),)


def _is_operator(base: Form) -> bool:
    return all(isinstance(atom, str) for atom in base) and "".join(map(str, base)) in _OPERATORS


def _under(children: Children, _attributes: Attributes) -> Form:
    base, under = children
    return _stacked(base, under, ())


def _over(children: Children, _attributes: Attributes) -> Form:
    base, over = children
    return _stacked(base, (), over)


def _underover(children: Children, _attributes: Attributes) -> Form:
    base, under, over = children
    return _stacked(base, under, over)


def _prescripts(_children: Children, _attributes: Attributes) -> Form:
    return _PRESCRIPTS


def _multiscripts(children: Children, _attributes: Attributes) -> Form:
    base, *scripts = children
    at = scripts.index(_PRESCRIPTS) if _PRESCRIPTS in scripts else len(scripts)
    before: Form = ()
    for sub, sup in _pairs(scripts[at + 1 :]):
        before = _scripted(before, sub, sup)
    form = before + base
    for sub, sup in _pairs(scripts[:at]):
        form = _scripted(form, sub, sup)
    return form


def _pairs(scripts: Children) -> list[tuple[Form, Form]]:
    return list(zip(scripts[::2], scripts[1::2], strict=True))


def _fenced(children: Children, attributes: Attributes) -> Form:
    separators = "".join(attributes.get("separators", ",").split())
    marks = list(separators[: max(0, len(children) - 1)])
    if separators:
        marks += separators[-1] * (len(children) - 1 - len(marks))
    inside = chain.from_iterable(
        child + atoms(separator)
        for child, separator in zip_longest(children, marks, fillvalue="")
        if not isinstance(child, str)
    )
    return atoms(attributes.get("open", "(")) + tuple(inside) + atoms(attributes.get("close", ")"))


def _enclose(children: Children, attributes: Attributes) -> Form:
    content = _row(children, attributes)
    notations = attributes.get("notation", "longdiv").split()
    if notations == ["top"]:
        return _stacked(content, (), mark(("-",)))
    if notations == ["bottom"]:
        return _stacked(content, mark(("-",)), ())
    if notations == ["radical"]:
        return _sqrt(children, attributes)
    drawn = sorted({_STRIKES_AND_BOXES.get(name, name) for name in notations})
    return (Node(" ".join(drawn), (content,)),)


_ROWS = (
    *("math", "mrow", "mstyle", "mpadded", "merror", "mtd"),
    *("mi", "mn", "mo", "mtext", "ms"),
    # HTML that stands in <mtext>
    *("span", "b", "i", "u", "em", "strong", "p", "div", "code"),
)
_NOTHING = ("mspace", "none", "maligngroup", "malignmark", "br")

# Not shown, whatever they hold.
HIDDEN = frozenset({"annotation", "annotation-xml", "mphantom"})

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_ROWS, _row),
    **dict.fromkeys(_NOTHING, _nothing),
    "semantics": _first,
    "maction": _selected,
    "mfrac": _frac,
    "msqrt": _sqrt,
    "mroot": _root,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _subsup,
    "munder": _under,
    "mover": _over,
    "munderover": _underover,
    "mmultiscripts": _multiscripts,
    "mprescripts": _prescripts,
    "mfenced": _fenced,
    "menclose": _enclose,
    "mtr": tables.cells,
    "mlabeledtr": tables.labeled_cells,
    "mtable": tables.table,
}
