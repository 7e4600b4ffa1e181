"""One prompt over a whole table, through any OpenAI-compatible API.

from processor import Processor

report = Processor(model="gpt-6-luna").run_sync("task.toml", [{"id": 1, "text": "…"}])
report.frame()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # importing them takes longer than `processor --help` may
    from processor.api.batch_values import BatchResults, BatchStatus
    from processor.api.batches import check_batch_status, download_batch_results
    from processor.api.mathml import BatchMathMLProcessor
    from processor.api.processor import Processor
    from processor.api.results import RunReport
    from processor.api.task import Task
    from processor.errors import NotDoneError, ProcessorError, StoppedError
    from processor.items import Outcome

__version__ = "0.1.0"
__all__ = [
    "BatchMathMLProcessor",
    "BatchResults",
    "BatchStatus",
    "NotDoneError",
    "Outcome",
    "Processor",
    "ProcessorError",
    "RunReport",
    "StoppedError",
    "Task",
    "check_batch_status",
    "download_batch_results",
]

_HOMES = {
    "BatchMathMLProcessor": "processor.api.mathml",
    "BatchResults": "processor.api.batch_values",
    "BatchStatus": "processor.api.batch_values",
    "NotDoneError": "processor.errors",
    "Outcome": "processor.items",
    "Processor": "processor.api.processor",
    "ProcessorError": "processor.errors",
    "RunReport": "processor.api.results",
    "StoppedError": "processor.errors",
    "Task": "processor.api.task",
    "check_batch_status": "processor.api.batches",
    "download_batch_results": "processor.api.batches",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
