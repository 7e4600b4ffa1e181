"""curator: its online backend, for any OpenAI-compatible address."""

import os
from importlib.util import find_spec
from pathlib import Path

from bespokelabs import curator  # type: ignore[import-not-found] # installed there

from rivals.job import SYSTEM, Job, main

# Its own limits are for a provider whose limits are known; here nobody knows them.
_UNLIMITED = 100_000_000


class _Asker(curator.LLM):  # type: ignore[misc] # its class has no types here
    def prompt(self, row: dict[str, str]) -> str:
        return row["prompt"]

    def parse(self, row: dict[str, str], answer: str) -> dict[str, str]:
        return {"id": row["id"], "answer": answer}


def _work(job: Job) -> None:
    os.environ["TIKTOKEN_CACHE_DIR"] = str(_token_tables())
    asker = _Asker(
        model_name=job.model,
        backend="openai",
        system_prompt=SYSTEM,
        backend_params={
            "base_url": job.url,
            "api_key": job.key,
            "max_concurrent_requests": job.concurrency,
            "max_requests_per_minute": _UNLIMITED,
            "max_tokens_per_minute": _UNLIMITED,
            "require_all_responses": False,
        },
    )
    rows = {row.id: row for row in job.rows}
    with job.measured():
        answers = asker([{"id": row.id, "prompt": row.prompt} for row in job.rows])
        for answer in answers.dataset:
            job.keep(rows[answer["id"]], answer["answer"])


def _token_tables() -> Path:
    """The tables that come with litellm, which it brings; it would fetch the same ones."""
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "litellm_core_utils" / "tokenizers"


if __name__ == "__main__":
    main(_work, distribution="bespokelabs-curator")
