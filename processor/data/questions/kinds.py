"""Every kind of question and its shapes."""

from collections.abc import Mapping
from typing import Final

from processor.data.questions.algebra import EQUATIONS, INEQUALITIES
from processor.data.questions.basics import ARITHMETIC, FRACTIONS, ROOTS
from processor.data.questions.calculus import INTEGRALS, LIMITS, SUMS
from processor.data.questions.discrete import PROBABILITY, SETS
from processor.data.questions.functions import CASES, FUNCTIONS, MATRICES
from processor.data.questions.geometry import GEOMETRY, VECTORS
from processor.data.questions.shape import Shape
from processor.data.questions.words import KOREAN

KINDS: Final[Mapping[str, tuple[Shape, ...]]] = {
    "arithmetic": ARITHMETIC,
    "fractions": FRACTIONS,
    "roots": ROOTS,
    "equations": EQUATIONS,
    "inequalities": INEQUALITIES,
    "functions": FUNCTIONS,
    "matrices": MATRICES,
    "cases": CASES,
    "sums": SUMS,
    "integrals": INTEGRALS,
    "limits": LIMITS,
    "vectors": VECTORS,
    "sets": SETS,
    "probability": PROBABILITY,
    "geometry": GEOMETRY,
    "korean": KOREAN,
}
