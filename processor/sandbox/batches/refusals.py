"""What the Batch API refuses when it is called, in OpenAI's words."""

from processor.sandbox.batches import findings
from processor.sandbox.errors import INVALID_REQUEST, ApiError
from processor.sandbox.limits import ORGANIZATION


def no_such_batch(name: str) -> ApiError:
    """It was never there."""
    return ApiError(404, f"No batch found with id '{name}'.")


def cannot_cancel(status: str) -> ApiError:
    """The batch has ended in another way."""
    return ApiError(409, f"Cannot cancel a batch with status '{status}'.")


def token_limit(model: str, most: int, *, status: int) -> ApiError:
    """What the account has waiting is too much already."""
    return ApiError(
        status,
        findings.token_limit_words(model, ORGANIZATION, most),
        type="tokens" if status == 429 else INVALID_REQUEST,
        code="token_limit_exceeded",
    )
