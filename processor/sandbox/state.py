"""What a running sandbox holds."""

import secrets
from dataclasses import replace
from typing import Any, TypeVar

from aiohttp import web

from processor.sandbox.clock import Clock
from processor.sandbox.config import ConfigError, SandboxConfig, option_names
from processor.sandbox.faults.book import FaultBook
from processor.sandbox.limits import Limits
from processor.sandbox.pandoc import Converter
from processor.sandbox.stats import Stats
from processor.sandbox.storage.folder import Storage
from processor.sandbox.stored import Stored

T = TypeVar("T")

_MOST_KEPT = 1_000
_LIMIT_OPTIONS = frozenset(
    (
        *("rpm", "tpm", "rpd", "limit_kind", "other_client"),
        *("uploads_per_minute", "creations_per_hour"),
    )
)


class Sandbox:
    """What a running sandbox holds.

    Raises:
        FaultError: A fault of the configuration is unknown.
    """

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.limits = Limits(config)
        self.faults = FaultBook(config.seed, config.faults)
        self.stats = Stats()
        self.converter = Converter()
        self.responses: dict[str, dict[str, Any]] = {}
        self.completions: dict[str, Stored] = {}
        self._storage: Storage | None = None
        self._session = secrets.token_hex(8)
        self._ids = 0

    @property
    def storage(self) -> Storage:
        """What is kept on disk; made when it is first asked for.

        Raises:
            ConfigError: The folder cannot be used.
        """
        if self._storage is None:
            self._storage = Storage(self.config.state)
            self._restore(self._storage)
        return self._storage

    def close(self) -> None:
        """Give the folder free."""
        if self._storage is not None:
            self._storage.close()

    def _restore(self, storage: Storage) -> None:
        """Count what was charged in an earlier life."""
        self.stats.restore_totals(*storage.charges.tokens())
        for item, received, paid in storage.charges.items():
            self.stats.restore(item, received, paid)

    def new_id(self) -> str:
        """Sixteen bytes in hexadecimal that no other response has."""
        self._ids += 1
        return f"{self._session}{self._ids:016x}"

    def keep_response(self, body: dict[str, Any]) -> None:
        """Keep a response to be fetched again; the oldest goes when there are too many."""
        _keep(self.responses, body["id"], body)

    def keep_completion(self, stored: Stored) -> None:
        """The same of a chat completion."""
        _keep(self.completions, stored.body["id"], stored)

    def change(self, options: dict[str, Any]) -> None:
        """Change options while it runs; changed limits begin anew.

        Raises:
            ConfigError: An option is unknown or cannot be.
        """
        unknown = options.keys() - option_names()
        if unknown:
            raise ConfigError(f"no option {min(unknown)!r}")
        if isinstance(options.get("models"), list):
            options = {**options, "models": tuple(options["models"])}
        self.config = replace(self.config, **options)
        if options.keys() & _LIMIT_OPTIONS:
            self.limits = Limits(self.config)


def _keep(kept: dict[str, T], name: str, value: T) -> None:
    kept[name] = value
    if len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]


SANDBOX = web.AppKey("sandbox", Sandbox)
