"""Formulas as MathML that may stand in a page: of the source, and of an answer."""

from functools import cache
from threading import Lock

from processor.tasks.latex.syntax import MathMLWriter, NotExpressibleError, SyntaxProblemError
from processor.tasks.mathml.parsing import UnreadableError
from processor.tasks.mathml.presence import problem_of
from processor.tasks.mathml.safe import safe

_MOST_CHARACTERS = 20_000  # of LaTeX; it becomes several times as long

# math-core's converters have a state.
_ONE_AT_A_TIME = Lock()


def of_field(value: object) -> str | None:
    """The formula of a value that holds MathML; None when it holds none that can be drawn."""
    if not isinstance(value, str) or problem_of("", value) is not None:
        return None
    try:
        return safe(value)
    except UnreadableError:
        return None


def of_latex(latex: str) -> str | None:
    """The formula that LaTeX is drawn as; None when it cannot be."""
    if len(latex) > _MOST_CHARACTERS:
        return None
    try:
        with _ONE_AT_A_TIME:
            mathml = _writer().mathml(latex)
        return safe(mathml)
    except (SyntaxProblemError, NotExpressibleError, UnreadableError):
        return None


@cache
def _writer() -> MathMLWriter:
    return MathMLWriter()
