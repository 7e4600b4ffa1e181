"""Every knob once: its name, its unit, its bounds, its default."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from processor.access import (
    OPENAI_URL,
    ORGANIZATION,
    PROJECT,
    Access,
    key_header,
    names_deployment,
    without_password,
)
from processor.addressee import NOBODY, shown
from processor.errors import UsageError
from processor.occasion import USUAL, Occasion
from processor.setting_names import nearest, option_of
from processor.setting_values import addresses, is_proxy, pair, price_parts

DEFAULT_BASE_URL = OPENAI_URL
# https://developers.openai.com/api/docs/guides/flex-processing advises fifteen minutes.
FLEX_TIMEOUT_S = 900.0
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
SECRETS = frozenset({"api_key", "headers", "notify", "proxy"})
# Visible ASCII without quotes, which are a shell's or an editor's.
_KEY = re.compile("[!#-&(-~]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_ACCOUNT = re.compile(r"[\w.-]+", re.ASCII)
# What HTTP and JSON need; another value of it would break the call.
_OWN_HEADERS = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "content-type", "expect", "host"),
        *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_Typed = Annotated[str, Field(coerce_numbers_to_str=True)]


class Settings(BaseModel):
    """What is in force for a run. Frozen; `Settings.of` validates."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    api_key: SecretStr | None = Field(None, description="key of the provider")
    base_url: str = Field(DEFAULT_BASE_URL, description="where the API is")
    api_version: str | None = Field(
        None, description="dated version of Azure's API; without one Azure is asked at /openai/v1"
    )
    organization: str | None = Field(None, description="organisation that is charged (org-…)")
    project: str | None = Field(None, description="project that is charged (proj_…)")
    headers: tuple[tuple[str, SecretStr], ...] = Field(
        (), description="further headers of every call"
    )
    proxy: SecretStr | None = Field(
        None, description="proxy to the provider; the environment's by default"
    )
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
        120,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds a call may take in all; at flex 900 by default",
    )
    give_up_s: float = Field(
        300, ge=0, allow_inf_nan=False, description="seconds without the provider before stopping"
    )
    route: Literal["auto", "direct", "flex", "batch", "hybrid"] = Field(
        "auto", description="lane that items take"
    )
    deadline: str | None = Field(
        None, min_length=1, description="when it is to be done: 2h, 18:00, 2026-11-22 06:00"
    )
    flex_patience_s: float = Field(
        600,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds an item waits where flex has no room for it",
    )
    urgent: bool = Field(False, description="somebody waits: everything goes directly")
    urgent_field: str | None = Field(
        None, min_length=1, description="column whose yes sends a row directly"
    )
    direct_first: int = Field(
        0, ge=0, description="rows that go directly while the rest goes by batch"
    )
    shard_size: int | None = Field(
        None, ge=1, le=50_000, description="requests per batch job; as many as fit by default"
    )
    grace_s: float = Field(
        120,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds that a batch is looked for before another is made",
    )
    rounds: int = Field(3, ge=1, le=100, description="batches an item may be in before it fails")
    fallback: Literal["none", "direct"] = Field(
        "none", description="lane of items that a batch or flex did not answer"
    )
    validating_most_s: float = Field(
        10_800,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds a batch may be validated before its items go directly",
    )
    description: str = Field("", max_length=512, description="of batch jobs, at the provider")
    budget_usd: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that the run may spend in all"
    )
    price: tuple[Price, Price, Price] | None = Field(
        None, description="US dollars per million tokens: input, cached input, output"
    )
    limit: int | None = Field(None, ge=1, description="items not done yet that are taken at most")
    repeat: int | None = Field(
        None, ge=1, le=1_000, description="items that each row becomes; one by default"
    )
    only: tuple[tuple[Annotated[str, Field(min_length=1)], _Typed], ...] = Field(
        (), description="columns and the values of the rows that are meant; by default all are"
    )
    min_success: float = Field(
        1, ge=0, le=1, allow_inf_nan=False, description="share of successes that exits with 0"
    )
    skip_invalid: bool = Field(False, description="leave bad rows out instead of refusing")
    output_patience_s: float = Field(
        120,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds at the end for a database that is away",
    )
    keep_bodies: Literal["all", "failed", "none"] = Field(
        "failed", description="answers kept whole in the ledger"
    )
    excel: bool = Field(
        False, description="in CSV files, cells that begin like formulas are made harmless"
    )
    bom: bool = Field(True, description="CSV files begin with a BOM, so that Excel reads Korean")
    log_content: bool = Field(False, description="prompts and answers go into the detail log")
    logs: Path = Field(Path("logs"), description="folder of the log files")
    seed: int = Field(0, description="seed of jitter and of made-up questions")
    notify: tuple[SecretStr, ...] = Field((), description="who is told how it ends")
    notify_on: tuple[Occasion, ...] = Field(USUAL, description="what they are told of")

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
        return price_parts(value) if isinstance(value, str) else value

    @field_validator("api_key")
    @classmethod
    def _check_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError("it holds a space, a quote or another character that no key has")
        return value

    @field_validator("api_version", "organization", "project")
    @classmethod
    def _check_word(cls, value: str | None) -> str | None:
        if value is not None and not _ACCOUNT.fullmatch(value):
            raise ValueError("letters, digits, dots, - and _ are meant")
        return value

    @field_validator("proxy")
    @classmethod
    def _check_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_proxy(value.get_secret_value()):
            raise ValueError(
                "http://HOST:PORT or http://USER:PASSWORD@HOST:PORT is needed, which carries "
                "https, too; in a password %23 stands for #, %2F for / and %40 for @"
            )
        return value

    @field_validator("headers", "only", mode="before")
    @classmethod
    def _split_pairs(cls, value: Any) -> Any:
        """A mapping of names to a value or a list of some, or `NAME=VALUE` each."""
        if isinstance(value, Mapping):
            return tuple(
                (name, one)
                for name, some in value.items()
                for one in (some if isinstance(some, (list, tuple)) else [some])
            )
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValueError("NAME=VALUE is needed")  # noqa: TRY004 - pydantic's way
        return tuple(pair(each) if isinstance(each, str) else each for each in value)

    @field_validator("headers")
    @classmethod
    def _check_headers(
        cls, value: tuple[tuple[str, SecretStr], ...]
    ) -> tuple[tuple[str, SecretStr], ...]:
        seen = set[str]()
        for name, secret in value:
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError("a name holds letters, digits and - only, and = ends it")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name} is set by the program itself")
            if name.lower() in seen:
                raise ValueError(f"{name} is given twice")
            if not _HEADER_VALUE.fullmatch(secret.get_secret_value()):
                raise ValueError(
                    f"the value of {name} is empty, or holds line breaks or other than ASCII"
                )
            seen.add(name.lower())
        return value

    @field_validator("notify", mode="before")
    @classmethod
    def _split_notify(cls, value: Any) -> Any:
        """An address, some between spaces, a list of such, or `none`."""
        given = [value] if isinstance(value, (str, SecretStr)) else value
        if not isinstance(given, Iterable) or isinstance(given, Mapping):
            raise ValueError("a list of addresses is needed")  # noqa: TRY004 - pydantic's way
        texts = (each.get_secret_value() if isinstance(each, SecretStr) else each for each in given)
        found = list(dict.fromkeys(address for text in texts for address in addresses(text)))
        if NOBODY in found and len(found) > 1:
            raise ValueError(f"{NOBODY} stands alone")
        return () if found == [NOBODY] else tuple(found)

    @field_validator("notify_on", mode="before")
    @classmethod
    def _split_notify_on(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",")] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.deadline is not None and self.route in ("batch", "flex"):
            raise ValueError(
                f"--deadline goes with --route auto, hybrid or direct, not {self.route}"
            )
        access = self.access
        taken = set[str]()
        if self.organization is not None:
            taken.add(ORGANIZATION)
        if self.project is not None:
            taken.add(PROJECT)
        if access.api_key is not None:
            taken |= {*key_header("", azure=True), *key_header("", azure=False)}
        lower = {name.lower() for name in taken}
        for name, _ in self.headers:
            if name.lower() in lower:
                raise ValueError(f"the header {name} is given beside the setting that it is for")
        if self.urgent and self.route == "batch":
            raise ValueError("--urgent and --route batch exclude each other")
        if self.route == "flex" and (self.urgent or self.urgent_field or self.direct_first):
            raise ValueError(
                "with --route flex every row may wait: --urgent, --urgent-field and --direct-first "
                "are for --route auto and batch"
            )
        if names_deployment(self.base_url) and self.api_version is None:
            raise ValueError("the address of a deployment on Azure needs --api-version")
        return self

    def by_batch(self) -> Self:
        """The same for a start that goes on by batch, whoever waits."""
        return self.model_copy(update={"route": "batch", "urgent": False})

    @property
    def may_batch(self) -> bool:
        """Whether work may go by batch."""
        return self.route in ("auto", "batch", "hybrid") and not self.urgent

    @property
    def is_of_openai(self) -> bool:
        """Whether the provider is known to have what OpenAI has."""
        return self.provider in ("openai", "sandbox") or self.access.is_azure

    def timeout_at(self, tier: str | None) -> float:
        """Seconds that a direct call may take in all at a service tier; flex is slow."""
        is_given = "timeout_s" in self.model_fields_set
        return FLEX_TIMEOUT_S if tier == "flex" and not is_given else self.timeout_s

    @classmethod
    def of(
        cls, values: Mapping[str, Any], places: Mapping[str, str] = MappingProxyType({})
    ) -> "Settings":
        """Validate.

        Args:
            values: Names of settings to values.
            places: Name to the place that a value was read from, for the message; by default
                that of the option.

        Raises:
            UsageError: A value is out of bounds or a name is unknown; says which.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            raise UsageError(
                _complaint(name, places.get(name) or option_of(name), first),
                way_out="See processor settings and processor run --help.",
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

    @property
    def access(self) -> Access:
        """How the provider is reached."""
        return Access(
            base_url=self.base_url,
            api_key=self.api_key.get_secret_value() if self.api_key else None,
            headers=tuple((name, value.get_secret_value()) for name, value in self.headers),
            organization=self.organization,
            project=self.project,
            api_version=self.api_version,
            proxy=self.proxy.get_secret_value() if self.proxy else None,
        )

    @property
    def addressees(self) -> tuple[str, ...]:
        """Who is told how a run goes; as secret as a key."""
        return tuple(each.get_secret_value() for each in self.notify)

    def public(self) -> dict[str, Any]:
        """As JSON values without secrets: headers by name, a proxy without password."""
        told = self.model_dump(mode="json", exclude=set(SECRETS))
        proxy = without_password(self.proxy.get_secret_value()) if self.proxy else None
        return {
            **told,
            "headers": [name for name, _ in self.headers],
            "proxy": proxy,
            "notify": [shown(address) for address in self.addressees],
        }


def _complaint(name: str, called: str, first: Mapping[str, Any]) -> str:
    """What is wrong with a value, without what may be a secret in it."""
    if first["type"] == "extra_forbidden":
        return f"{called}: there is no such setting{nearest(name, Settings.model_fields)}"
    hidden = name in SECRETS or name == "" or "@" in str(first["input"])
    given = "" if hidden else f" (given: {first['input']!r})"
    told = first["msg"].removeprefix("Value error, ")
    first_mark = told[0] if told[1:2].isupper() else told[0].lower()  # a NAME stays one
    return f"{called}: {first_mark}{told[1:]}{given}"
