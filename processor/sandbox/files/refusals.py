"""What the Files API refuses, in OpenAI's words."""

from processor.sandbox.errors import ApiError


def no_such_file(name: str) -> ApiError:
    """It was never there, was deleted, or expired."""
    return ApiError(404, f"No such File object: {name}", param="id")


def no_form(content_type: str) -> ApiError:
    """An upload is a form."""
    return ApiError(
        400,
        f"Unsupported content type: '{content_type}'. This API method only accepts "
        "'multipart/form-data' requests.",
        code="unsupported_content_type",
    )


def torn_form() -> ApiError:
    """The form is cut off, or was never one."""
    return ApiError(400, "There was an error parsing the body")


def missing_property(name: str) -> ApiError:
    """A part that a form must have."""
    return ApiError(400, f"'{name}' is a required property")


def no_jsonl() -> ApiError:
    """Neither by its name nor by its first line."""
    return ApiError(400, "Invalid file format for Batch API. Must be .jsonl")


def not_for_download(purpose: str) -> ApiError:
    """Only what the API made, or was made for it, can be read."""
    return ApiError(400, f"Not allowed to download files of purpose: {purpose}")
