"""openai: its asynchronous client behind a semaphore, as people write it."""

import asyncio

from openai import AsyncOpenAI, OpenAIError

from rivals.job import Job, Row, main


async def _work(job: Job) -> None:
    client = AsyncOpenAI(base_url=job.url, api_key=job.key)
    slots = asyncio.Semaphore(job.concurrency)

    async def ask(row: Row) -> None:
        async with slots:
            try:
                answer = await client.chat.completions.create(
                    model=job.model, messages=row.messages
                )
            except OpenAIError:
                return
        job.keep(row, answer.choices[0].message.content)

    with job.measured():
        await asyncio.gather(*map(ask, job.rows))


if __name__ == "__main__":
    main(lambda job: asyncio.run(_work(job)), distribution="openai")
