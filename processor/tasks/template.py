"""A prompt as a Jinja2 template: sandboxed, strict, compiled once."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template as CompiledTemplate,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from processor.errors import TaskError

_NODES_WITH_DEFAULT = {"default", "d"}
_TESTS_OF_PRESENCE = {"defined", "undefined"}
_LENGTH = 10_000_000  # of a repeated text or list; no model reads more
_POWER_BITS = 10_000
# What an expression raises over a value that it does not fit.
_ROW_ERRORS = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError),
    ValueError,
)


class Template:
    """A compiled text.

    Attributes:
        required: The fields it cannot do without, sorted.
        constant: The text, where it is the same for every row; otherwise None.
    """

    __slots__ = ("_globals", "_template", "constant", "required")

    def __init__(self, source: str, *, where: str) -> None:
        """Compiles a text.

        Args:
            source: Jinja2 text.
            where: File and key, for messages.

        Raises:
            TaskError: The syntax is wrong; names the line within the text.
        """
        tree = _parsed(source, where)
        self._template = _compiled(tree, where)
        self._globals = _environment().globals
        self.constant = _constant(tree)
        self.required = tuple(sorted(required_fields(tree)))

    def render(self, fields: Mapping[str, Any]) -> str:
        """The text for one row.

        Raises:
            TaskError: A required field is missing or null, or an expression fails on it.
        """
        _expect_fields(self.required, fields)
        # Template.render does the same at three times the cost: it copies fields and globals again.
        values = {**self._globals, **fields}
        context = Context(_environment(), values, None, self._template.blocks)
        try:
            return "".join(self._template.root_render_func(context))
        except _ROW_ERRORS as error:
            raise _unwritable(error) from error


class Expression:
    """A text that is one `{{ … }}` and nothing else: gives the value itself, whatever its type.

    Attributes:
        required: The fields it cannot do without, sorted.
    """

    __slots__ = ("_template", "required")

    _RESULT = "result"

    def __init__(self, expression: nodes.Expr, *, where: str) -> None:
        """Compiles what `lone_expression` found.

        Raises:
            TaskError: It names a filter or a test that does not exist.
        """
        result = nodes.Name(self._RESULT, "store", lineno=1)
        tree = nodes.Template([nodes.Assign(result, expression, lineno=1)], lineno=1)
        tree.set_environment(_environment())
        self._template = _compiled(tree, where)
        self.required = tuple(sorted(required_fields(tree)))

    def value(self, fields: Mapping[str, Any]) -> Any:
        """The value for one row.

        Raises:
            TaskError: A required field is missing or null, or the expression fails on it.
        """
        _expect_fields(self.required, fields)
        context = self._template.new_context(dict(fields))
        try:
            deque(self._template.root_render_func(context), maxlen=0)
            value = context.vars[self._RESULT]
            if isinstance(_printed(value), Undefined):
                str(value)  # raises what it is
        except _ROW_ERRORS as error:
            raise _unwritable(error) from error
        return value


def lone_expression(source: str, *, where: str) -> nodes.Expr | None:
    """The expression of a text that is one `{{ … }}` and nothing else.

    Raises:
        TaskError: The syntax is wrong.
    """
    body = _parsed(source, where).body
    parts = body[0].nodes if len(body) == 1 and isinstance(body[0], nodes.Output) else ()
    if len(parts) != 1 or isinstance(parts[0], nodes.TemplateData):
        return None
    return parts[0]


class _Environment(SandboxedEnvironment):
    """Bounds what a product and a power may be, too: they are made before anybody sees them."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _expect_short(left, right)
            _expect_short(right, left)
        elif isinstance(left, int) and isinstance(right, int):
            _expect_at_most(left.bit_length() * right, _POWER_BITS)
        return super().call_binop(context, operator, left, right)


@cache
def _environment() -> SandboxedEnvironment:
    # Prompts are text: escaping for HTML would spoil the very MathML they carry.
    return _Environment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=_printed,
    )


def _printed(value: Any) -> Any:
    """What stands in the text; functions, which `{{ data.items }}` is, are no values of a row."""
    if callable(value) and not isinstance(value, Undefined):
        name = getattr(value, "__name__", type(value).__name__)
        raise TypeError(f"{name} is a function; a field of that name is got by ['{name}']")
    return value


def _expect_short(repeated: Any, times: Any) -> None:
    if isinstance(repeated, str | bytes | list | tuple) and isinstance(times, int):
        _expect_at_most(len(repeated) * times, _LENGTH)


def _expect_at_most(size: int, most: int) -> None:
    if size > most:
        raise OverflowError(f"a product or power of the size {size:,} is more than {most:,}")


def _parsed(source: str, where: str) -> nodes.Template:
    try:
        return _environment().parse(source)
    except TemplateSyntaxError as error:
        raise TaskError(f"{where}: line {error.lineno}: {error.message}") from error


def _compiled(tree: nodes.Template, where: str) -> CompiledTemplate:
    try:
        return _environment().from_string(tree)
    except TemplateSyntaxError as error:
        raise TaskError(f"{where}: line {error.lineno}: {error.message}") from error


def _constant(tree: nodes.Template) -> str | None:
    parts = [part for output in tree.body for part in output.iter_child_nodes()]
    if all(isinstance(output, nodes.Output) for output in tree.body) and all(
        isinstance(part, nodes.TemplateData) for part in parts
    ):
        return "".join(part.data for part in parts if isinstance(part, nodes.TemplateData))
    return None


def _expect_fields(required: Sequence[str], fields: Mapping[str, Any]) -> None:
    for name in required:
        if fields.get(name) is None:
            raise TaskError(f"the row has no {name}, which the prompt needs")


def _unwritable(error: Exception) -> TaskError:
    return TaskError(f"the prompt cannot be written for this row: {error}")


def required_fields(tree: nodes.Template) -> set[str]:
    """The fields of a prompt that have neither a default nor a test of their presence."""
    return set(_needed(tree, frozenset())) & meta.find_undeclared_variables(tree)


def _needed(node: nodes.Node, present: frozenset[str]) -> Iterator[str]:
    """Names that are read, but for those with a default and those known to be `present`."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load" and node.name not in present:
            yield node.name
    elif _asks_for_presence(node):
        for child in list(node.iter_child_nodes())[1:]:
            yield from _needed(child, present)
    elif isinstance(node, nodes.If | nodes.CondExpr):
        yield from _needed_by_branches(node, present)
    elif isinstance(node, nodes.And):
        yield from _needed(node.left, present)
        yield from _needed(node.right, present | _shown_present(node.left))
    else:
        for child in node.iter_child_nodes():
            yield from _needed(child, present)


def _asks_for_presence(node: nodes.Node) -> bool:
    """Whether it is `field | default(…)` or `field is defined`."""
    if isinstance(node, nodes.Filter):
        return node.name in _NODES_WITH_DEFAULT and isinstance(node.node, nodes.Name)
    if isinstance(node, nodes.Test):
        return node.name in _TESTS_OF_PRESENCE and isinstance(node.node, nodes.Name)
    return False


def _needed_by_branches(node: nodes.If | nodes.CondExpr, present: frozenset[str]) -> Iterator[str]:
    yield from _needed(node.test, present)
    within = present | _shown_present(node.test)
    for child in node.iter_child_nodes():
        if child is not node.test:
            is_body = (
                child is node.expr1 if isinstance(node, nodes.CondExpr) else child in node.body
            )
            yield from _needed(child, within if is_body else present)


def _shown_present(test: nodes.Node) -> frozenset[str]:
    """Fields that are there wherever the test holds."""
    if isinstance(test, nodes.And):
        return _shown_present(test.left) | _shown_present(test.right)
    if (
        isinstance(test, nodes.Test)
        and test.name == "defined"
        and isinstance(test.node, nodes.Name)
    ):
        return frozenset({test.node.name})
    return frozenset()
