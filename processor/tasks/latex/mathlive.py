"""What MathLive can draw: the commands and environments of the version in `mathlive.json`."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

# Commands of one character; the list of the package names only those of letters.
_SYMBOLS = frozenset(" !#$%&,:;>\\_{|}\n")
_COMMAND = re.compile(r"\\([A-Za-z]+|[^A-Za-z])", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\begin\s*\{([^{}]*)\}")
_STRUCTURE = frozenset({"begin", "end"})


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = orjson.loads(files(__package__).joinpath("mathlive.json").read_bytes())
    return facts


@cache
def commands() -> frozenset[str]:
    """Names of the commands, without the backslash; symbols such as `,` too."""
    return frozenset(_facts()["commands"]) | _SYMBOLS | _STRUCTURE


@cache
def environments() -> frozenset[str]:
    """Names of the environments."""
    return frozenset(_facts()["environments"])


def unknown(latex: str) -> str | None:
    r"""The first command (`\fbox`) or environment that MathLive does not know."""
    known = commands()
    for name in _COMMAND.findall(latex):
        if name not in known:
            return f"\\{name}"
    if r"\begin" in latex:
        for name in _ENVIRONMENT.findall(latex):
            if name not in environments():
                return f"\\begin{{{name}}}"
    return None
