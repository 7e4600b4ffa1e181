"""Latencies of direct calls: their distribution, from the ledger's own buckets."""

from collections.abc import Iterator

from processor.console.words import milliseconds
from processor.ledger.histogram import RATIO
from processor.reporting import figures
from processor.reporting.charts import Bar, Mark, distribution
from processor.reporting.document import Charts, Line, Section
from processor.reporting.gathering import Findings

_BARS_MOST = 44


def section(found: Findings) -> Section | None:
    """None of a run without direct answers."""
    latency = found.shot.latency_ms
    if latency.p50 is None or latency.p95 is None:
        return None
    told: Line = ("Half of the calls took at most ",)
    for name, words in (("p50", ", 95% "), ("p95", ", 99% "), ("p99", ", the slowest ")):
        told = (*told, figures.milliseconds(f"latency_ms.{name}", getattr(latency, name)), words)
    told = (*told, figures.milliseconds("latency_ms.max", latency.max), ". The mean is ")
    told = (*told, figures.milliseconds("latency_ms.mean", latency.mean))
    told = (*told, ". These are the last calls of items; answers of batches have no latency.")
    chart = distribution(
        "Calls by how long they took",
        list(_bars(found)),
        words=milliseconds,
        marks=(Mark(latency.p50, "mark", "half"), Mark(latency.p95, "mark late", "95%")),
        told=told,
    )
    return Section("latency", "Latency", [Charts([chart])])


def _bars(found: Findings) -> Iterator[Bar]:
    """Neighbouring buckets together, so that there are not more than can be seen."""
    counts = {bucket: count for bucket, count in found.latencies.items() if count > 0}
    first, last = min(counts), max(counts)
    step = max(1, -(-(last - first + 1) // _BARS_MOST))
    for low in range(first, last + 1, step):
        calls = sum(counts.get(bucket, 0) for bucket in range(low, low + step))
        yield Bar(RATIO ** (low - 1), RATIO ** (low + step - 1), calls)
