"""The name of a table."""

import re
from dataclasses import dataclass

from psycopg import sql

from processor.errors import UsageError

__all__ = ["TableName"]

# As in SQL, a name in double quotes may hold dots; unlike there, one without keeps its case.
_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class TableName:
    """A table, perhaps of a schema; without one the database's search path decides."""

    name: str
    schema: str | None = None

    @classmethod
    def of(cls, spec: str) -> "TableName":
        """The table that `name`, `schema.name` or `"a.name with dots"` stands for.

        Raises:
            UsageError: It is no such name.
        """
        parts, place = [], 0
        while found := _PART.match(spec, place):
            parts.append(found[2] or found[1].replace('""', '"'))
            place = found.end() + 1
            if found.end() == len(spec) or spec[found.end()] != ".":
                break
        if not parts or place != len(spec) + 1 or len(parts) > 2:
            raise UsageError(
                f"{spec!r} is no name of a table",
                way_out='Write NAME or SCHEMA.NAME; a name that holds a dot in quotes: "a.b".',
            )
        return cls(name=parts[-1], schema=parts[0] if len(parts) == 2 else None)

    def __str__(self) -> str:
        return ".".join(_spelled(part) for part in self._parts)

    @property
    def quoted(self) -> sql.Identifier:
        """As SQL takes it, whatever it holds."""
        return sql.Identifier(*self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        return (self.name,) if self.schema is None else (self.schema, self.name)


def _spelled(part: str) -> str:
    if "." in part or '"' in part:
        return '"' + part.replace('"', '""') + '"'
    return part
