"""The task of a labelling run: the shipped one for news, with what the user has changed."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.data import open_source
from processor.data.source import BadRow
from processor.errors import InputError, UsageError
from processor.exports.atomic import replacing
from processor.items import Invalid, Item
from processor.labelling.columns import LABEL
from processor.labelling.template import TEXT, as_jinja
from processor.tasks.label import LabelCheck
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse_values
from processor.tasks.toml import load_task, task_text

SHIPPED = "news"
FILE_NAME = "labelling.toml"
_ENDINGS = frozenset({".txt", ".md", ".j2", ".jinja", ".jinja2", ".prompt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user wants otherwise.

    Attributes:
        prompt: Text, or the name of a file that holds it.
        examples: Name of a table with the columns `text` and `label`.
        temperature: Of the model.
        model: That is asked.
    """

    prompt: str | None = None
    examples: str | None = None
    temperature: float | None = None
    model: str | None = None

    @property
    def own_file(self) -> bool:
        """Whether the task needs a file of its own; a model alone is a setting."""
        return not (self.prompt is None and self.examples is None and self.temperature is None)


@dataclass(frozen=True, slots=True)
class LabelTask:
    """A task, and the values of its file where it has one of its own.

    Attributes:
        values: Empty for the shipped task.
    """

    task: PromptTask
    values: Mapping[str, Any] = field(default_factory=dict)

    def place(self, folder: Path) -> str:
        """Write its file into a run's folder, if it has one; returns what names the task.

        Raises:
            LedgerError: The disk refuses.
        """
        if not self.values:
            return SHIPPED
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        with replacing(path) as file:
            file.writelines(_as_toml(self.values))
        return str(path)


def label_task(wishes: Wishes, columns: Sequence[str]) -> LabelTask:
    """The task that the wishes make.

    Args:
        wishes: Of the user.
        columns: Of the table.

    Raises:
        ProcessorError: A file is not there or wrong, a prompt names no column, an example has no
            label.
    """
    if not wishes.own_file:
        return LabelTask(load_task(SHIPPED, model=wishes.model))
    values = tomllib.loads(task_text(SHIPPED))
    if wishes.model is not None:
        values["model"] = wishes.model
    if wishes.prompt is not None:
        values["prompt"] = as_jinja(_prompt(wishes.prompt), columns)
    if wishes.temperature is not None:
        values["parameters"] = {"temperature": wishes.temperature}
    if wishes.examples is not None:
        values["examples"] = list(_examples(wishes.examples, _made(values)))
    return LabelTask(_made(values), values)


def _made(values: Mapping[str, Any]) -> PromptTask:
    return PromptTask(parse_values(values, where=FILE_NAME), where=FILE_NAME)


def _prompt(given: str) -> str:
    """The prompt, from the file that is named or as it was typed."""
    path = Path(given)
    try:
        if _is_file(path):
            return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"--prompt {given}: UTF-8 이 아닙니다") from error
    except OSError as error:
        raise UsageError(f"--prompt {given}: {error.strerror}") from error
    if "\n" not in given and path.suffix.lower() in _ENDINGS:
        raise UsageError(
            f"--prompt {given}: 파일이 없습니다",
            way_out="파일 이름을 확인하거나 프롬프트를 쓰세요.",
        )
    return given


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or of characters that none has
        return False


def _examples(name: str, task: PromptTask) -> Iterator[dict[str, str]]:
    """Pairs of what is asked and what is to be answered, rendered as rows are."""
    check = LabelCheck(task.label_names)
    for row in open_source(name).rows():
        if isinstance(row, BadRow):
            raise InputError(row.problem, source=name, row=row.number)
        missing = [each for each in (TEXT, LABEL) if not str(row.fields.get(each) or "").strip()]
        if missing:
            raise InputError(
                f"'{missing[0]}' 값이 없습니다",
                source=name,
                row=row.number,
                way_out=f"예시에는 {TEXT} 와 {LABEL} 열이 필요합니다. 있는 열: "
                f"{', '.join(row.fields)}.",
            )
        item = Item(seq=row.number, chunk=1, id=row.number, fields=row.fields)
        label = check(item, str(row.fields[LABEL]))
        if isinstance(label, Invalid):
            raise InputError(
                f"'{row.fields[LABEL]}' 은(는) 라벨이 아닙니다",
                source=name,
                row=row.number,
                way_out=f"쓸 수 있는 라벨: {', '.join(task.label_names)}.",
            )
        asked = task.render(item).body["messages"][-1]["content"]
        yield {"user": asked, "assistant": label.result}


def _as_toml(values: Mapping[str, Any]) -> Iterator[str]:
    """A task's values as TOML, a line each; JSON's texts, numbers and arrays are TOML's."""
    for key, value in values.items():
        yield f"{key} = {_value(value)}\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # The one character that JSON lets stand in a text and TOML does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
