"""Presentation MathML from tokens.

A token is a whole number, symbols with spaces between them (`"x + 1"`), or markup, which begins
with `<`.
"""

from functools import cache
from typing import Final

Token = int | str
# What becomes one element: a token, or tokens that stand together.
Part = Token | tuple[Token, ...]

_IDENTIFIERS: Final = (
    "a b c d e f g h k n r t x y z A B C D E F N P S V X α β θ π ∞ ℤ sin cos tan log ln"
)
_OPERATORS: Final = "+ − × ÷ · = &lt; &gt; ≤ ≥ ( ) | , ! ? ′ ⋯ ∑ ∫ lim → ∘ ∪ ∩ ∈ ∠ △ ∼ °"
_FENCES: Final = frozenset("()|")


def _operator(symbol: str) -> str:
    stretchy = ' stretchy="false"' if symbol in _FENCES else ""
    return f"<mo{stretchy}>{symbol}</mo>"


_SYMBOLS: Final = {
    **{symbol: f"<mi>{symbol}</mi>" for symbol in _IDENTIFIERS.split()},
    **{symbol: _operator(symbol) for symbol in _OPERATORS.split()},
    "∑": '<mo movablelimits="false">∑</mo>',
}
COMMA: Final = '<mo>,</mo><mspace width="1em"/>'
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"


def document(content: str) -> str:
    """A whole expression."""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{content}</mrow></math>'


def line(*tokens: Token) -> str:
    """Tokens one after another; may be several elements."""
    return "".join(map(_elements, tokens))


def one(part: Part) -> str:
    """A part as one element."""
    if isinstance(part, tuple):
        return f"<mrow>{line(*part)}</mrow>"
    if isinstance(part, int):
        return f"<mn>{part}</mn>" if part >= 0 else f"<mrow>{number(part)}</mrow>"
    return f"<mrow>{_symbols(part)}</mrow>" if " " in part and part[0] != "<" else _elements(part)


def number(value: int) -> str:
    """A whole number, its sign an operator."""
    return f"<mn>{value}</mn>" if value >= 0 else f"<mo>−</mo><mn>{-value}</mn>"


def decimal(value: int, places: int) -> str:
    """A decimal fraction: 1275 with 2 places is 12.75."""
    whole, rest = divmod(value, 10**places)
    return f"<mn>{whole}.{rest:0{places}}</mn>"


def plus(value: int) -> str:
    """A number added to what stands before it: `+ 3`, `− 3`."""
    return f"<mo>+</mo><mn>{value}</mn>" if value >= 0 else f"<mo>−</mo><mn>{-value}</mn>"


def times(factor: int, part: Part) -> str:
    """A multiple as it is written: `3x`, `x`, `−x`."""
    match factor:
        case 1:
            return one(part)
        case -1:
            return f"<mo>−</mo>{one(part)}"
        case _:
            return number(factor) + one(part)


def plus_times(factor: int, part: Part) -> str:
    """A multiple added to what stands before it: `+ 3x`, `− x`."""
    return f"<mo>{'+' if factor > 0 else '−'}</mo>{times(abs(factor), part)}"


def polynomial(variable: str, *coefficients: int) -> str:
    """Terms by falling powers; a zero coefficient leaves its term out, the first is not zero."""
    terms: list[str] = []
    for power, factor in zip(range(len(coefficients) - 1, -1, -1), coefficients, strict=True):
        if factor == 0:
            continue
        if power == 0:
            terms.append(plus(factor) if terms else number(factor))
        else:
            part = sup(variable, power) if power > 1 else variable
            terms.append(plus_times(factor, part) if terms else times(factor, part))
    return "".join(terms)


def fraction(top: Part, bottom: Part) -> str:
    """`top` over `bottom`."""
    return f"<mfrac>{one(top)}{one(bottom)}</mfrac>"


def combinations(total: int, chosen: int) -> str:
    """In how many ways some of a total are chosen, as Korean schools write it."""
    return f"<msub><mrow/>{one(total)}</msub>{sub('C', chosen)}"


def root(*tokens: Token) -> str:
    """A square root."""
    return f"<msqrt>{line(*tokens)}</msqrt>"


def nth_root(part: Part, degree: Part) -> str:
    """A root of another degree."""
    return f"<mroot>{one(part)}{one(degree)}</mroot>"


def sup(base: Part, exponent: Part) -> str:
    """A power."""
    return f"<msup>{one(base)}{one(exponent)}</msup>"


def sub(base: Part, index: Part) -> str:
    """An index."""
    return f"<msub>{one(base)}{one(index)}</msub>"


def sub_sup(base: Part, low: Part, high: Part) -> str:
    """Bounds beside a sign, as of an integral."""
    return f"<msubsup>{one(base)}{one(low)}{one(high)}</msubsup>"


def under(base: Part, low: Part) -> str:
    """What stands below a sign, as of a limit."""
    return f"<munder>{one(base)}{one(low)}</munder>"


def under_over(base: Part, low: Part, high: Part) -> str:
    """Bounds below and above a sign, as of a sum."""
    return f"<munderover>{one(base)}{one(low)}{one(high)}</munderover>"


def arrow(*tokens: Token) -> str:
    """A vector."""
    return f"<mover>{one(tokens)}<mo>→</mo></mover>"


def bar(*tokens: Token) -> str:
    """A segment or a mean."""
    return f"<mover>{one(tokens)}<mo>¯</mo></mover>"


def fenced(*tokens: Token, fences: str = "()") -> str:
    """Tokens between two fences that grow with them."""
    opening, closing = fences[0], fences[1]
    return f"<mrow><mo>{opening}</mo><mrow>{line(*tokens)}</mrow><mo>{closing}</mo></mrow>"


def function(name: str, *tokens: Token) -> str:
    """A function of an argument: `f(x)`."""
    return f"{one(name)}<mo>&#x2061;</mo>{fenced(*tokens)}"


def matrix(columns: int, *cells: Part, fences: str = "()") -> str:
    """Cells, row by row, between fences."""
    opening, closing = fences[0], fences[1]
    return f"<mrow><mo>{opening}</mo>{_table(columns, cells)}<mo>{closing}</mo></mrow>"


def cases(columns: int, *cells: Part) -> str:
    """Lines behind one brace."""
    return f"<mrow><mo>{{</mo>{_table(columns, cells, 'left')}</mrow>"


def text(words: str) -> str:
    """Words among symbols; `_` is a space that does not vanish at their edge."""
    return f"<mtext>{words.replace('_', NO_BREAK_SPACE)}</mtext>"


def _table(columns: int, cells: tuple[Part, ...], align: str = "") -> str:
    attribute = f' columnalign="{align}"' if align else ""
    rows = [
        "".join(f"<mtd{attribute}>{one(cell)}</mtd>" for cell in cells[start : start + columns])
        for start in range(0, len(cells), columns)
    ]
    return "<mtable>" + "".join(f"<mtr>{row}</mtr>" for row in rows) + "</mtable>"


def _elements(token: Token) -> str:
    if isinstance(token, int):
        return number(token)
    return token if token[0] == "<" else _symbols(token)


@cache
def _symbols(symbols: str) -> str:
    return "".join(_symbol(symbol) for symbol in symbols.split(" "))


def _symbol(symbol: str) -> str:
    return f"<mn>{symbol}</mn>" if symbol.isdecimal() else _SYMBOLS[symbol]
