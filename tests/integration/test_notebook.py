"""The engine in a real kernel of Jupyter, cell by cell."""

import os
import re
import signal
from typing import Any

import nbformat.v4
from command_line import Shell
from nbclient import NotebookClient

_V4: Any = nbformat.v4  # says that it has types, and has none

SETUP = """\
import threading
from processor import Processor, Task

task = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")
rows = [{"id": n, "who": f"guest {n}"} for n in range(1, 41)]
KEY = "sk-of-a-notebook"
engine = Processor(base_url=URL, api_key=KEY)
"""


class Reader(NotebookClient):
    """Whoever looks at a notebook; keeps every state of what changes, and may press Stop."""

    def __init__(self, shell: Shell, *cells: str, stop_at: str | None = None) -> None:
        sources = [f"URL = {shell.url!r}\n{SETUP}", *cells]
        super().__init__(
            _V4.new_notebook(cells=[_V4.new_code_cell(each) for each in sources]),
            kernel_name="python3",
            timeout=60,
            allow_errors=True,
            resources={"metadata": {"path": str(shell.folder)}},
        )
        self.shown: list[str] = []
        self._stop_at = stop_at

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in ("display_data", "update_display_data"):
            text = msg["content"]["data"]["text/plain"]
            self.shown.append(text)
            if self._stop_at is not None and self._stop_at in text:
                self._stop_at = None
                manager: Any = self.km
                os.kill(manager.provisioner.pid, signal.SIGINT)
        return super().process_message(msg, cell, cell_index)

    def below(self) -> list[list[Any]]:
        """What is below each cell in the end."""
        self.execute()
        return [cell.outputs for cell in self.nb.cells[1:]]


def test_figures_are_below_the_cell_that_runs(shell: Shell) -> None:
    sync, awaited, streamed, quiet = Reader(
        shell,
        'engine.run_sync(task, rows, out="sync").succeeded',
        '(await engine.run(task, rows, out="awaited")).succeeded',
        'len([each async for each in engine.stream(task, rows, out="streamed")])',
        'engine.run_sync(task, rows, out="quiet", progress=False).succeeded',
    ).below()
    for figures, result in (sync, awaited, streamed):
        assert "40 items to send to gpt-6-luna" in figures.data["text/plain"]
        assert re.search(r"\n█{30} 40/40 \(100\.0%\) · ok 100\.0% · ", figures.data["text/plain"])
        assert result.data["text/plain"] == "40"
    assert [each.output_type for each in quiet] == ["execute_result"]


def test_stop_ends_the_calls_and_the_same_cell_goes_on(shell: Shell) -> None:
    reader = Reader(
        shell,
        "paused = Processor(base_url=URL, api_key=KEY, chunk_size=10, wait_s=600)\n"
        'paused.run_sync(task, rows, out="out")',
        '[each.name for each in threading.enumerate() if each.name in ("processor", "screen")]',
        'report = engine.run_sync(task, rows, out="out")\n'
        "(report.succeeded, report.figures.overall.requests_lost)",
        stop_at="10/40",
    )
    (figures, stopped), (threads,), (_, whole) = reader.below()
    assert figures.output_type == "display_data"  # one, in which the figures had changed
    assert any(" 10/40 (25.0%) · " in each for each in reader.shown)
    assert stopped.ename == "KeyboardInterrupt"
    assert threads.data["text/plain"] == "[]"
    assert whole.data["text/plain"] == "(40, 0)"
    assert shell.stats()["paid"] == 40
