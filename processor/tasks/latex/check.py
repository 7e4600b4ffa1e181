"""The check of a LaTeX answer, layer by layer, from the cheapest to the strictest."""

from dataclasses import dataclass, field

from processor.items import Accepted, Check, Invalid, Item
from processor.tasks.latex.markup import markup_problem
from processor.tasks.latex.mathlive import unknown
from processor.tasks.latex.mending import mended
from processor.tasks.latex.prose import prose_problem, with_korean_wrapped
from processor.tasks.latex.syntax import MathMLWriter, NotExpressibleError, SyntaxProblemError
from processor.tasks.latex.wrapping import unwrapped, wrapping_problem
from processor.tasks.mathml.canonical import canonical
from processor.tasks.mathml.form import difference
from processor.tasks.mathml.parsing import UnreadableError


@dataclass(frozen=True, slots=True, kw_only=True)
class LatexCheck:
    """Whether an answer is LaTeX that MathLive draws, and draws as the source looks.

    Attributes:
        source: The field that holds the MathML which the answer must look like; None if there
            is none, and then no answer is `verified`.
    """

    source: str | None = None
    _writer: MathMLWriter = field(
        init=False, default_factory=MathMLWriter, repr=False, compare=False
    )

    def __call__(self, item: Item, answer: str) -> Accepted | Invalid:
        """The mended answer with its notes, or what is wrong with it."""
        source = self._source(item)
        latex, notes = _tidied(answer, source)
        problem = _problem(latex, source)
        if problem is not None:
            return Invalid(problem=problem)
        try:
            mathml = self._writer.mathml(latex)
        except SyntaxProblemError as error:
            return Invalid(problem=f"The LaTeX does not parse: {error}")
        except NotExpressibleError as error:
            return Accepted(result=latex, notes=(*notes, f"not compared: {error}"))
        check, doubts = _compared(source, mathml)
        return Accepted(result=latex, check=check, notes=notes + doubts)

    def _source(self, item: Item) -> str:
        value = item.fields.get(self.source) if self.source is not None else None
        return "" if value is None else str(value)


def _tidied(answer: str, source: str) -> tuple[str, tuple[str, ...]]:
    bare, unwrapping = unwrapped(answer)
    known, mending = mended(bare)
    latex, wrapping = with_korean_wrapped(known, source)
    return latex, unwrapping + mending + wrapping


def _problem(latex: str, source: str) -> str | None:
    if not latex:
        return "The answer is empty."
    problem = wrapping_problem(latex) or markup_problem(latex) or prose_problem(latex, source)
    if problem is None and (name := unknown(latex)) is not None:
        return f"MathLive does not know {name}. Write it with another command."
    return problem


def _compared(source: str, answer: str) -> tuple[Check, tuple[str, ...]]:
    if not source:
        return "unchecked", ()
    try:
        found = difference(canonical(source), canonical(answer))
    except UnreadableError as error:
        return "unchecked", (f"not compared: {error}",)
    if found is None:
        return "verified", ()
    return "review", (f"source has {found[0] or 'nothing'}, answer has {found[1] or 'nothing'}",)
