"""What is sent for an item: its body as JSON, and what that will be charged as."""

import orjson

from processor.direct.backlog import Work
from processor.errors import TaskError
from processor.items import Failure
from processor.plan.estimate import output_cap, size_of
from processor.tasks.task import Task

BYTES_PER_TOKEN = 4  # a guess that the pace scales by what is charged


def fill_in(work: Work, task: Task) -> Failure | None:
    """Render work; returns why it cannot be."""
    try:
        request = task.render(work.item, work.invalid)
        work.body = orjson.dumps(request.body)
    except (TaskError, orjson.JSONEncodeError) as error:
        return Failure(code="template", message=str(error), retryable=False)
    work.endpoint, body = request.endpoint, request.body
    work.model = body["model"] if isinstance(body.get("model"), str) else ""
    # A provider counts the text, or the cap of the answer if that is more.
    work.tokens = max(len(work.body) // BYTES_PER_TOKEN, output_cap(body) or 0)
    work.size = size_of(body, len(work.body))
    return None
