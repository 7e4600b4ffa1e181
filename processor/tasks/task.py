"""What a task is: how an item becomes a request, and an answer a checked result."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from processor.items import Accepted, Invalid, Item, Request


class Task(Protocol):
    """One prompt and its checks. Pure: no I/O, no state between items but the length of vectors."""

    @property
    def name(self) -> str:
        """Names the run's folder and its statistics."""

    @property
    def kind(self) -> str:
        """What an answer must be, such as `text`, `label` or `latex`."""

    @property
    def label_names(self) -> Mapping[str, str]:
        """A result's key to the name people know it by; empty where there is none."""

    @property
    def samples(self) -> Sequence[str]:
        """What results are like, for a column that does not take any text; empty for any text."""

    @property
    def result_columns(self) -> Mapping[str, str]:
        """Keys of a result, which is JSON, that are columns too, to their kind; mostly empty."""

    @property
    def endpoint(self) -> str:
        """Path of the API route, such as `/v1/chat/completions`."""

    @property
    def model(self) -> str:
        """The model that requests name."""

    @property
    def model_field(self) -> str | None:
        """The field in which a row may name a model of its own; None where none may."""

    @property
    def id_field(self) -> str:
        """The field that identifies an item, or `row`."""

    @property
    def reasks(self) -> int:
        """How many times an invalid answer is asked again."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What must not change under a run that is resumed: part to short digest or value."""

    def required_fields(self) -> Sequence[str]:
        """Fields without which an item cannot be rendered."""

    def named_fields(self) -> Sequence[str]:
        """Fields that the task reads where a row has them, and that some row must have."""

    @property
    def lets_rows_choose(self) -> bool:
        """Whether a row may name its model or parameters itself."""

    def chosen_by(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Model and parameters that a row names for itself; mostly empty.

        Raises:
            TaskError: One is of the wrong type.
        """

    def problem_with(self, fields: Mapping[str, Any]) -> str | None:
        """What makes a row unfit to be asked; None when nothing does.

        Asked of every row before anything is sent: about a microsecond for the usual one.
        """

    def expect_vectors(self, length: int) -> None:
        """Take vectors of so many numbers only: the run has such from an earlier start.

        Raises:
            TaskError: It asks for others.
        """

    def render(self, item: Item, invalid: Iterable[tuple[str, str]] = ()) -> Request:
        """The request for an item.

        Args:
            item: The row.
            invalid: Earlier (answer, problem) pairs, oldest first, when it is asked again.

        Raises:
            TaskError: The template needs a field that the item lacks.
        """

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        """Whether an answer is a result."""
