"""The canonical form of a table: what stands in which cell, without how it is aligned."""

from processor.tasks.mathml.form import Attributes, Children, Form, Node

_RELATIONS = frozenset("=<>≤≥≠≈≡≒→⇒⇔")


def cells(children: Children, _attributes: Attributes) -> Form:
    """`<mtr>`: a row without the empty cells at its end."""
    row = list(children)
    while row and not row[-1]:
        row.pop()
    return (Node("row", tuple(row)),)


def labeled_cells(children: Children, attributes: Attributes) -> Form:
    """`<mlabeledtr>`: a row after its label, which belongs to the page."""
    return cells(children[1:], attributes)


def table(children: Children, _attributes: Attributes) -> Form:
    """`<mtable>`: its rows; a table of one cell is no table."""
    rows = [_parts(child) for child in children]
    while rows and not rows[-1]:
        rows.pop()
    if any(atom in _RELATIONS for row in rows for cell in row for atom in cell):
        rows = [_aligned(row) for row in rows]
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    return (Node("table", tuple((Node("row", row),) for row in rows)),)


def _parts(row: Form) -> tuple[Form, ...]:
    """The cells of a row; what stands in a table without one is a cell."""
    only = row[0] if len(row) == 1 else ""
    return only.parts if isinstance(only, Node) and only.kind == "row" else (row,)


def _aligned(cells: tuple[Form, ...]) -> tuple[Form, ...]:
    """The cells of a line of equations, where columns only align the signs.

    A boundary beside a sign is dropped, because one author puts `=` into a column of its own and
    another does not; between two numbers or letters it keeps them apart.
    """
    joined: list[Form] = []
    for cell in filter(None, cells):
        if joined and (_is_sign(joined[-1][-1]) or _is_sign(cell[0])):
            joined[-1] += cell
        else:
            joined.append(cell)
    return tuple(joined)


def _is_sign(atom: str | Node) -> bool:
    return isinstance(atom, str) and not atom.isalnum()
