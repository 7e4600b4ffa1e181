"""LaTeX read by math-core: its syntax, and what it looks like as MathML."""

import re
from contextlib import suppress

from math_core import LatexError, LatexToMathML

from processor.tasks.latex.scan import TEXT

# math-core recurses without a limit, and a stack that overflows ends the process (measured: some
# 1.6 KB for each of these characters). 600 fit into 1 MB; real answers have up to 120.
_MAX_OPENERS = 600
_OPENERS = re.compile(r"[\\{^_]")
# Each bracket that is opened and not closed doubles math-core's time: 40 would take it a night, in
# which nothing else is done.
_MAX_UNCLOSED = 8
_SYMBOL = r"\s*(?:\\(?:[A-Za-z]+|.)|.)"
_BRACKET = re.compile(
    rf"\\\\|\\(?:left|right|middle)(?![A-Za-z]){_SYMBOL}"
    r"|(?P<opens>[(\[⌈⌊⌜⌞⎰❲⟅⟦⟨⟪⟬⟮⦃⦅⦇⦉⦋⦍⦏⦑⦓⦕⦗⧘⧚⧼]|\\\{"
    r"|\\(?:l(?:Vert|ang|angle|brace|brack|ceil|floor|group|lbracket|lcorner|moustache|paren|vert)"
    rf"|ulcorner)(?![A-Za-z])|\\(?:big|Big|bigg|Bigg)l(?![A-Za-z]){_SYMBOL})"
    r"|(?P<closes>[)\]⌉⌋⌝⌟⎱❳⟆⟧⟩⟫⟭⟯⦄⦆⦈⦊⦌⦎⦐⦒⦔⦖⦘⧙⧛⧽]|\\\}"
    r"|\\(?:r(?:Vert|ang|angle|brace|brack|ceil|floor|group|rbracket|moustache|paren|vert)"
    rf"|lrcorner|urcorner)(?![A-Za-z])|\\(?:big|Big|bigg|Bigg)r(?![A-Za-z]){_SYMBOL})"
    r"|\\(?:[A-Za-z]+|.)",
    re.DOTALL,
)

# MathLive draws these, math-core does not know them; each looks like its right side.
_MACROS = {
    "centerdot": r"\cdot",
    "differentialD": "d",
    "enskip": r"\;",
    "exponentialE": "e",
    "imaginaryI": "i",
    "imaginaryJ": "j",
    "mathellipsis": r"\ldots",
    "mathnormal": "#1",
    "mathllap": "#1",
    "mathrlap": "#1",
    "mbox": r"\text{#1}",
    "colorbox": "{#2}",
    "nicefrac": r"\frac{#1}{#2}",
    "overarc": r"\overparen{#1}",
    "rlap": "#1",
    "llap": "#1",
    "sdot": r"\cdot",
    "nshortmid": r"\nmid",
    "nshortparallel": r"\nparallel",
    "shortmid": r"\mid",
    "shortparallel": r"\parallel",
    "smallfrown": r"\frown",
    "smallsetminus": r"\setminus",
    "smallsmile": r"\smile",
    "smash": "#1",
    "strut": "{}",
    "textmd": r"\text{#1}",
    "textnormal": r"\text{#1}",
    "textup": r"\text{#1}",
    "thickapprox": r"\approx",
    "thicksim": r"\sim",
    "varpropto": r"\propto",
    "wideparen": r"\overparen{#1}",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(?:(smallmatrix)|(split)|([pbBvV]?matrix)\*)\}")
# Mathematics among words, which math-core lacks: "\\text{if $x$ is}".
_DOLLARS = re.compile(r"\$([^$]*)\$")
# How math-core says that it is the one who cannot.
_LIMITS = (
    "Unknown",
    "text mode",
    "not supported",
    "not implemented",
    "extract text",
    "Hard limit",
    '"\\limits"',
    '"\\label"',
)
# Heights of rows and places of boxes, which math-core would show as text.
_OPTION = re.compile(
    r"(\\\\)\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|mu|in|px)\s*\]|(\\begin\{\w+\*?\})\[[tcbmlr]\]"
)
_POSITION = re.compile(r"^\d+: ")


class SyntaxProblemError(Exception):
    """The text is no LaTeX; the message says why."""


class NotExpressibleError(Exception):
    """math-core cannot read the text, which may still be good LaTeX; the message says why."""


class MathMLWriter:
    """Writes LaTeX as MathML; keeps math-core's converters, which are costly to make."""

    def __init__(self) -> None:
        self._strict = _converter(lenient=False)
        self._lenient = _converter(lenient=True)

    def mathml(self, latex: str) -> str:
        """MathML of a formula in display style.

        Raises:
            SyntaxProblemError: Unbalanced braces, a double script, a missing argument, …
            NotExpressibleError: Too deep or too long, or a command that math-core lacks.
        """
        if len(_OPENERS.findall(latex)) > _MAX_OPENERS:
            raise NotExpressibleError("too long to be checked")
        if (unclosed := _unclosed(latex)) > _MAX_UNCLOSED:
            raise SyntaxProblemError(f"{unclosed} brackets are opened and never closed")
        plain = _plain(latex)
        try:
            return _converted(self._strict, plain)
        except NotExpressibleError as error:
            # math-core stopped at what it does not know; the rest may hold an error of syntax.
            with suppress(NotExpressibleError):
                _converted(self._lenient, plain)
            raise NotExpressibleError(str(error)) from error


def _converter(*, lenient: bool) -> LatexToMathML:
    return LatexToMathML(
        macros=_MACROS,
        fancy_error=False,
        allow_unreliable_rendering=True,
        ignore_unknown_commands=lenient,
    )


def _converted(converter: LatexToMathML, latex: str) -> str:
    try:
        return converter.convert_with_local_state(latex, displaystyle=True)
    except UnicodeEncodeError as error:
        raise SyntaxProblemError("half of a character (a lone surrogate)") from error
    except LatexError as error:
        message = _POSITION.sub("", str(error))
        if any(limit in message for limit in _LIMITS):
            raise NotExpressibleError(message) from error
        raise SyntaxProblemError(message) from error


def _unclosed(latex: str) -> int:
    """How many brackets are opened and not closed, by whatever bracket."""
    depth = 0
    for found in _BRACKET.finditer(latex):
        if found.lastgroup == "opens":
            depth += 1
        elif found.lastgroup == "closes" and depth:
            depth -= 1
    return depth


def _plain(latex: str) -> str:
    """The same formula without what math-core cannot read."""
    text = _ENVIRONMENT.sub(_environment, _OPTION.sub(r"\1\2", latex))
    if "$" in text:
        text = TEXT.sub(lambda words: _DOLLARS.sub(r"}\1\\text{", words[0]), text)
    return text


def _environment(match: re.Match[str]) -> str:
    name = "matrix" if match[2] else "aligned" if match[3] else match[4]
    return f"\\{match[1]}{{{name}}}"
