"""What is sent for an item: its body as JSON, and what that will be charged as."""

import orjson

from processor.completion import CHAT, RESPONSES
from processor.direct.backlog import Work
from processor.errors import TaskError
from processor.items import Failure
from processor.plan.estimate import output_cap, size_of
from processor.tasks.task import Task

BYTES_PER_TOKEN = 4  # a guess that the pace scales by what is charged
_TIERED = frozenset({CHAT, RESPONSES})
_TIER = "service_tier"


def fill_in(work: Work, task: Task, tier: str | None = None) -> Failure | None:
    """Render work.

    Args:
        work: To be sent.
        task: What is asked.
        tier: Service tier to ask for where the request takes one and names none itself; it is no
            part of the task, whose identity and batch lines know nothing of it.

    Returns:
        Why it cannot be rendered; None when it is.
    """
    try:
        request = task.render(work.item, work.invalid)
        work.endpoint, body = request.endpoint, request.body
        work.tier = None if _TIER in body else tier
        if work.tier is not None:
            if work.endpoint not in _TIERED:
                return _without_tier(work.endpoint, work.tier)
            body = {**body, _TIER: work.tier}
        work.body = orjson.dumps(body)
    except (TaskError, orjson.JSONEncodeError) as error:
        return Failure(code="template", message=str(error), retryable=False)
    work.model = body["model"] if isinstance(body.get("model"), str) else ""
    # A provider counts the text, or the cap of the answer if that is more.
    work.tokens = max(len(work.body) // BYTES_PER_TOKEN, output_cap(body) or 0)
    work.size = size_of(body, len(work.body))
    return None


def _without_tier(endpoint: str, tier: str) -> Failure:
    message = f"{endpoint} has no {tier} tier, which --route {tier} asks for"
    return Failure(code="refused_parameter", message=message, retryable=False)
