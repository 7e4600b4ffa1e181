"""Which user has the other end of a connection."""

import asyncio
import os
from pathlib import Path

import pytest

from processor.web.neighbours import Neighbours, own_users, user_of

TELLS = Path("/proc/net/tcp").exists()
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:223D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41 1
   1: 0100007F:223D 0100007F:9AA0 01 00000000:00000000 00:00000000 00000000  1000        0 42 1
   2: 0100007F:9AA0 0100007F:223D 01 00000000:00000000 00:00000000 00000000  1001        0 43 1
   3: 0100007F:9AA1 0100007F:223D 06 00000000:00000000 03:00000000 00000000     0        0 0 3
"""


@pytest.mark.parametrize(
    ("port", "user"),
    [pytest.param(0x9AA0, 1001, id="open"), pytest.param(0x9AA2, None, id="not there")],
)
def test_the_table_of_connections_is_read_as_linux_writes_it(port: int, user: int | None) -> None:
    found = user_of(TABLE.splitlines(), ("127.0.0.1", port), ("127.0.0.1", 0x223D))
    assert found == user


def test_a_real_connection_belongs_to_who_made_it() -> None:
    async def main() -> None:
        met: asyncio.Queue[asyncio.BaseTransport] = asyncio.Queue()

        async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.put_nowait(writer.transport)

        async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            connection = await met.get()
            others = Neighbours(frozenset({os.getuid() + 1}))
            assert not Neighbours(own_users()).is_stranger(connection)
            assert others.is_stranger(connection) == TELLS
            writer.close()
            connection.close()

    asyncio.run(main())


def test_who_started_it_by_sudo_may_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "1234")
    assert own_users() == {0, 1234, os.getuid()}
    monkeypatch.setenv("SUDO_UID", "x")
    assert own_users() == {0, os.getuid()}
