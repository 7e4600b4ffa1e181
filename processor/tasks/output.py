"""What an answer must be: the table `output` of a task file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.errors import TaskError
from processor.tasks.files import read_schema
from processor.tasks.keys import expect
from processor.tasks.several import schema_of

KINDS = ("text", "label", "json", "latex", "embedding")

_KEYS: Mapping[str, type] = {
    "kind": str,
    "reask": int,
    "min_chars": int,
    "max_chars": int,
    "pattern": str,
    "forbid": list,
    "labels": dict,
    "multiple": bool,
    "schema": dict,
    "schema_file": str,
    "structured": bool,
    "columns": bool,
    "source": str,
}
_KIND_OF_KEY: Mapping[str, str] = {
    "min_chars": "text",
    "max_chars": "text",
    "pattern": "text",
    "forbid": "text",
    "labels": "label",
    "multiple": "label",
    "schema": "json",
    "schema_file": "json",
    "structured": "json",
    "columns": "json",
    "source": "latex",
}
_REASKS_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an answer must be.

    Attributes:
        kind: One of `KINDS`.
        reask: How many times an invalid answer is asked again.
        min_chars: For `text`: characters that an answer has at least.
        max_chars: For `text`: characters that it has at most; None for any.
        pattern: For `text`: a regular expression that is found in it; None for none.
        forbid: For `text`: words that stand nowhere in it, in capitals or not.
        labels: For `label`: key, as the model answers it, to name.
        multiple: For `label`: an answer may name several.
        schema: For `json`: the JSON Schema that an answer fits, which alone has one.
        schema_file: For `json`: the file that the schema was read from; None when it was not.
        structured: For `json` and several labels: the schema of an answer is sent, so that the
            provider holds the model to it.
        columns: For `json`: the keys of the answer are columns of the tables, too.
        source: For `latex`: the field with the MathML that the answer is compared with.
    """

    kind: str = "text"
    reask: int = 1
    min_chars: int = 0
    max_chars: int | None = None
    pattern: str | None = None
    forbid: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    multiple: bool = False
    schema: Mapping[str, Any] | None = None
    schema_file: str | None = None
    structured: bool = True
    columns: bool = False
    source: str | None = None

    @property
    def sent_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema that a provider is asked to hold the model to; None for none."""
        if not self.structured:
            return None
        return schema_of(self.labels) if self.multiple else self.schema


def parse_output(table: Mapping[str, Any], where: str, folder: Path) -> Output:
    """The values of the table.

    Args:
        table: As it stands in the file.
        where: File and key, for messages.
        folder: In which a schema's file is looked for.

    Raises:
        TaskError: An unknown or missing key, a value of the wrong type or range, a file that
            cannot be read.
    """
    expect(table, _KEYS, where)
    kind = table.get("kind", "text")
    if kind not in KINDS:
        raise TaskError(f"{where}: kind: no kind {kind!r}; there are {', '.join(KINDS)}")
    for key in table:
        if _KIND_OF_KEY.get(key, kind) != kind and not (key == "structured" and _has_many(table)):
            raise TaskError(f"{where}: {key}: kind {kind!r} has none")
    _check_labels(kind, table.get("labels", {}), where)
    read = {
        "schema": _schema_of(kind, table, where, folder),
        "forbid": _words(table.get("forbid", []), where),
    }
    output = Output(**{**table, **read})
    if not 0 <= output.reask <= _REASKS_MOST:
        raise TaskError(f"{where}: reask: must be 0 to {_REASKS_MOST}, is {output.reask}")
    _check_length(output, where)
    return output


def _has_many(table: Mapping[str, Any]) -> bool:
    return bool(table.get("multiple"))


def _check_labels(kind: str, labels: Mapping[str, Any], where: str) -> None:
    if kind == "label" and not labels:
        raise TaskError(f"{where}: labels: missing")
    for key, name in labels.items():
        if not key.strip() or not isinstance(name, str) or not name.strip():
            raise TaskError(f"{where}: labels: {key!r} must have a name, is {name!r}")
    _expect_distinct(labels, where)


def _expect_distinct(labels: Mapping[str, str], where: str) -> None:
    """Refuses labels that an answer could not tell apart."""
    seen: dict[str, str] = {}
    for key, name in labels.items():
        for word in (key, name):
            if seen.setdefault(word.strip().casefold(), key) != key:
                raise TaskError(f"{where}: labels: {word!r} stands for more than one label")


def _schema_of(
    kind: str, table: Mapping[str, Any], where: str, folder: Path
) -> Mapping[str, Any] | None:
    """The schema that stands in the table, or in the file that it names."""
    if kind != "json":
        return None
    given = [key for key in ("schema", "schema_file") if key in table]
    if not given:
        raise TaskError(f"{where}: schema: missing; write it here, or name a file by schema_file")
    if len(given) > 1:
        raise TaskError(f"{where}: schema and schema_file exclude each other")
    if "schema" in table:
        return dict(table["schema"])
    path = folder / table["schema_file"]
    return read_schema(path, where=f"{where}: schema_file: {path}")


def _words(values: list[Any], where: str) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise TaskError(f"{where}: forbid: must be words, has {value!r}")
    return tuple(values)


def _check_length(output: Output, where: str) -> None:
    if output.min_chars < 0:
        raise TaskError(f"{where}: min_chars: must be 0 or more, is {output.min_chars}")
    if output.max_chars is not None and output.max_chars < max(1, output.min_chars):
        least = max(1, output.min_chars)
        raise TaskError(f"{where}: max_chars: must be {least} or more, is {output.max_chars}")
