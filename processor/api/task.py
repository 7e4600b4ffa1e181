"""Tasks made in a program instead of a file."""

from typing import Any

from processor.errors import TaskError
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse_values

_WHERE = "Task"


class Task(PromptTask):
    """A prompt and its checks, from the keys of a task file.

        Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.", id="row")
        Task(name="stance", model="gpt-6-luna", prompt="{{ text }}",
             output={"kind": "label", "labels": {"0": "Support", "1": "Neutral"}})

    Args:
        keys: As in a task file; tables are dictionaries.

    Attributes:
        keys: As they were given.

    Raises:
        TaskError: A key is unknown or missing, or its value cannot be; names the key.
    """

    def __init__(self, **keys: Any) -> None:
        file = parse_values(keys, where=_WHERE)
        if file.as_is:
            raise TaskError("Task: as_is: rows are sent as they are by the task named 'requests'")
        super().__init__(file, where=_WHERE)
        self.keys = keys

    def asking(self, *, model: str | None, max_output_tokens: int | None) -> "Task":
        """The same task with what settings say of it; None leaves the task's own.

        Raises:
            TaskError: As the task itself.
        """
        wished = {"model": model, "max_output_tokens": max_output_tokens}
        changes: dict[str, Any] = {n: value for n, value in wished.items() if value is not None}
        if model is not None and "overrides" in self.keys:  # for rows that name one, too
            changes["overrides"] = {**self.keys["overrides"]}
            changes["overrides"].pop("model", None)
        return Task(**{**self.keys, **changes}) if changes else self
