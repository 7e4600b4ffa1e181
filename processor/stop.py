"""Why a job cannot go on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The job cannot go on: an error code and the provider's words."""

    code: str
    message: str
