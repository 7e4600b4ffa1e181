"""What the client library says of connections, sorted: ours, or a matter of patience."""

import psycopg
import pytest

from processor.postgres import trouble

_SERVER = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: '

TOLD = [
    (_SERVER + "Connection refused\n\tIs the server running?", "Connection refused", True),
    (_SERVER + "FATAL:  the database system is starting up", "starting up", True),
    (_SERVER + "FATAL:  the database system is not yet accepting connections", "accepting", True),
    (_SERVER + "FATAL:  sorry, too many clients already", "too many clients", True),
    ("connection timeout expired", "timeout expired", True),
    ("failed to resolve host 'db': [Errno -2] Name or service not known", "resolve", True),
    ("consuming input failed: server closed the connection unexpectedly\n\tThis", "closed", True),
    ("consuming input failed: SSL SYSCALL error: EOF detected", "EOF", True),
    ("the connection is lost", "lost", True),
    ("", "the connection is lost", True),
    (_SERVER + 'FATAL:  password authentication failed for user "ann"', "password", False),
    (_SERVER + 'FATAL:  database "closed" does not exist', '"closed"', False),
    (_SERVER + 'FATAL:  role "reset" does not exist', '"reset"', False),
    (_SERVER + "server does not support SSL, but SSL was required", "SSL", False),
    (_SERVER + "SSL error: certificate verify failed", "certificate", False),
    (_SERVER + 'FATAL:  no pg_hba.conf entry for host "10.0.0.2"', "pg_hba.conf", False),
    (_SERVER + '심각:  "ann" 롤이 없음', "롤이 없음", False),
    ("bad value for connect_timeout: 'abc'", "connect_timeout", False),
]


@pytest.mark.parametrize(("said", "message", "passing"), TOLD)
def test_what_is_said_of_a_connection(said: str, message: str, *, passing: bool) -> None:
    told = trouble.of(psycopg.OperationalError(said))
    assert message in told.message
    assert "\n" not in told.message
    assert "connection to server" not in told.message
    assert told.passing is passing


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.CrashShutdown, True),
        (psycopg.errors.CannotConnectNow, True),
        (psycopg.errors.SerializationFailure, True),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.IdleInTransactionSessionTimeout, True),
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.ReadOnlySqlTransaction, False),
        (psycopg.errors.InsufficientPrivilege, False),
        (psycopg.errors.UndefinedTable, False),
    ],
)
def test_what_a_server_s_code_says(error: type[psycopg.Error], *, passing: bool) -> None:
    assert trouble.of(error("Something went wrong")).passing is passing


def test_a_message_is_one_line_whatever_value_it_quotes() -> None:
    said = 'invalid input syntax for type integer: "' + "첫 줄\n둘째 줄 " * 100 + '"'
    told = trouble.of(psycopg.errors.InvalidTextRepresentation(said)).message
    assert told.startswith('invalid input syntax for type integer: "첫 줄 둘째 줄 ')
    assert (len(told), "\n" in told) == (300, False)
