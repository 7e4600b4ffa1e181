"""Where a database is, and who asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from processor.errors import UsageError
from processor.postgres.table_name import TableName

__all__ = ["Address"]

_TABLE = "table"
_PORT = "5432"
_PASSWORD_IN_HOST = re.compile("[^,]@")  # a host that begins with @ is a socket without a file
# Used where neither the URI nor the environment says anything. A server that has vanished from
# the network is noticed within a minute, not after the system's two hours.
_DEFAULTS: Mapping[str, str] = {
    "fallback_application_name": "processor",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database's URI, read as libpq reads it; never shows its password.

    Attributes:
        parameters: Of the connection, by libpq's names.
        table: What `?table=` names, which is ours and not libpq's.
    """

    parameters: Mapping[str, str] = field(repr=False)
    table: TableName | None = None

    @classmethod
    def of(cls, uri: str) -> "Address":
        """The address that a URI is.

        Args:
            uri: `postgresql://user:password@host:port/database?sslmode=require&table=questions`,
                each part optional.

        Raises:
            UsageError: It is none, or its table's name is none; shows nothing of it.
        """
        base, table = _without_table(uri)
        try:
            found = conninfo_to_dict(base)
        except ProgrammingError:  # its words quote the URI, and so the password
            raise _unreadable() from None
        parameters = {name: str(value) for name, value in found.items()}
        # Without a host, USER:PASSWORD reads as one with its port; behind a NUL nothing is read;
        # what follows an @ in a password reads as a part of the host.
        odd_port = parameters.get("port", "").strip("0123456789,")
        if "\0" in uri or odd_port or _PASSWORD_IN_HOST.search(parameters.get("host", "")):
            raise _unreadable()
        return cls(parameters=parameters, table=TableName.of(table) if table else None)

    @property
    def name(self) -> str:
        """For messages: `postgresql://ann@db.example.org/school`."""
        given = self.parameters
        user = f"{given['user']}@" if "user" in given else ""
        port = "" if self._port == _PORT else f":{self._port}"
        return f"postgresql://{user}{self._host}{port}/{self._database}"

    @property
    def uri(self) -> str:
        """Which database it is, whoever asks: `postgresql://db.example.org:5432/school`.

        Another password, role or way of encryption makes no other database of it.
        """
        return f"postgresql://{self._host}:{self._port}/{self._database}"

    @property
    def conninfo(self) -> str:
        """What libpq takes; holds the password."""
        surroundings = _surroundings()
        defaults = {name: value for name, value in _DEFAULTS.items() if name not in surroundings}
        return make_conninfo("", **{**defaults, **self.parameters})

    @property
    def _host(self) -> str:
        given = self.parameters
        host = given.get("host") or given.get("hostaddr")
        if host is None and "service" in given:
            host = f"service={given['service']}"
        return (host or self._default("host", "localhost")).replace("/", "%2F")

    @property
    def _port(self) -> str:
        given = self.parameters.get("port", "").strip(",")  # of several hosts none may have one
        return given or self._default("port", _PORT)

    @property
    def _database(self) -> str:
        given = self.parameters
        name = given.get("dbname") or self._default("dbname", "")
        return name or given.get("user") or self._default("user", "")

    def _default(self, parameter: str, otherwise: str) -> str:
        return _surroundings().get(parameter) or otherwise


def _surroundings() -> Mapping[str, str]:
    """What libpq uses for parameters that are not given: PGHOST and the like, services."""
    return {
        option.keyword.decode(): option.val.decode()
        for option in Conninfo.get_defaults()
        if option.val
    }


def _unreadable() -> UsageError:
    return UsageError(
        "the address of the database cannot be read",
        way_out="Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in the password % is %25, "
        "@ is %40, / is %2F, : is %3A, ? is %3F, # is %23.",
    )


def _without_table(uri: str) -> tuple[str, str]:
    base, _, query = uri.partition("?")
    words = query.split("&") if query else []
    tables = [word for word in words if word.partition("=")[0] == _TABLE]
    rest = "&".join(word for word in words if word not in tables)
    table = unquote(tables[-1].partition("=")[2]) if tables else ""
    return f"{base}?{rest}" if rest else base, table
