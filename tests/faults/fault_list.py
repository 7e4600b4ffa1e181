"""Which test holds which case of the list of faults, by its number.

Run it to print the list, and what is wrong with it: `python tests/faults/fault_list.py`.
"""

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

MARKER = "fault"
TESTS = Path(__file__).parents[1]

EXPECTED: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "Transport": (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15),
        "HTTP status": (
            *(16, 17, 18, 20, 21, 22, 23, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 38, 39),
            *(41, 42, 43, 45, 46, 47, 48, 49, 51, 52, 53, 55),
        ),
        "Batch": (56, 57, 59, 60, 61, 63, 64, 65, 66, 67, 69, 70, 72, 73, 76),
        "Files": (77, 78, 79, 81, 82, 83),
        "Process": (84, 85, 87, 88),
        "Disk": (89,),
        "Input": (91, 92),
        "Configuration, security": (94, 95, 96, 97),
    }
)

# Cases of these groups that have nothing to be tested on yet, and what they wait for.
LATER: Mapping[int, str] = MappingProxyType(
    {
        75: "webhooks",
        98: "the report and the web page",
        99: "the web page",
    }
)


class _Collector:
    """Notes the marked tests while pytest collects."""

    def __init__(self) -> None:
        self.found: dict[int, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            name = f"{item.path.relative_to(TESTS)}::{item.name.partition('[')[0]}"
            for mark in item.iter_markers(MARKER):
                for number in mark.args:
                    self.found.setdefault(number, set()).add(name)


def tests_by_number() -> dict[int, list[str]]:
    """Number to the tests that are marked with it.

    Raises:
        RuntimeError: The tests cannot be collected; says why.
    """
    collector, told = _Collector(), io.StringIO()
    with contextlib.redirect_stdout(told):
        options = ["--collect-only", "-q", "-m", MARKER, "-p", "no:cacheprovider", "-p", "no:xdist"]
        code = pytest.main([*options, str(TESTS)], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(told.getvalue())
    return {number: sorted(names) for number, names in collector.found.items()}


def lines(found: Mapping[int, list[str]]) -> Iterator[str]:
    """The list, as a table in Markdown."""
    yield "| group | number | tests |"
    yield "|---|---|---|"
    for group, numbers in EXPECTED.items():
        for number in numbers:
            yield _line(group, number, found)
    for number, reason in LATER.items():
        yield f"| later | {number} | waits for {reason} |"


def _line(group: str, number: int, found: Mapping[int, list[str]]) -> str:
    return f"| {group} | {number} | {'<br>'.join(found.get(number, ['none']))} |"


def problems(found: Mapping[int, list[str]]) -> Iterator[str]:
    """What the list lacks, or has too much of."""
    expected = {number for numbers in EXPECTED.values() for number in numbers}
    for number in sorted(expected - found.keys()):
        yield f"{number} has no test"
    for number in sorted(found.keys() - expected):
        yield f"{number} has a test, but {LATER.get(number, 'is not in the list')}"


def main() -> int:
    """Print the list; 1 when something is wrong with it."""
    found = tests_by_number()
    print("\n".join(lines(found)))
    wrong = list(problems(found))
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
