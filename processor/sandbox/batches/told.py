"""A batch, as the API tells it."""

from typing import Any

from processor.sandbox.batches.batch import Batch, Status, Usage
from processor.sandbox.batches.fates import as_fated

# It is validating from its creation on.
_DATED = tuple(status for status in Status if status != Status.VALIDATING)


def batch_object(batch: Batch) -> dict[str, Any]:
    """OpenAI's batch object."""
    told = {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model,
        "errors": {"object": "list", "data": list(batch.errors)} if batch.errors else None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.window,
        "status": batch.status,
        "output_file_id": batch.outcome_ids.get("output"),
        "error_file_id": batch.outcome_ids.get("error"),
        "created_at": int(batch.created_s),
        "expires_at": None if batch.pace.window_s is None else int(batch.expires_s),
        **{f"{status}_at": _second(batch, status) for status in _DATED},
        "request_counts": _counts(batch),
        "usage": _usage(batch.usage if batch.ended else Usage()),
        "metadata": batch.metadata,
    }
    if batch.azure:
        told |= _as_azure(batch)
    return as_fated(told, batch)


def _as_azure(batch: Batch) -> dict[str, Any]:
    """What Azure tells otherwise.

    Its endpoints have no version, a missing id is an empty text, nothing is counted at first.
    """
    return {
        "endpoint": batch.endpoint.removeprefix("/v1"),
        "output_file_id": batch.outcome_ids.get("output", ""),
        "error_file_id": batch.outcome_ids.get("error", ""),
        "request_counts": None if batch.status == Status.VALIDATING else _counts(batch),
    }


def _second(batch: Batch, status: Status) -> int | None:
    reached_s = batch.reached.get(status)
    return None if reached_s is None else int(reached_s)


def _counts(batch: Batch) -> dict[str, int]:
    if batch.status in (Status.VALIDATING, Status.FAILED):
        return {"total": 0, "completed": 0, "failed": 0}
    return {"total": batch.total, "completed": batch.completed, "failed": batch.failed}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }
