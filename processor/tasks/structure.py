"""TOML values in which every string is a template, such as a message or a whole request."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from processor.tasks.template import Expression, Template, lone_expression

# Makes the value for a row.
_Maker: TypeAlias = Callable[[Mapping[str, Any]], Any]


class Structure:
    """A compiled value.

    Attributes:
        required: The fields it cannot do without, sorted.
    """

    def __init__(self, value: Any, *, where: str, typed: bool) -> None:
        """Compiles every string in a value; keys of tables stay as they are.

        Args:
            value: As TOML gives it.
            where: File and key, for messages.
            typed: A string that is one `{{ … }}` and nothing else gives the value itself, such as
                a number or a list; otherwise it gives text as all others do.

        Raises:
            TaskError: A template's syntax is wrong; names its place.
        """
        self._typed = typed
        self._required: set[str] = set()
        self._make = self._compile(value, where)
        self.required: Sequence[str] = tuple(sorted(self._required))

    def render(self, fields: Mapping[str, Any]) -> Any:
        """The value for one row; what is the same for every row is shared with other rows.

        Raises:
            TaskError: A required field is missing or null, or an expression fails on it.
        """
        return self._make(fields)

    def _compile(self, value: Any, where: str) -> _Maker:
        if isinstance(value, str):
            return self._compile_text(value, where)
        if isinstance(value, Mapping):
            makers = {key: self._compile(inner, f"{where}.{key}") for key, inner in value.items()}
            return lambda fields: {key: make(fields) for key, make in makers.items()}
        if isinstance(value, list):
            parts = [self._compile(one, f"{where}[{place}]") for place, one in enumerate(value)]
            return lambda fields: [make(fields) for make in parts]
        return lambda _: value

    def _compile_text(self, source: str, where: str) -> _Maker:
        alone = lone_expression(source, where=where) if self._typed else None
        if alone is not None:
            expression = Expression(alone, where=where)
            self._required.update(expression.required)
            return expression.value
        template = Template(source, where=where)
        self._required.update(template.required)
        constant = template.constant
        return template.render if constant is None else lambda _: constant
