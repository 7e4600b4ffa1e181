"""A real server that takes messages as chat services, webhooks and mail servers do."""

import asyncio
import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiohttp import web

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Letter:
    """What arrived: at which path, and the JSON object of its body."""

    path: str
    body: Any


@dataclass(slots=True)
class Mailroom:
    """Where messages go: what comes to `ok` is taken, `bad` refuses, `drip` never comes to an end;
    `words` takes no files.

    Attributes:
        port: Of HTTP.
        mail_port: Of SMTP.
        letters: What came by HTTP, in its order.
        mails: What came by SMTP.
        dripping: Set when somebody waits for `drip`.
    """

    port: int = 0
    mail_port: int = 0
    letters: list[Letter] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    dripping: threading.Event = field(default_factory=threading.Event)

    def address(self, route: str, scheme: str = "json") -> str:
        """The address of a route, as apprise writes it."""
        return f"{scheme}://127.0.0.1:{self.port}/{route}"

    def events(self) -> list[str]:
        """What the webhooks were told of."""
        return [letter.body["event"] for letter in self.letters if "event" in letter.body]

    async def _take(self, request: web.Request) -> web.Response:
        letter = Letter(request.path, json.loads(await request.text()))
        if "/words" in request.path and letter.body["attachments"]:
            return web.Response(status=413)
        self.letters.append(letter)
        return web.Response(text="ok")

    async def _refuse(self, _: web.Request) -> web.Response:
        return web.Response(status=500, text="it is broken")

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.dripping.set()
        while True:
            await response.write(b".")
            await asyncio.sleep(0.05)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of SMTP as a client needs that sends one mail."""
        writer.write(b"220 mailroom\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                text = await reader.readuntil(b"\r\n.\r\n")
                mail = email.message_from_bytes(text[:-3], policy=email.policy.default)
                self.mails.append(mail)
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                break
        writer.close()

    async def serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        """Until it is told to end."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{way:.*}", self._route)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        mail = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = runner.addresses[0][1]
        self.mail_port = mail.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        mail.close()
        await runner.cleanup()

    async def _route(self, request: web.Request) -> web.StreamResponse:
        if "/bad" in request.path:
            return await self._refuse(request)
        return await (self._drip if "/drip" in request.path else self._take)(request)


@contextmanager
def mailroom() -> Iterator[Mailroom]:
    """One that is open meanwhile."""
    room, ready, loop, ended = (
        Mailroom(),
        threading.Event(),
        asyncio.new_event_loop(),
        asyncio.Event(),
    )

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(room.serve(ready, ended))
        loop.close()

    thread = threading.Thread(target=work, name="mailroom")
    thread.start()
    assert ready.wait(_PATIENCE_S)
    try:
        yield room
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
