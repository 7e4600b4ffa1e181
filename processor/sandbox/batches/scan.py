"""The validation of a batch's input: its shape, not whether the model would take each request."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from processor.sandbox import models
from processor.sandbox.batches import findings
from processor.sandbox.batches.endpoints import SERVED
from processor.sandbox.config import SandboxConfig
from processor.sandbox.tokens import BYTES_PER_TOKEN

# As many as are told; what is wrong with a file is often wrong with each of its lines.
_MOST_FINDINGS = 100
# Times as many lines as OpenAI.
_AZURE_TAKES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an input must keep to.

    Attributes:
        endpoint: Of the batch, as OpenAI names it.
        urls: What a line may call it.
        most_inputs: Of texts to embed, in all lines together.
    """

    endpoint: str
    urls: frozenset[str]
    models: tuple[str, ...]
    most_lines: int
    most_inputs: int


def rules_of(endpoint: str, config: SandboxConfig, *, azure: bool) -> Rules:
    """The rules for the input of a batch."""
    return Rules(
        endpoint=endpoint,
        urls=frozenset((endpoint, endpoint.removeprefix("/v1")) if azure else (endpoint,)),
        models=config.models,
        most_lines=config.batch_lines * (_AZURE_TAKES if azure else 1),
        most_inputs=config.batch_inputs,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What an input holds.

    Attributes:
        lines: How many.
        model: The first line's.
        tokens: Of all bodies, estimated by their length.
        findings: What is wrong, in the order of the lines.
    """

    lines: int
    model: str | None
    tokens: int
    findings: tuple[dict[str, Any], ...]


def scan(path: Path, rules: Rules) -> Scan:
    """Read an input through, in constant memory but for 16 bytes a line."""
    scanner = _Scanner(rules)
    with path.open("rb") as file:
        for line in file:
            scanner.read(line)
            if scanner.full:
                break
    return scanner.result()


def line_starts(path: Path) -> "array[int]":
    """Where each line of a file begins, in bytes."""
    starts, place = array("Q"), 0
    with path.open("rb") as file:
        for line in file:
            starts.append(place)
            place += len(line)
    return starts


class _Scanner:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._endpoint = SERVED[rules.endpoint]
        self._lines = 0
        self._tokens = 0
        self._inputs = 0
        self._model: str | None = None
        self._seen: set[bytes] = set()
        self._findings: list[dict[str, Any]] = []

    @property
    def full(self) -> bool:
        """Whether nothing more need be known."""
        return len(self._findings) >= _MOST_FINDINGS or self._lines > self._rules.most_lines

    def read(self, raw: bytes) -> None:
        self._lines += 1
        try:
            line = orjson.loads(raw)
        except orjson.JSONDecodeError:
            line = None
        if isinstance(line, dict):
            self._findings.extend(self._check(line, self._lines))
        else:
            self._findings.append(findings.no_json(self._lines))

    def result(self) -> Scan:
        found = self._findings[:_MOST_FINDINGS]
        if self._lines == 0:
            found = [findings.empty_file()]
        elif self._lines > self._rules.most_lines:
            found = [findings.too_many_tasks(self._rules.most_lines)]
        elif self._inputs > self._rules.most_inputs:
            found = [findings.too_many_inputs(self._rules.most_inputs)]
        return Scan(
            lines=self._lines, model=self._model, tokens=self._tokens, findings=tuple(found)
        )

    def _check(self, line: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
        lacking = [name for name in ("custom_id", "method", "url", "body") if name not in line]
        for name in lacking:
            yield findings.missing(name, number)
        if lacking:
            return
        for name, kind, words in (
            ("custom_id", str, "a string"),
            ("method", str, "a string"),
            ("url", str, "a string"),
            ("body", dict, "an object"),
        ):
            if not isinstance(line[name], kind):
                yield findings.wrong_type(name, words, number)
                return
        if self._is_known(line["custom_id"]):
            yield findings.duplicate(number)
        if line["method"] != "POST":
            yield findings.wrong_method(number)
        if line["url"] not in self._rules.urls:
            yield findings.wrong_url(number)
        else:
            yield from self._check_body(line["body"], number)

    def _is_known(self, custom_id: str) -> bool:
        digest = blake2b(custom_id.encode(), digest_size=16).digest()
        known = digest in self._seen
        self._seen.add(digest)
        return known

    def _check_body(self, body: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
        model, needs = body.get("model"), self._endpoint.needs
        if not isinstance(model, str) or not model:
            yield findings.no_parameter("model", number)
            return
        if body.get(needs) is None:
            yield findings.no_parameter(needs, number)
        if body.get("stream"):
            yield findings.no_streaming(self._endpoint.words, number)
        yield from self._check_model(model, number)
        asked = orjson.dumps(body.get(needs))
        self._tokens += -(-len(asked) // BYTES_PER_TOKEN)
        if self._rules.endpoint == "/v1/embeddings":
            self._inputs += _inputs(body.get("input"))

    def _check_model(self, model: str, number: int) -> Iterator[dict[str, Any]]:
        if self._model is None:
            self._model = model
            if not models.is_known(model, self._rules.models):
                yield findings.unknown_model(model, number)
        elif model != self._model:
            yield findings.other_model(model, number)


def _inputs(value: Any) -> int:
    """How many texts are to be embedded: one text, or one list of tokens, is one."""
    several = isinstance(value, list) and value and not isinstance(value[0], int)
    return len(value) if several else 1
