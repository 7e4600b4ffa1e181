"""Every knob once: its name, its unit, its bounds, its default."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from processor.errors import UsageError

DEFAULT_BASE_URL = "https://api.openai.com/v1"
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# Visible ASCII without quotes, which are a shell's or an editor's.
_KEY = re.compile("[!#-&(-~]+")


class Settings(BaseModel):
    """What is in force for a run. Frozen; `Settings.of` validates."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    api_key: SecretStr | None = Field(None, description="key of the provider")
    base_url: str = Field(DEFAULT_BASE_URL, description="where the API is")
    provider: str = Field("openai", description="name kept in the results")
    model: str | None = Field(None, min_length=1, description="model; the task's own by default")
    max_output_tokens: int | None = Field(None, ge=1, description="tokens an answer may have")
    chunk_size: int = Field(100, ge=1, le=100_000, description="items per result file")
    concurrency: int | None = Field(
        None, ge=1, le=10_000, description="ceiling of calls in flight; adaptive by default"
    )
    wait_s: float = Field(
        0, ge=0, le=86_400, allow_inf_nan=False, description="seconds between chunks"
    )
    rpm: int | None = Field(None, ge=1, description="requests a minute at most")
    tpm: int | None = Field(None, ge=1, description="tokens a minute at most")
    retries: int = Field(5, ge=0, le=100, description="how often a failed call is tried again")
    timeout_s: float = Field(
        120, gt=0, le=86_400, allow_inf_nan=False, description="seconds a call may take in all"
    )
    give_up_s: float = Field(
        300, ge=0, allow_inf_nan=False, description="seconds without the provider before stopping"
    )
    budget_usd: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that the run may spend in all"
    )
    price: tuple[Price, Price, Price] | None = Field(
        None, description="US dollars per million tokens: input, cached input, output"
    )
    limit: int | None = Field(None, ge=1, description="items not done yet that are taken at most")
    min_success: float = Field(
        1, ge=0, le=1, allow_inf_nan=False, description="share of successes that exits with 0"
    )
    skip_invalid: bool = Field(False, description="leave bad rows out instead of refusing")
    keep_bodies: Literal["all", "failed", "none"] = Field(
        "failed", description="answers kept whole in the ledger"
    )
    bom: bool = Field(True, description="CSV files begin with a BOM, so that Excel reads Korean")
    log_content: bool = Field(False, description="prompts and answers go into the detail log")
    logs: Path = Field(Path("logs"), description="folder of the log files")
    seed: int = Field(0, description="seed of jitter and of made-up questions")

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        if not value.isprintable() or " " in value:
            raise ValueError("an address holds no spaces and no line breaks")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as https://api.openai.com/v1 is needed")
        if parts.port == 0:  # reading it raises ValueError for what is no port at all
            raise ValueError("port 0 is none")
        if parts.query or parts.fragment:
            raise ValueError("an address ends before ? and #")
        if "@" in parts.netloc:
            raise ValueError("an address holds no password; the key goes into OPENAI_API_KEY")
        return parts.geturl().rstrip("/")  # its scheme in lower case

    @field_validator("price", mode="before")
    @classmethod
    def _split_price(cls, value: Any) -> Any:
        """`0.1,0.5` without, `0.1,0.01,0.5` with a price of cached input."""
        if not isinstance(value, str):
            return value
        parts = value.split(",")
        if len(parts) not in (2, 3):
            raise ValueError("two or three numbers are needed: IN,OUT or IN,CACHED,OUT")
        return parts if len(parts) == 3 else (parts[0], *parts)

    @field_validator("api_key")
    @classmethod
    def _check_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError("it holds a space, a quote or another character that no key has")
        return value

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Settings":
        """Validate.

        Raises:
            UsageError: A value is out of bounds or a name is unknown; says which.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = "--" + str(first["loc"][0]).removesuffix("_s").removesuffix("_usd").replace(
                "_", "-"
            )
            secret = first["loc"][0] == "api_key" or "@" in str(first["input"])
            if first["loc"][0] == "api_key":
                name = "OPENAI_API_KEY"
            hidden = first["type"] == "extra_forbidden" or secret
            given = "" if hidden else f" (given: {first['input']!r})"
            told = first["msg"].removeprefix("Value error, ")
            raise UsageError(
                f"{name}: {told[0].lower()}{told[1:]}{given}",
                way_out="See processor run --help.",
            ) from None

    @property
    def local(self) -> bool:
        """Whether the API is on this machine."""
        return self.host in LOCAL_HOSTS

    @property
    def host(self) -> str:
        """Host of the API."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def provider_is_other(self) -> bool:
        """Whether the API is not OpenAI's, although nothing else was said."""
        return self.provider == "openai" and self.base_url != DEFAULT_BASE_URL

    def public(self) -> dict[str, Any]:
        """Everything but the secrets, as JSON values."""
        return self.model_dump(mode="json", exclude={"api_key"})
