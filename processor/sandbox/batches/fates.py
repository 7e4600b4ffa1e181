"""What goes wrong with a batch as a whole, as its faults say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from processor.sandbox.batches.batch import Batch, Status
from processor.sandbox.batches.findings import finding
from processor.sandbox.faults.fates import ABSENT, told_value
from processor.sandbox.faults.fault import Fault

_SHARE = "0.5"


def fated(batch: Batch, faults: tuple[Fault, ...]) -> Batch:
    """A new batch with what will go wrong with it."""
    if _params(faults, "plain_ids") is not None:
        name, output, error = (str(uuid4()) for _ in range(3))
        batch = replace(batch, id=name, output_id=output, error_id=error)
    return replace(batch, faults=faults)


def fault_found(batch: Batch) -> tuple[dict[str, Any], ...]:
    """What its validation is to find, whatever its input holds."""
    params = _params(batch.faults, "batch_fails")
    if params is None:
        return ()
    line = params.get("line")
    return (
        finding(
            params.get("code", "invalid_request"),
            params.get("message", "An injected fault."),
            line=None if line is None else int(line),
            param=params.get("param"),
        ),
    )


def hold_s(batch: Batch) -> float:
    """How many seconds longer than its pace it stays in its present status; may be infinite."""
    params = _params(batch.faults, "batch_stuck")
    if params is None or params.get("status", Status.IN_PROGRESS) != batch.status:
        return 0.0
    return float(params.get("seconds", "inf"))


def lines_before_trouble(batch: Batch) -> int:
    """How many lines it does until it stops for a while, or for good."""
    kinds = ["batch_expires", "batch_cancels"]
    if hold_s(batch) > 0:
        kinds.append("batch_stuck")
    found = (params for kind in kinds if (params := _params(batch.faults, kind)) is not None)
    shares = [float(params.get("share", _SHARE)) for params in found]
    return int(batch.total * min(shares, default=1.0))


def is_cancelled(batch: Batch) -> bool:
    """Whether the provider cancels it."""
    return _params(batch.faults, "batch_cancels") is not None


def is_expired(batch: Batch) -> bool:
    """Whether it expires before its time."""
    return _params(batch.faults, "batch_expires") is not None


def concerns(batch: Batch, kind: str, file: str) -> bool:
    """Whether a fault of a kind concerns its `output` or its `error` file."""
    params = _params(batch.faults, kind)
    return params is not None and params.get("file", "output") in (file, "both")


def as_fated(told: dict[str, Any], batch: Batch) -> dict[str, Any]:
    """The batch object as it is told wrongly."""
    for fault in batch.faults:
        if fault.kind != "told" or fault.params.get("while", batch.status) != batch.status:
            continue
        name, value = fault.params.get("field", "status"), fault.params.get("value", '"paused"')
        if value == ABSENT:
            told.pop(name, None)
        else:
            told[name] = told_value(value)
    return told


def _params(faults: tuple[Fault, ...], kind: str) -> Mapping[str, str] | None:
    """Of the first fault of a kind; None when there is none."""
    return next((fault.params for fault in faults if fault.kind == kind), None)
