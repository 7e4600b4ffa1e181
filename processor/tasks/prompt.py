"""A task made of what is said to a model, and a check of its answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from processor.items import Accepted, Invalid, Item, Request
from processor.labels import result_of
from processor.tasks.columns import columns_of
from processor.tasks.embedding import VectorCheck
from processor.tasks.endpoint import ENDPOINTS
from processor.tasks.identity import identity_of
from processor.tasks.label import LabelCheck
from processor.tasks.mathml import presence
from processor.tasks.output import Output
from processor.tasks.overrides import Overrides
from processor.tasks.several import SeveralLabelsCheck
from processor.tasks.structured import advice_on, wish_of
from processor.tasks.taskfile import TaskFile
from processor.tasks.text import TextCheck
from processor.tasks.wording import wording_of

_ANY_JSON = ('{"a":1}',)

AnswerCheck: TypeAlias = Callable[[Item, str], Accepted | Invalid]


class PromptTask:
    """What a task file describes; implements `Task`."""

    def __init__(self, file: TaskFile, *, where: str) -> None:
        """Compiles what is said and chooses the check.

        Raises:
            TaskError: A template's syntax is wrong, or a schema is none.
        """
        self._file = file
        self._endpoint = ENDPOINTS[file.endpoint]
        self._begun = {"model": "", **self._endpoint.usual}
        self._wording = wording_of(file, self._endpoint, where=where)
        self._overrides = Overrides(file.overrides, file.parameters)
        self._has_overrides = bool(self._overrides)
        self._check = _check_for(file, where=f"{where}: output")
        self._columns = _columns_of(file.output, where=f"{where}: output")
        self._wish = wish_of(file, self._endpoint)
        self._where = where
        self._settled = self._settings(file.model)

    @property
    def name(self) -> str:
        """Names the run's folder and its statistics."""
        return self._file.name

    @property
    def description(self) -> str:
        """One line for lists of tasks; may be empty."""
        return self._file.description

    @property
    def query(self) -> str | None:
        """A SELECT, for rows that come from a database when nobody says which; None without."""
        return self._file.query or None

    @property
    def kind(self) -> str:
        """What an answer must be: one of `output.KINDS`."""
        return self._file.output.kind

    @property
    def label_names(self) -> Mapping[str, str]:
        """For kind `label`: a key (`1`) to its name (`중립 (Neutral)`); else empty."""
        return self._file.output.labels

    @property
    def samples(self) -> Sequence[str]:
        """What results are like, for a column that does not take any text; empty for any text."""
        output = self._file.output
        if output.multiple:
            return [result_of([key], output.labels) for key in output.labels]
        return _ANY_JSON if output.kind == "json" else list(output.labels)

    @property
    def result_columns(self) -> Mapping[str, str]:
        """For kind `json` with `columns`: a key of the result to its kind of column; else empty."""
        return self._columns

    @property
    def endpoint(self) -> str:
        """Path of the API route."""
        return self._file.endpoint

    @property
    def model(self) -> str:
        """The model that requests name."""
        return self._file.model

    @property
    def model_field(self) -> str | None:
        """The field in which a row may name a model of its own; None where none may."""
        return self._file.overrides.model

    @property
    def id_field(self) -> str:
        """The field that identifies an item, or `row`."""
        return self._file.id

    @property
    def reasks(self) -> int:
        """How many times an invalid answer is asked again."""
        return self._file.output.reask

    @property
    def advice(self) -> str:
        """A line that the task's author should read; mostly empty."""
        said = advice_on(self._file, self._wish)
        return f"{self._where}: output: schema {said}" if said else ""

    @property
    def identity(self) -> Mapping[str, str]:
        """What must not change under a run: part to short digest or value."""
        return identity_of(self._file)

    def required_fields(self) -> Sequence[str]:
        """Fields without which an item cannot be rendered, sorted."""
        return self._wording.required

    def named_fields(self) -> Sequence[str]:
        """Fields in which a row may name its own model and parameters, if they must be there."""
        return () if self._file.overrides.optional else self._overrides.columns

    @property
    def lets_rows_choose(self) -> bool:
        """Whether a row may name its model or parameters itself."""
        return self._has_overrides

    def chosen_by(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Model and parameters that a row names for itself; mostly empty.

        Raises:
            TaskError: One is of the wrong type.
        """
        model = self._overrides.model(fields)
        chosen = {} if model is None else {"model": model}
        return {**chosen, **self._overrides.parameters(fields)}

    def problem_with(self, fields: Mapping[str, Any]) -> str | None:
        """Why a row's own model or parameters cannot be sent, or its source holds no MathML."""
        if self._has_overrides and (problem := self._overrides.problem_with(fields)):
            return problem
        source = self._file.output.source
        return None if source is None else presence.problem_of(source, fields.get(source))

    def render(self, item: Item, invalid: Iterable[tuple[str, str]] = ()) -> Request:
        """The request for an item.

        Args:
            item: The row.
            invalid: Earlier (answer, problem) pairs, oldest first, when it is asked again.

        Raises:
            TaskError: The prompt needs a field that the item lacks.
        """
        fields = item.fields
        settings = self._settings_of(fields) if self._has_overrides else self._settled
        body = {**self._begun, **self._wording.said(fields), **settings}
        if self._wish is not None:
            self._wish.put_into(body)
        for answer, problem in invalid:
            turns = self._endpoint.turns
            body[turns] = self._endpoint.continued(body[turns], answer, problem)
        return Request(endpoint=self._file.endpoint, body=body)

    def expect_vectors(self, length: int) -> None:
        """Take vectors of this length only: the run has such from an earlier start.

        Raises:
            TaskError: It asks for others.
        """
        if isinstance(self._check, VectorCheck):
            self._check.expect(length)

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        """Whether an answer is a result; for labels the result is the label's key."""
        return self._check(item, answer)

    def _settings_of(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Model and parameters for a row that may name its own."""
        model = self._overrides.model(fields)
        settings = self._settled if model is None else self._settings(model)
        return {**settings, **self._overrides.parameters(fields)}

    def _settings(self, model: str) -> Mapping[str, Any]:
        """Model and parameters, the cap of output tokens in place of any among them."""
        endpoint, parameters = self._endpoint, self._file.parameters
        cap = self._file.max_output_tokens
        if cap is None:
            return {"model": model, **parameters}
        others = {key: value for key, value in parameters.items() if key not in endpoint.caps}
        return {"model": model, **others, endpoint.cap(model): cap}


def _columns_of(output: Output, *, where: str) -> Mapping[str, str]:
    if not output.columns:
        return {}
    assert output.schema is not None, "`parse` refuses a file without"
    return columns_of(output.schema, where=where)


def _check_for(file: TaskFile, *, where: str) -> AnswerCheck:
    output = file.output
    if output.kind == "embedding":
        return VectorCheck(file.dimensions)
    if output.kind == "label":
        return SeveralLabelsCheck(output.labels) if output.multiple else LabelCheck(output.labels)
    if output.kind == "json":
        from processor.tasks.jsonvalue import JsonCheck  # noqa: PLC0415 - a library of 15 MB

        assert output.schema is not None, "`parse` refuses a file without"
        return JsonCheck(output.schema, where=f"{where}: {output.schema_file or 'schema'}")
    if output.kind == "latex":
        from processor.tasks.latex.check import LatexCheck  # noqa: PLC0415 - a parser, tables

        return LatexCheck(source=output.source)
    return TextCheck(output, where=where)
