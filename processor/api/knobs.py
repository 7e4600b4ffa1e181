"""The settings as keywords."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict

from processor.configuration import gathered, in_force, validated
from processor.errors import UsageError
from processor.layers import Layer
from processor.sandbox_process import sandbox_of
from processor.settings import Settings


class Contact(TypedDict, total=False):
    """Who is asked, and how; names, units and bounds are those of `Settings`.

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
    timeout_s: float


class Knobs(Contact, total=False):
    """Keywords of `Processor`."""

    provider: str
    model: str
    max_output_tokens: int
    chunk_size: int
    concurrency: int
    wait_s: float
    rpm: int
    tpm: int
    retries: int
    give_up_s: float
    route: Literal["auto", "direct", "flex", "batch", "hybrid"]
    deadline: str
    flex_patience_s: float
    urgent: bool
    urgent_field: str
    direct_first: int
    shard_size: int
    grace_s: float
    rounds: int
    fallback: Literal["none", "direct"]
    validating_most_s: float
    description: str
    budget_usd: float
    price: str | tuple[float, float, float]
    limit: int
    repeat: int
    only: Mapping[str, str | float | Sequence[str | float]]
    min_success: float
    skip_invalid: bool
    output_patience_s: float
    keep_bodies: Literal["all", "failed", "none"]
    excel: bool
    bom: bool
    log_content: bool
    logs: str | Path
    seed: int
    notify: str | Sequence[str]
    notify_on: str | Sequence[str]


def found_for(given: Mapping[str, Any], *, sandbox: bool) -> Layer:
    """What is in force for a run; who is asked is still open.

    Raises:
        UsageError: A setting is out of bounds or unknown, or contradicts another.
    """
    if sandbox and "base_url" in given:
        raise UsageError("sandbox and base_url exclude each other")
    named = {name: value for name, value in given.items() if name != "profile"}
    return gathered(named, profile=given.get("profile"), sandbox=sandbox)


@contextmanager
def served(found: Layer, folder: Path) -> Iterator[Settings]:
    """The settings of a run while a sandbox of its own serves it."""
    with sandbox_of(folder, keeps=validated(found).may_batch) as url:
        yield in_force(found, sandbox_url=url)
