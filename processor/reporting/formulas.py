"""Formulas as elements of a page: what `tasks.formulas` made safe, and nothing else."""

from xml.etree import ElementTree as ET

from processor.tasks import formulas

_SPACE = "{http://www.w3.org/1998/Math/MathML}"


def of_mathml(text: str) -> ET.Element | None:
    """The formula that a value holds; None when it holds none that can be drawn."""
    return _element(formulas.of_field(text))


def of_latex(text: str) -> ET.Element | None:
    """The formula that LaTeX is drawn as; None when it cannot be."""
    return _element(formulas.of_latex(text))


def _element(safe: str | None) -> ET.Element | None:
    """Without name spaces, which HTML has by the names themselves."""
    if safe is None:
        return None
    try:
        root = ET.fromstring(safe)  # noqa: S314 - written by our own writer, no entities in it
    except ET.ParseError:  # a character that XML has not: what HTML would make of it is unsure
        return None
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SPACE)
    return root
