"""The types of columns, in PostgreSQL's words and in ours."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.rows import TupleRow

from processor.columns import ARRAY, Column

__all__ = ["as_text", "columns_of"]

_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("float4", "float8"), "real"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    "bool": "boolean",
    "bytea": "bytes",
    "date": "date",
    "interval": "interval",
    "numeric": "decimal",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
}
# Everything else is text: enums, ranges, composites, geometry, and what nobody has heard of.
_OTHER = "text"

# A domain of elements counts as what it is made of; the server itself says so of columns. Arrays
# whose elements another mark than a comma parts are left as they are written.
_DESCRIBE = """
SELECT format_type(asked.oid, asked.typmod),
       CASE WHEN base.typnamespace = 'pg_catalog'::regnamespace THEN base.typname END,
       element.oid IS NOT NULL
FROM unnest(%s::oid[], %s::int4[]) WITH ORDINALITY AS asked (oid, typmod, place)
     LEFT JOIN pg_catalog.pg_type AS element
               ON element.typarray = asked.oid AND element.typdelim = ','
     LEFT JOIN pg_catalog.pg_type AS base
               ON base.oid = COALESCE(NULLIF(element.typbasetype, 0), element.oid, asked.oid)
ORDER BY asked.place
"""


def columns_of(
    connection: "psycopg.Connection[TupleRow]", cursor: "psycopg.Cursor[Any] | psycopg.ServerCursor"
) -> Sequence[Column]:
    """The columns of what a cursor gives.

    Args:
        connection: Asked what the types are called.
        cursor: One that has executed its query.

    Raises:
        psycopg.Error: The connection is gone.
    """
    result = cursor.pgresult
    assert result is not None, "a query was executed"
    places = range(result.nfields)
    names = [description.name for description in cursor.description or ()]
    types = [result.ftype(place) for place in places], [result.fmod(place) for place in places]
    found = connection.execute(_DESCRIBE, types).fetchall()
    return [
        Column(name, _KINDS.get(base or "", _OTHER) + (ARRAY if is_array else ""), native)
        for name, (native, base, is_array) in zip(names, found, strict=True)
    ]


def as_text(cursor: "psycopg.Cursor[Any] | psycopg.ServerCursor") -> None:
    """Let a cursor give every value as PostgreSQL's text, which loses nothing."""
    adapters = cursor.adapters
    text = adapters.get_loader(adapters.types["text"].oid, Format.TEXT)
    assert text is not None, "the client library knows text"
    for info in adapters.types:
        for oid in filter(None, (info.oid, info.array_oid)):
            adapters.register_loader(oid, text)
