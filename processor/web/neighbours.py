"""Other users of this machine: its loopback interface is everybody's, a run folder is not.

Linux tells which user has the other end of a connection. Where nothing tells, whoever is on the
machine may look.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from weakref import WeakKeyDictionary

_CONNECTIONS = Path("/proc/net/tcp")
_ROOT = 0
Address = tuple[str, int]


class Neighbours:
    """Tells who is a stranger.

    Args:
        own: Users who may look.
    """

    def __init__(self, own: frozenset[int]) -> None:
        self._own = own
        self._seen: WeakKeyDictionary[asyncio.BaseTransport, bool] = WeakKeyDictionary()

    def is_stranger(self, connection: asyncio.BaseTransport) -> bool:
        """Whether another user has the other end; looked up once a connection."""
        if connection not in self._seen:
            user = _user(connection)
            self._seen[connection] = user is not None and user not in self._own
        return self._seen[connection]


def own_users() -> frozenset[int]:
    """Who may look: whoever started this, also by sudo, and root."""
    if not hasattr(os, "getuid"):
        return frozenset()
    told = os.environ.get("SUDO_UID", "")
    by_sudo = {int(told)} if told.isascii() and told.isdigit() else set[int]()
    return frozenset({_ROOT, os.getuid()} | by_sudo)


def user_of(table: Iterable[str], client: Address, server: Address) -> int | None:
    """The user of a connection's client, as the system's table of connections tells it."""
    ends = [_written(client), _written(server)]
    lines = (line.split() for line in table)
    return next((int(line[7]) for line in lines if line[1:3] == ends), None)


def _user(connection: asyncio.BaseTransport) -> int | None:
    client, server = connection.get_extra_info("peername"), connection.get_extra_info("sockname")
    try:
        with _CONNECTIONS.open() as table:
            return user_of(table, client[:2], server[:2])
    except (OSError, TypeError):  # it is closed by now, or this is no Linux
        return None


def _written(address: Address) -> str:
    """As the table has it: the number of the host in the order of the machine's bytes."""
    (host,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{host:08X}:{address[1]:04X}"
