"""A prompt as a Jinja2 template: sandboxed, strict, compiled once."""

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from processor.errors import TaskError

_NODES_WITH_DEFAULT = {"default", "d"}
_TESTS_OF_PRESENCE = {"defined", "undefined"}
# What an expression raises over a value that it does not fit.
_ROW_ERRORS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Template:
    """A compiled prompt.

    Attributes:
        required: The fields it cannot do without, sorted.
    """

    __slots__ = (
        "_context_class",
        "_environment",
        "_globals",
        "_template",
        "required",
    )

    def __init__(self, source: str, *, where: str) -> None:
        """Compiles a prompt.

        Args:
            source: Jinja2 text.
            where: File and key, for messages.

        Raises:
            TaskError: The syntax is wrong; names the line within the prompt.
        """
        # Prompts are text: escaping for HTML would spoil the very MathML they carry.
        environment = SandboxedEnvironment(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
        )
        try:
            tree = environment.parse(source)
            self._template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise TaskError(f"{where}: line {error.lineno}: {error.message}") from error
        self._environment = environment
        self._context_class = environment.context_class
        self._globals = dict(environment.globals)
        self.required = tuple(sorted(required_fields(tree)))

    def render(self, fields: Mapping[str, Any]) -> str:
        """The prompt for one row.

        Raises:
            TaskError: A required field is missing or null, or an expression fails on it.
        """
        for name in self.required:
            if fields.get(name) is None:
                raise TaskError(f"the row has no {name}, which the prompt needs")
        # Template.render does the same at three times the cost: it copies fields and globals again.
        values = {**self._globals, **fields}
        context = self._context_class(self._environment, values, None, self._template.blocks)
        try:
            return "".join(self._template.root_render_func(context))
        except _ROW_ERRORS as error:
            raise TaskError(f"the prompt cannot be written for this row: {error}") from error


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
