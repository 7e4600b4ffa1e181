"""The limit on what a model's batches may have waiting together."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from processor.sandbox.batches import refusals
from processor.sandbox.batches.batch import Batch
from processor.sandbox.batches.scan import rules_of, scan
from processor.sandbox.config import SandboxConfig
from processor.sandbox.state import Sandbox


def is_too_much(batch: Batch, others: Iterable[Batch], most: int | None) -> bool:
    """Whether a batch is too much beside the others of its model."""
    waiting = sum(
        other.tokens for other in others if other.model == batch.model and other.id != batch.id
    )
    return most is not None and waiting + batch.tokens > most


async def measured(batch: Batch, sandbox: Sandbox) -> Batch:
    """The batch with its model and its tokens, where a creation is refused by them."""
    path = sandbox.storage.input(batch.id)
    if not _refuses(sandbox.config) or not path.exists():
        return batch
    rules = rules_of(batch.endpoint, sandbox.config, azure=batch.azure)
    seen = await asyncio.to_thread(scan, path, rules)
    return replace(batch, model=seen.model, tokens=seen.tokens)


def check_room(batch: Batch, sandbox: Sandbox) -> None:
    """Demand that a measured batch has room, where that is told at its creation.

    Raises:
        ApiError: It has none.
    """
    config = sandbox.config
    most = config.enqueued_tokens
    if most is None or batch.model is None or not _refuses(config):
        return
    if is_too_much(batch, sandbox.storage.batches.live(), most):
        raise refusals.token_limit(batch.model, most, status=int(config.enqueued_form))


def _refuses(config: SandboxConfig) -> bool:
    return config.enqueued_tokens is not None and config.enqueued_form != "failed"
