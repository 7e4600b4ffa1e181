"""What people see of a run as it happens, a line each."""

from typing import Any

from processor.console import batch_lines, notify_lines
from processor.console.words import counted, duration
from processor.notice import Notice

Facts = dict[str, Any]
_WAYS = {"direct": "directly", "flex": "flex", "batch": "by batch", "hybrid": "both lanes"}


def line(notice: Notice) -> str | None:
    """The line of what happened; None for what is of no interest to people."""
    facts = dict(notice.facts)
    kinds = (_of_rows, _of_ways, _of_flex, _of_calls, _of_files)
    told = next((found for kind in kinds if (found := kind(notice.event, facts))), None)
    return told or batch_lines.line(notice) or notify_lines.line(notice)


def _of_rows(event: str, facts: Facts) -> str | None:
    match event:
        case "reading":
            return f"reading {facts['source']}"
        case "rows_read":
            return f"{counted(facts['rows'], 'row')} read"
        case "source_away":
            return f"{facts['message']} (again in {duration(facts['wait_s'])})"
        case "import":
            skipped = facts["skipped"]
            left_out = f", {counted(skipped, 'bad one')} left out" if skipped else ""
            return counted(facts["added"], "new row") + left_out
    return None


def _of_ways(event: str, facts: Facts) -> str | None:
    match event:
        case "sending":
            return f"{counted(facts['pending'], 'item')} to send to {facts['model']}"
        case "route" if facts["asked"] == "auto" or facts["split"] or facts["lane"] == "flex":
            return f"{_WAYS[facts['lane']]}: {facts['reason']}"
        case "decision":
            late = "; the deadline will hardly be made" if facts["forecast"] == "no" else ""
            return f"decided: {facts['reason']}{late}"
        case "order":
            done = facts["answer"] if facts["accepted"] else f"refused: {facts['answer']}"
            return f"{facts['by']} asked: {facts['order']}. {done}"
        case "orders_unread":
            return f"orders cannot be read: {facts['message']}"
    return None


def _of_flex(event: str, facts: Facts) -> str | None:
    match event:
        case "flex_full":
            then = "goes at the standard tier" if facts["falls"] else "fails"
            patience = duration(facts["wait_s"])
            return f"flex has no room: what finds none for {patience} {then}"
        case "flex_given_up":
            patience = duration(facts["wait_s"])
            return f"flex has had no room for {patience}: the rest goes at the standard tier"
        case "flex_again":
            return "flex has room again"
    return None


def _of_calls(event: str, facts: Facts) -> str | None:
    match event:
        case "rate_limit":
            return f"rate limit: nothing is sent for {duration(facts['wait_s'])}"
        case "outage":
            return f"nothing gets through ({facts['code']}): probing"
        case "outage_over":
            return "it gets through again"
        case "calls_lost":
            cut_off = counted(facts["calls"], "call was", "calls were")
            return f"{cut_off} cut off by a kill; the provider may charge for that"
    return None


def _of_files(event: str, facts: Facts) -> str | None:
    match event:
        case "chunks_mended":
            return counted(facts["chunks"], "result file was", "result files were") + " made anew"
        case "exporting":
            return "writing the tables"
        case "output_away":
            return f"{facts['message']}: results wait for it"
        case "output_note":
            return f"{facts['output']}: {facts['message']}"
        case "output_back":
            return f"{facts['output']}: is back"
    return None
