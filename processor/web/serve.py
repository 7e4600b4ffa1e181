"""The server: an application on a socket of the loopback interface."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from processor.console import streams
from processor.errors import UsageError
from processor.web.app import build_app
from processor.web.shared import Beat

HOST = "127.0.0.1"
USUAL_PORT = 8765
USUAL_BEAT = Beat()
_GRACE_S = 0.2  # for what is being answered at the end
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def serve(folders: Sequence[Path], *, port: int | None, open_browser: bool) -> int:
    """Show runs as a page until SIGINT or SIGTERM; the address is the first line that is printed.

    Args:
        folders: Runs that are shown besides those in the usual place.
        port: Where; 0 for any that is free, None for the usual one or any.
        open_browser: Open the page, where there is something to see it with.

    Returns:
        The exit code.

    Raises:
        UsageError: The port is in use, or may not be used.
    """
    return asyncio.run(_serve(folders, port=port, open_browser=open_browser))


async def _serve(folders: Sequence[Path], *, port: int | None, open_browser: bool) -> int:
    stop = asyncio.Event()
    _stop_at_signals(stop)
    async with running(folders, port=port) as url:
        streams.say(url)
        streams.finish()
        if open_browser:
            _open(url)
        await stop.wait()
    return 0


@asynccontextmanager
async def running(
    folders: Sequence[Path], *, port: int | None, beat: Beat = USUAL_BEAT
) -> AsyncIterator[str]:
    """A server in this process.

    Args:
        folders: As for `serve`.
        port: As for `serve`.
        beat: How often it looks.

    Yields:
        The address of its page.

    Raises:
        UsageError: The port is in use, or may not be used.
    """
    with _listen(port) as listener:
        own = listener.getsockname()[1]
        runner = web.AppRunner(
            build_app(folders, own, beat),
            access_log=None,
            logger=_logger(),
            shutdown_timeout=_GRACE_S,
        )
        try:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            yield f"http://{HOST}:{own}/"
        finally:
            await runner.cleanup()


def _logger() -> logging.Logger:
    """Of mistakes of ours; requests that are none fill no terminal: any page can send them."""
    logger = logging.getLogger(__name__)
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _stop_at_signals(stop: asyncio.Event) -> None:
    if sys.platform == "win32":  # there Ctrl-C ends asyncio.run
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def _listen(port: int | None) -> socket.socket:
    if port is not None:
        return _bound(port)
    try:
        return _bound(USUAL_PORT)
    except UsageError:  # another page is there
        return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"port {port} cannot be used: {reason}", way_out="--port 0 takes any free one."
        ) from error
    return listener


def _open(url: str) -> None:
    """Open a page, unless it would be in this terminal."""
    if sys.platform not in {"win32", "darwin"} and not any(map(os.environ.get, _DISPLAYS)):
        streams.tell("There is no display here: open the address in a browser of your own.")
        return
    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
