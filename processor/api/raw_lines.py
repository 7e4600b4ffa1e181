"""The answers of a batch that no run here made: its lines as they came, or as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain, islice
from pathlib import Path
from typing import Any

from processor.batch.answer import verdict_on
from processor.batch.lines import BadLine, Line, lines_of, read_line
from processor.columns import Column
from processor.completion import CHAT, RESPONSES
from processor.errors import UsageError
from processor.exports.files import FileOutput, is_file
from processor.exports.grid import Grid
from processor.exports.output import Delivered, Terms
from processor.postgres import shown
from processor.provider_error import ProviderError
from processor.verdict import Kind

_ROWS_AT_ONCE = 500
_COLUMNS = (
    Column("custom_id", "text"),
    Column("status", "text"),
    Column("result", "text"),
    Column("error_code", "text"),
    Column("error_message", "text"),
    Column("http_status", "integer"),
    Column("model", "text"),
    Column("prompt_tokens", "integer"),
    Column("completion_tokens", "integer"),
    Column("cached_tokens", "integer"),
)
_SUCCESS, _FAILED, _UNREADABLE = "success", "failed", "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What lines tell of requests.

    Attributes:
        succeeded: Requests with an answer.
        failed: Requests with an error and nothing else.
        unreadable: Lines that tell of no request.
    """

    succeeded: int
    failed: int
    unreadable: int


class RawLines:
    """The lines of a batch's files, in their order.

    Args:
        files: JSON Lines as the provider gave them.
        endpoint: Of the requests; None when the provider does not say.
    """

    def __init__(self, files: Sequence[Path], endpoint: str | None) -> None:
        self._files = files
        self._endpoint = _spelled(endpoint)

    def told(self) -> Told:
        """How many requests they tell of; one that is there twice counts once."""
        seen: dict[str, bool] = {}
        unreadable = 0
        for raw in self._lines():
            line = read_line(raw)
            if isinstance(line, BadLine):
                unreadable += 1
            else:
                is_success = self._row(line)[1] == _SUCCESS
                seen[line.custom_id] = seen.get(line.custom_id, False) or is_success
        succeeded = sum(seen.values())
        return Told(succeeded=succeeded, failed=len(seen) - succeeded, unreadable=unreadable)

    def write(self, output: FileOutput) -> Delivered:
        """Put them into a file: as they came where it is of JSON Lines, else as a table.

        Raises:
            ProcessorError: As `FileOutput.deliver`.
        """
        if output.takes_lines:
            return output.put_lines(self._lines())
        return output.put(Grid(_COLUMNS, self._slices))

    def _lines(self) -> Iterator[bytes]:
        return chain.from_iterable(map(lines_of, self._files))

    def _slices(self) -> Iterator[list[list[Any]]]:
        rows = (self._row(read_line(raw)) for raw in self._lines())
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            yield some

    def _row(self, line: Line | BadLine) -> list[Any]:
        """A line in the order of the columns."""
        if isinstance(line, BadLine):
            return _cells(status=_UNREADABLE, error_code="malformed", error_message=line.problem)
        if self._endpoint is None:
            return _as_it_is(line)
        verdict = verdict_on(line, self._endpoint)
        usage, is_success = verdict.usage, verdict.kind is Kind.OK
        return _cells(
            custom_id=line.custom_id,
            status=_SUCCESS if is_success else _FAILED,
            result=verdict.answer,
            error_code=verdict.code or None,
            error_message=verdict.message or None,
            http_status=line.status,
            model=verdict.model,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            completion_tokens=None if usage is None else usage.completion_tokens,
            cached_tokens=None if usage is None else usage.cached_tokens,
        )


def output_for(path: str, terms: Terms) -> FileOutput:
    """Where such lines may go.

    Raises:
        UsageError: It is no file, or of no known format.
    """
    if not path or not is_file(path) or path == "-":
        raise UsageError(
            f"{shown(path) or 'an empty path'} is no file",
            way_out="Name one: results.jsonl for the lines as they came, .csv for a table.",
        )
    return FileOutput(path, terms)


def _spelled(endpoint: str | None) -> str | None:
    """One whose answers can be read as text; None for all others. Azure leaves `/v1` out."""
    if endpoint is None:
        return CHAT
    known = endpoint if endpoint.startswith("/v1/") else f"/v1{endpoint}"
    return known if known in {CHAT, RESPONSES} else None


def _as_it_is(line: Line) -> list[Any]:
    """A line of an endpoint whose answers are no text: the result is their JSON."""
    body = None if line.body is None else line.body.decode("utf-8", "replace")
    known = {"custom_id": line.custom_id, "http_status": line.status}
    if line.error is None and line.status in {None, HTTPStatus.OK} and body is not None:
        return _cells(**known, status=_SUCCESS, result=body)
    error = line.error or ProviderError(message=body or "")
    told = {"error_code": error.code or None, "error_message": error.message or None}
    return _cells(**known, status=_FAILED, **told)


def _cells(**told: Any) -> list[Any]:
    return [told.get(column.name) for column in _COLUMNS]
