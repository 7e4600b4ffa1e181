"""litellm: `batch_completion`, a thread a call."""

import litellm  # type: ignore[import-not-found] # installed there

from rivals.job import Job, main


def _work(job: Job) -> None:
    litellm.telemetry = False
    with job.measured():
        answers = litellm.batch_completion(
            f"openai/{job.model}",
            [row.messages for row in job.rows],
            api_base=job.url,
            api_key=job.key,
            max_workers=job.concurrency,
        )
        for row, answer in zip(job.rows, answers, strict=True):
            if not isinstance(answer, Exception):
                job.keep(row, answer.choices[0].message.content)


if __name__ == "__main__":
    main(_work, distribution="litellm")
