"""inspect-ai: an evaluation without a score."""

from inspect_ai import Task, eval  # type: ignore[import-not-found] # noqa: A004 - its own name
from inspect_ai.dataset import Sample  # type: ignore[import-not-found] # installed there
from inspect_ai.model import (  # type: ignore[import-not-found] # installed there
    ChatMessageSystem,
    ChatMessageUser,
)
from inspect_ai.solver import generate  # type: ignore[import-not-found] # installed there

from rivals.job import SYSTEM, Job, main


def _work(job: Job) -> None:
    rows = {row.id: row for row in job.rows}
    with job.measured():
        samples = [
            Sample(
                id=row.id,
                input=[ChatMessageSystem(content=SYSTEM), ChatMessageUser(content=row.prompt)],
            )
            for row in job.rows
        ]
        (log,) = eval(
            Task(dataset=samples, solver=generate()),
            model=f"openai/{job.model}",
            model_base_url=job.url,
            model_args={"responses_api": False},
            max_connections=job.concurrency,
            max_samples=job.concurrency,
            fail_on_error=False,
            display="none",
            log_dir="logs",
        )
        for sample in log.samples or []:
            job.keep(rows[str(sample.id)], sample.output.completion)


if __name__ == "__main__":
    main(_work, distribution="inspect-ai")
