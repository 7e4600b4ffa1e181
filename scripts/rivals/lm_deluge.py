"""lm-deluge: `process_prompts_async` over all rows."""

import asyncio

from lm_deluge import Conversation, LLMClient  # type: ignore[import-not-found] # installed there
from lm_deluge.models import register_model  # type: ignore[import-not-found] # installed there

from rivals.job import SYSTEM, Job, main

# Its own limits are for a provider whose limits are known; here nobody knows them.
_UNLIMITED = 100_000_000


async def _work(job: Job) -> None:
    register_model(
        id="local",
        name=job.model,
        api_base=job.url,
        api_key_env_var="OPENAI_API_KEY",
        regions=[],
    )
    client = LLMClient(
        "local",
        max_concurrent_requests=job.concurrency,
        max_requests_per_minute=_UNLIMITED,
        max_tokens_per_minute=_UNLIMITED,
    )
    with job.measured():
        prompts = [Conversation().system(SYSTEM).user(row.prompt) for row in job.rows]
        answers = await client.process_prompts_async(
            prompts, return_completions_only=True, show_progress=False
        )
        for row, answer in zip(job.rows, answers, strict=True):
            job.keep(row, answer)


if __name__ == "__main__":
    main(lambda job: asyncio.run(_work(job)), distribution="lm-deluge")
