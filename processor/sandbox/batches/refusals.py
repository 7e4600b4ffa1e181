"""What the Batch API refuses when it is called, in OpenAI's words."""

from processor.sandbox.errors import ApiError


def no_such_batch(name: str) -> ApiError:
    """It was never there."""
    return ApiError(404, f"No batch found with id '{name}'.")


def cannot_cancel(status: str) -> ApiError:
    """The batch has ended in another way."""
    return ApiError(409, f"Cannot cancel a batch with status '{status}'.")
