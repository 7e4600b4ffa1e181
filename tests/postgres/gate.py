"""A TCP port before the socket of a database's server, which can be shut or break off."""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

_BLOCK_BYTES = 1 << 16


@dataclass(slots=True)
class Gate:
    """Lets through what comes.

    Attributes:
        cuts: After how many bytes of the server's the next connections break off, one each; when
            none is left they do not.
        connections: How many there were.
    """

    target: str
    listener: socket.socket
    cuts: deque[int] = field(default_factory=deque)
    connections: int = 0

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def uri(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def shut(self) -> None:
        """Refuse whoever comes from now on."""
        with suppress(OSError):  # which wakes who waits for connections
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            cut = self.cuts.popleft() if self.cuts else None
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            for source, sink, most in ((client, server, None), (server, client, cut)):
                threading.Thread(target=_pump, args=(source, sink, most), daemon=True).start()


@contextmanager
def gate_before(target: str) -> Iterator[Gate]:
    listener = socket.create_server(("127.0.0.1", 0))
    gate = Gate(target, listener)
    thread = threading.Thread(target=gate.serve, name="gate", daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.shut()
        thread.join()


def _pump(source: socket.socket, sink: socket.socket, most: int | None) -> None:
    """Pass on what comes; both ends are closed after `most` bytes, or when one of them is."""
    left = most
    with suppress(OSError):
        while block := source.recv(_BLOCK_BYTES):
            sink.sendall(block if left is None else block[:left])
            if left is not None:
                left -= len(block)
                if left <= 0:
                    break
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
