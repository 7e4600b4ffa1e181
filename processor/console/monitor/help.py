"""What the keys do."""

from rich.text import Text

from processor.console.monitor.lines import Part, fitted

_TOLD = (
    ("p", "pause: nothing new is sent; what is in flight comes in"),
    ("r", "go on after a pause"),
    ("d", "drain: finish what is in flight, then end; the same command resumes"),
    ("+ -", "raise or lower the ceiling of calls in flight"),
    ("f", "send failed items again that asking again may mend (asks first)"),
    ("↑ ↓ k j", "of several runs: mark one; enter or its digit opens it"),
    ("esc", "back to the list"),
    ("q", "leave; the run goes on"),
    ("?", "this help; any key closes it"),
)
_KEY_CELLS = 9


def lines(width: int) -> list[Text]:
    """A line a key."""
    return [
        fitted([Part(f"{key:<{_KEY_CELLS}}", "bold", 0), Part(told, rank=0)], width, between="")
        for key, told in _TOLD
    ]
