"""The settings as keywords."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict

from processor.configuration import settings_of
from processor.errors import UsageError
from processor.sandbox_process import sandbox as serving
from processor.settings import Settings


class Knobs(TypedDict, total=False):
    """Keywords of `Processor`; names, units and bounds are those of `Settings`.

    `profile` names one of `processor.toml`; the other keywords go before it.
    """

    profile: str
    api_key: str
    base_url: str
    api_version: str
    organization: str
    project: str
    headers: Mapping[str, str]
    proxy: str
    provider: str
    model: str
    max_output_tokens: int
    chunk_size: int
    concurrency: int
    wait_s: float
    rpm: int
    tpm: int
    retries: int
    timeout_s: float
    give_up_s: float
    route: Literal["auto", "direct", "batch"]
    shard_size: int
    grace_s: float
    rounds: int
    fallback: Literal["none", "direct"]
    description: str
    budget_usd: float
    price: str | tuple[float, float, float]
    limit: int
    min_success: float
    skip_invalid: bool
    output_patience_s: float
    keep_bodies: Literal["all", "failed", "none"]
    excel: bool
    bom: bool
    log_content: bool
    logs: str | Path
    seed: int


@contextmanager
def settings_for(given: Mapping[str, Any], *, sandbox: bool) -> Iterator[Settings]:
    """What is in force while a run goes on.

    Raises:
        UsageError: A setting is out of bounds or unknown, contradicts another, or a key is needed
            and there is none.
    """
    named = {name: value for name, value in given.items() if name != "profile"}
    profile = given.get("profile")
    if not sandbox:
        yield settings_of(named, sandbox_url=None, profile=profile)
        return
    if "base_url" in named:
        raise UsageError("sandbox and base_url exclude each other")
    Settings.of(named)  # before a process is started for them
    with serving() as url:
        yield settings_of(named, sandbox_url=url, profile=profile)
