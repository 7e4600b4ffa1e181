"""async-batch-llm: `process_prompts` over all rows."""

import asyncio

from async_batch_llm import llm, process_prompts  # type: ignore[import-not-found] # there

from rivals.job import SYSTEM, Job, main


async def _work(job: Job) -> None:
    strategy = llm(
        f"openai-compatible:{job.model}",
        base_url=job.url,
        api_key=job.key,
        system_instruction=SYSTEM,
    )
    rows = {row.id: row for row in job.rows}
    with job.measured():
        prompts = [(row.id, row.prompt) for row in job.rows]
        batch = await process_prompts(strategy, prompts, concurrency=job.concurrency)
        for result in batch.results:
            job.keep(rows[result.item_id], result.output)


if __name__ == "__main__":
    main(lambda job: asyncio.run(_work(job)), distribution="async-batch-llm")
