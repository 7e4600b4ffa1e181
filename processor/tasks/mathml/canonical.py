"""The canonical form of presentation MathML, read from text that nobody vouches for."""

from typing import NamedTuple

from processor.tasks.mathml.characters import atoms
from processor.tasks.mathml.elements import HIDDEN, RULES
from processor.tasks.mathml.form import Children, Form
from processor.tasks.mathml.parsing import MAX_DEPTH, UnreadableError, parse


class _Frame(NamedTuple):
    name: str
    attributes: dict[str, str]
    children: Children


class _Reader:
    """Builds the form of each element when it ends; without recursion, so depth costs nothing."""

    def __init__(self) -> None:
        self.root: Children = []
        self._frames: list[_Frame] = [_Frame("", {}, self.root)]
        self._hidden = 0  # open elements within a subtree that is not shown

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if self._hidden or name in HIDDEN:
            self._hidden += 1
            return
        if name not in RULES:
            raise UnreadableError(f"<{name}> is not presentation MathML")
        if len(self._frames) > MAX_DEPTH:
            raise UnreadableError(f"nested deeper than {MAX_DEPTH} elements")
        self._frames.append(_Frame(name, attributes, []))

    def end(self, _name: str) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        name, attributes, children = self._frames.pop()
        try:
            form = RULES[name](children, attributes)
        except (ValueError, IndexError):
            raise UnreadableError(f"<{name}> cannot have {len(children)} parts") from None
        self._frames[-1].children.append(form)

    def text(self, text: str) -> None:
        if self._hidden or text.isspace():
            return
        frame = self._frames[-1]
        struck = frame.attributes.get("mathvariant") == "double-struck"
        frame.children.append(atoms(text, double_struck=struck))


def canonical(mathml: str) -> Form:
    """The canonical form of MathML: with or without its `<math>`, alone or among text.

    Raises:
        UnreadableError: Not well-formed, too deep, or not presentation MathML.
    """
    reader = _Reader()
    parse(mathml, reader)
    return reader.root[0]
