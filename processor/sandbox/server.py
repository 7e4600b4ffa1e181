"""The server: an application on a socket of the loopback interface."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from aiohttp import web
from aiohttp.http import HttpProcessingError

from processor.sandbox.app import build_app
from processor.sandbox.clock import Clock, ManualClock
from processor.sandbox.config import ConfigError, SandboxConfig
from processor.sandbox.pandoc import find_pandoc
from processor.sandbox.storage.folder import latest_s

HOST = "127.0.0.1"
# Requests in hand at the end get this long.
_GRACE_S = 0.2
_BACKLOG = 1024


@asynccontextmanager
async def running(
    config: SandboxConfig,
    clock: Clock | None = None,
    *,
    port: int = 0,
    access_log: Path | None = None,
) -> AsyncIterator[str]:
    """A server in this process, over a real socket.

    Args:
        config: Every option.
        clock: What it waits and measures by; the machine's when none is given.
        port: 0 for any free one.
        access_log: Gets a line for each request; None for none.

    Yields:
        The base URL, such as `http://127.0.0.1:8000/v1`.

    Raises:
        ConfigError: The port is in use, or the log cannot be written.
        FaultError: A fault of the configuration is unknown.
    """
    app = build_app(config, clock)
    with _access_log(access_log) as log, _listen(port) as listener:
        # Compressed bodies are refused, so that none can be a bomb.
        runner = web.AppRunner(
            app,
            access_log=log,
            logger=_error_log(),
            shutdown_timeout=_GRACE_S,
            auto_decompress=False,
        )
        try:
            await runner.setup()
            await web.SockSite(runner, listener, backlog=_BACKLOG).start()
            yield f"http://{HOST}:{listener.getsockname()[1]}/v1"
        finally:
            await runner.cleanup()


def serve(
    config: SandboxConfig,
    *,
    port: int,
    manual_clock: bool = False,
    until_stdin_closes: bool = False,
    access_log: Path | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or, if so told, the end of standard input.

    Raises:
        ConfigError: The port is in use, or the log cannot be written.
        FaultError: A fault of the configuration is unknown.
    """
    if find_pandoc() is None:
        print(
            "warning: mathml questions will be answered with status 500: pandoc is missing; "
            "pip install 'request-processor[sandbox]'",
            file=sys.stderr,
        )

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if until_stdin_closes:
            _stop_at_end_of_stdin(loop, stop)
        clock = _manual_clock(config) if manual_clock else None
        async with running(config, clock, port=port, access_log=access_log) as url:
            print(f"listening on {url}", flush=True)
            await stop.wait()

    with asyncio.Runner(loop_factory=_fast_loop) as runner:
        runner.run(main())


def _manual_clock(config: SandboxConfig) -> ManualClock:
    """A clock that stands where an earlier life of the state's left off."""
    start_s = latest_s(config.state)
    return ManualClock(float(int(time.time())) if start_s is None else start_s)


def _fast_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop, where that installs."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        message = f"port {port} cannot be used: {reason}; --port 0 takes any free one"
        raise ConfigError(message) from error
    return listener


@contextmanager
def _access_log(path: Path | None) -> Iterator[logging.Logger | None]:
    if path is None:
        yield None
        return
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the access log cannot be written: {error}") from error
    log = logging.getLogger("processor.sandbox.access")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    try:
        yield log
    finally:
        log.removeHandler(handler)
        handler.close()


def _error_log() -> logging.Logger:
    log = logging.getLogger("processor.sandbox.server")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether the server failed: bytes that are no HTTP are their sender's affair."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _stop_at_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Watch standard input from a thread: event loops watch pipes only, not files or terminals."""

    def watch() -> None:
        # A standard input that cannot be read has closed, too.
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="stdin", daemon=True).start()
