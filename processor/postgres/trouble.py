"""What went wrong with a database, in words."""

import re
from dataclasses import dataclass

import psycopg

__all__ = ["Trouble", "of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a database did not do what it was asked.

    Attributes:
        message: What is wrong, without secrets, said so that it reads on after the name of the
            database and a colon.
        way_out: What to do about it; may be empty.
        passing: Whether the same may succeed after a while.
    """

    message: str
    way_out: str = ""
    passing: bool = False


_AWAY = "Is the server running, and are host and port right?"
_LATER = "The same command goes on, once the server is back."
_PASSWORD = "Mend it in the address, in PGPASSWORD or in ~/.pgpass."  # noqa: S105 - words for people
_TLS = "Mend sslmode and sslrootcert in the address (?sslmode=verify-full&sslrootcert=ca.pem)."
_GRANT = "Ask the owner of the database to grant it."

_MESSAGE_CHARS = 300

# Classes of SQLSTATE, or whole codes, with what they mean to us.
_LOST = ("08", "57P", "40001", "40P01", "53300", "25P03")
_BY_CODE = {
    # A database of the encoding SQL_ASCII holds what nobody has checked.
    "22021": "Recode it in the query: "
    "convert_from(convert(column::bytea, 'UHC', 'UTF8'), 'SQL_ASCII').",
    "25006": "Only a query that reads is run: SELECT, without FOR UPDATE.",
    "42501": _GRANT,
    "55P03": "Somebody holds a lock on the table; the same command goes on, once it is free.",
    "57014": "Mend the query, or raise the limit: ?options=-c%20statement_timeout%3D0 in the "
    "address.",
}
# It has a code of lost connections: poolers say so of servers that they lost.
_PARAMETER_WORDS = "bind message supplies"
_NO_PARAMETERS = Trouble(
    message="the query has a parameter ($1), which nothing fills",
    way_out="Write the value itself into the query.",
)
# What a server says before anybody is let in carries no code. First what is surest.
_BY_WORDS = (
    ("password authentication failed|no password supplied|role .*does not exist", _PASSWORD),
    ("database .*does not exist", "Name another: postgresql://HOST/DATABASE."),
    ("pg_hba", "The server's pg_hba.conf lets this user not in from here; ask its owner."),
    ("permission denied", _GRANT),
)
_TLS_WORDS = re.compile("SSL|certificate")
_QUOTED = re.compile('"[^"]*"')
_BUSY_WORDS = re.compile(
    "starting up|shutting down|in recovery|not (yet )?accepting|too many|connection slots"
)
_AWAY_WORDS = re.compile(
    "refused|timeout expired|timed out|resolve|No such file|unreachable|No route|closed|reset"
    "|terminat|connection is lost|broken|EOF"
)
_PREFIXES = re.compile(
    r"connection (failed|is bad): |consuming input failed: |(FATAL|ERROR): +"
    r"|connection to server (at|on) .*? failed: "
)


def of(error: psycopg.Error) -> Trouble:
    """What an error of the client library says."""
    if error.sqlstate is None:
        return _of_connection(str(error))
    diagnosis = error.diag
    message = diagnosis.message_primary or str(error)
    if message.startswith(_PARAMETER_WORDS):
        return _NO_PARAMETERS
    way_out = _BY_CODE.get(error.sqlstate) or _sentence(diagnosis.message_hint)
    passing = error.sqlstate.startswith(_LOST)
    return Trouble(
        message=_begun_small(_line(message)),
        way_out=way_out or (_LATER if passing else ""),
        passing=passing,
    )


def _of_connection(text: str) -> Trouble:
    """What libpq says where no server gave a code; its first line tells."""
    message = _PREFIXES.sub("", text.strip().partition("\n")[0]) or "the connection is lost"
    said = _QUOTED.sub("", message)  # a database may be named "closed"
    for words, way_out in _BY_WORDS:
        if re.search(words, said):
            return Trouble(message=message, way_out=way_out)
    if _BUSY_WORDS.search(said):
        return Trouble(message=message, way_out=_LATER, passing=True)
    if _AWAY_WORDS.search(said):
        return Trouble(message=message, way_out=_AWAY, passing=True)
    return Trouble(message=message, way_out=_TLS if _TLS_WORDS.search(said) else "")


def _sentence(hint: str | None) -> str:
    return hint.strip() if hint else ""


def _line(message: str) -> str:
    """A message may quote a whole answer, lines and all."""
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_CHARS else line[: _MESSAGE_CHARS - 1] + "…"


def _begun_small(message: str) -> str:
    """Unless it begins with a word in capitals, which is SQL."""
    return message if message[:2].isupper() else message[:1].lower() + message[1:]
