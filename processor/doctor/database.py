"""The database that rows are read from when no input is named, and results written to."""

import asyncio
import time

from processor import postgres
from processor.doctor.finding import Finding, note, ok, skipped, wrong
from processor.errors import UsageError
from processor.extras import extra

VARIABLE = "DATABASE_URL"
_NAME = "database"


async def examine(uri: str | None) -> Finding:
    """Whether it is there and lets us in.

    Args:
        uri: What the variable holds; its password is shown nowhere.
    """
    if uri is None:
        return skipped(_NAME, f"{VARIABLE} is not set")
    if not postgres.is_address(uri):
        way_out = f"Write {VARIABLE}=postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        return wrong(_NAME, f"{VARIABLE} is no address of PostgreSQL", way_out)
    try:
        return await asyncio.to_thread(_met, uri)
    except UsageError as error:
        return wrong(_NAME, error.message, error.way_out)


def _met(uri: str) -> Finding:
    with extra(postgres.EXTRA):
        from processor.postgres.address import Address  # noqa: PLC0415 - comes with it
        from processor.postgres.server import Server, met  # noqa: PLC0415
    address = Address.of(uri)
    began_s = time.perf_counter()
    server = met(address)
    if not isinstance(server, Server):
        return wrong(
            _NAME, f"{address.name}: {server.message}", server.way_out, remote=server.passing
        )
    took_ms = (time.perf_counter() - began_s) * 1_000
    secrecy = "with TLS" if server.is_encrypted else "without TLS"
    said = f"{address.name} is PostgreSQL {server.version}, {secrecy} ({took_ms:.0f} ms)"
    if server.takes_writes:
        return ok(_NAME, said)
    return note(_NAME, f"{said}; takes no writes", "Results cannot go there: --no-write-back.")
