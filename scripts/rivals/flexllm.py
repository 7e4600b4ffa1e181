"""flexllm: `chat_batch` over all rows."""

import asyncio

from flexllm import LLMClient  # type: ignore[import-not-found] # installed there

from rivals.job import Job, main

# Its own limit is for a provider whose limit is known; here nobody knows it.
_UNLIMITED = 1_000_000


async def _work(job: Job) -> None:
    client = LLMClient(
        base_url=job.url,
        api_key=job.key,
        model=job.model,
        concurrency_limit=job.concurrency,
        max_qps=_UNLIMITED,
    )
    with job.measured():
        answers = await client.chat_batch([row.messages for row in job.rows], show_progress=False)
        for row, answer in zip(job.rows, answers, strict=True):
            job.keep(row, answer.content)


if __name__ == "__main__":
    main(lambda job: asyncio.run(_work(job)), distribution="flexllm")
