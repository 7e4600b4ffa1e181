"""Several files as one source."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from processor.columns import Column
from processor.data.source import BadRow, Source
from processor.items import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyFiles:
    """The rows of all files that a pattern matches, in the order of their names.

    Rows are counted through all files; `place` tells where one stands.

    Attributes:
        name: The pattern, as it was typed.
        uri: The pattern as an absolute path: files that come later belong to the same source.
        files: In their order; at least one.
    """

    name: str
    uri: str
    files: Sequence[Source]
    _ends: list[int] = field(default_factory=list, init=False, compare=False)

    def stamp(self) -> str | None:
        """Of all files; None as soon as one has none.

        Raises:
            InputError: One is no longer there.
        """
        stamps = [file.stamp() for file in self.files]
        if any(stamp is None for stamp in stamps):
            return None
        digest = hashlib.sha256("\n".join(map(str, stamps)).encode()).hexdigest()
        return f"{len(stamps)} files {digest}"

    def columns(self) -> Sequence[Column]:
        """Those of all files, in the order of their first sight.

        A column whose type is not the same in all files has none.

        Raises:
            InputError: A file cannot be read.
        """
        found: dict[str, Column] = {}
        for file in self.files:
            for column in file.columns():
                known = found.setdefault(column.name, column)
                if known != column:
                    kind = known.kind if known.kind == column.kind else None
                    found[column.name] = Column(column.name, kind)
        return list(found.values())

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows of one file after the other.

        Raises:
            InputError: A file cannot be read, or has no rows.
        """
        self._ends.clear()
        before = number = 0
        for file in self.files:
            for row in file.rows():
                number = before + row.number
                if isinstance(row, BadRow):
                    yield BadRow(number=number, problem=row.problem)
                else:
                    yield Row(number=number, fields=row.fields)
            self._ends.append(number)
            before = number

    def place(self, number: int) -> tuple[str, int]:
        """The file of a row that was read, and its number within that file."""
        begins = 0
        for file, end in zip(self.files, self._ends, strict=False):
            if number <= end:
                return file.name, number - begins
            begins = end
        return self.files[len(self._ends)].name, number - begins
