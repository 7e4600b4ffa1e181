"""A task made of a prompt and a check."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from processor.items import Accepted, Invalid, Item, Request
from processor.tasks.label import LabelCheck
from processor.tasks.mathml import presence
from processor.tasks.taskfile import Output, TaskFile
from processor.tasks.template import Template
from processor.tasks.text import check_text

AnswerCheck: TypeAlias = Callable[[Item, str], Accepted | Invalid]

# OpenAI's models, also behind a router ("openai/gpt-…") and fine-tuned ("ft:gpt-…"). They know
# max_completion_tokens, the later ones nothing else; other servers know max_tokens.
_CAPS = ("max_completion_tokens", "max_tokens")
_OPENAI_MODEL = re.compile(r"(?:openai/)?(?:ft:)?(?:gpt-(?!oss)|chatgpt-|o\d)")


class PromptTask:
    """What a task file describes; implements `Task`."""

    def __init__(self, file: TaskFile, *, where: str) -> None:
        """Compiles the prompt and chooses the check.

        Raises:
            TaskError: The prompt's syntax is wrong.
        """
        self._file = file
        self._template = Template(file.prompt, where=f"{where}: prompt")
        self._check = _check_for(file.output)
        self._before = [
            *([_message("system", file.system)] if file.system else []),
            *(
                _message(role, content)
                for example in file.examples
                for role, content in zip(("user", "assistant"), example, strict=True)
            ),
        ]
        self._parameters = _parameters(file)

    @property
    def name(self) -> str:
        """Names the run's folder and its statistics."""
        return self._file.name

    @property
    def description(self) -> str:
        """One line for lists of tasks; may be empty."""
        return self._file.description

    @property
    def kind(self) -> str:
        """What an answer must be: `text`, `label` or `latex`."""
        return self._file.output.kind

    @property
    def label_names(self) -> Mapping[str, str]:
        """For kind `label`: a result (`1`) to its name (`중립 (Neutral)`); else empty."""
        return self._file.output.labels

    @property
    def endpoint(self) -> str:
        """Path of the API route."""
        return self._file.endpoint

    @property
    def model(self) -> str:
        """The model that requests name."""
        return self._file.model

    @property
    def id_field(self) -> str:
        """The field that identifies an item, or `row`."""
        return self._file.id

    @property
    def reasks(self) -> int:
        """How many times an invalid answer is asked again."""
        return self._file.output.reask

    @property
    def identity(self) -> Mapping[str, str]:
        """What must not change under a run: part to value, or to a digest of 12 hex digits.

        The cap of output tokens is no part: raising it is the cure for truncated answers.
        """
        file = self._file
        return {
            "model": file.model,
            "endpoint": file.endpoint,
            "prompt": _digest(file.prompt),
            "system": _digest(file.system),
            "examples": _digest(file.examples),
            "parameters": _digest(file.parameters),
            "output": _digest([file.output.kind, file.output.labels, file.output.source]),
        }

    def required_fields(self) -> Sequence[str]:
        """Fields without which an item cannot be rendered, sorted."""
        return self._template.required

    def problem_with(self, fields: Mapping[str, Any]) -> str | None:
        """For kind `latex` with a source: why that field holds no MathML; else None."""
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
        messages = [*self._before, _message("user", self._template.render(item.fields))]
        for answer, problem in invalid:
            messages += (_message("assistant", answer), _message("user", problem))
        body = {"model": self._file.model, "messages": messages, **self._parameters}
        return Request(endpoint=self._file.endpoint, body=body)

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        """Whether an answer is a result; for labels the result is the label's key."""
        return self._check(item, answer)


def _message(role: str, content: str) -> Mapping[str, str]:
    return {"role": role, "content": content}


def _check_for(output: Output) -> AnswerCheck:
    if output.kind == "label":
        return LabelCheck(output.labels)
    if output.kind == "latex":
        from processor.tasks.latex.check import LatexCheck  # noqa: PLC0415 - a parser, tables

        return LatexCheck(source=output.source)
    return check_text


def _parameters(file: TaskFile) -> Mapping[str, Any]:
    """The file's parameters, and its cap of output tokens in place of any among them."""
    if file.max_output_tokens is None:
        return file.parameters
    others = {key: value for key, value in file.parameters.items() if key not in _CAPS}
    cap = _CAPS[0] if _OPENAI_MODEL.match(file.model) else _CAPS[1]
    return {**others, cap: file.max_output_tokens}


def _digest(value: Any) -> str:
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(data).hexdigest()[:12]
