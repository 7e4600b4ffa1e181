"""The keys of a JSON answer as columns of the tables."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from processor.errors import TaskError

# The types of JSON Schema as kinds of `processor.columns`.
_KINDS = MappingProxyType(
    {"boolean": "boolean", "integer": "integer", "number": "real", "string": "text"}
)
_OTHER = "json"


def columns_of(schema: Mapping[str, Any], *, where: str) -> Mapping[str, str]:
    """Key to kind of column, in the order of the schema.

    Args:
        schema: JSON Schema of an object.
        where: File and key, for messages.

    Raises:
        TaskError: The schema names no keys.
    """
    keys = schema.get("properties")
    if not keys:
        raise TaskError(f"{where}: columns: the schema names no properties")
    return {key: _kind_of(inner) for key, inner in keys.items()}


def _kind_of(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return _OTHER
    told = schema.get("type") or ("string" if _chooses_words(schema) else None)
    types = [told] if isinstance(told, str) else list(told or ())
    found = {_KINDS.get(name, _OTHER) for name in types if name != "null"}
    return found.pop() if len(found) == 1 else _OTHER


def _chooses_words(schema: Mapping[str, Any]) -> bool:
    """Whether a schema without a type takes certain texts only."""
    words = [word for word in schema.get("enum", ()) if word is not None]
    return bool(words) and all(isinstance(word, str) for word in words)
