"""Addresses of databases: what they name, and what they never show."""

import pytest

from processor.errors import UsageError
from processor.postgres import is_address, without_password
from processor.postgres.address import Address
from processor.postgres.table_name import TableName

SECRET = "s3cr3t-p%40ss"


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGCONNECT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("uri", "name", "identity"),
    [
        ("postgresql://ann:pw@db/school", "postgresql://ann@db/school", "//db:5432/school"),
        ("postgres://db:6000/school", "postgresql://db:6000/school", "//db:6000/school"),
        ("postgresql://ann@db", "postgresql://ann@db/ann", "//db:5432/ann"),
        ("postgresql://a,b/x", "postgresql://a,b/x", "//a,b:5432/x"),
        ("postgresql:///x?host=/run/pg", "postgresql://%2Frun%2Fpg/x", "//%2Frun%2Fpg:5432/x"),
        ("postgresql:///x?hostaddr=10.0.0.1", "postgresql://10.0.0.1/x", "//10.0.0.1:5432/x"),
        ("postgresql:///x?service=prod", "postgresql://service=prod/x", "//service=prod:5432/x"),
        ("postgresql://db/x?sslmode=require&table=q", "postgresql://db/x", "//db:5432/x"),
    ],
)
def test_an_address_names_a_database(uri: str, name: str, identity: str) -> None:
    address = Address.of(uri)
    assert address.name == name
    assert address.uri == f"postgresql:{identity}"


def test_who_asks_and_how_makes_no_other_database() -> None:
    addresses = [
        "postgresql://ann:one@db/school",
        "postgresql://ann:two@db:5432/school?sslmode=require",
        "postgres://bob@db/school?application_name=cron",
    ]
    assert len({Address.of(uri).uri for uri in addresses}) == 1


def test_what_the_environment_names_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGDATABASE", "school")
    monkeypatch.setenv("PGUSER", "ann")
    assert Address.of("postgresql://").uri == "postgresql://db:5432/school"


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://ann:{SECRET}@db/school",
        f"postgresql://ann@db/school?password={SECRET}",
        f"postgresql://db/school?user=ann&sslpassword={SECRET}",
    ],
)
def test_a_password_is_used_and_never_shown(uri: str) -> None:
    address = Address.of(uri)
    assert "s3cr3t-p@ss" in address.conninfo
    assert "s3cr3t" not in f"{address!r} {address} {address.name} {address.uri}"
    assert "s3cr3t" not in without_password(uri)
    assert "db/school" in without_password(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ann:s3cr3t%zz@db/x",
        "postgresql://ann:p@s3cr3t@db/x",
        "postgresql://ann:p@s3cr3t@db,other/x",
        "postgresql://ann:s3cr3t",
        "postgresql://ann:s3cr3t@[::1/x",
        "postgresql://ann:s3cr3t@db/x?nope=1",
        "postgresql://ann:s3cr3t\0@db/x",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(uri: str) -> None:
    with pytest.raises(UsageError, match="cannot be read") as raised:
        Address.of(uri)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_defaults_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "connect_timeout=10" in Address.of("postgresql://db/x").conninfo
    assert "connect_timeout=3" in Address.of("postgresql://db/x?connect_timeout=3").conninfo
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    assert "connect_timeout" not in Address.of("postgresql://db/x").conninfo


@pytest.mark.parametrize(
    ("spec", "holds"),
    [("postgresql://", True), ("postgres://x", True), ("mysql://x", False), ("q.csv", False)],
)
def test_only_such_uris_are_addresses(spec: str, *, holds: bool) -> None:
    assert is_address(spec) is holds


@pytest.mark.parametrize(
    ("spec", "schema", "name"),
    [
        ("questions", None, "questions"),
        ("public.Questions", "public", "Questions"),
        ('"a.b"', None, "a.b"),
        ('"say ""hi"""."x y"', 'say "hi"', "x y"),
        ("학교.문제 은행", "학교", "문제 은행"),
    ],
)
def test_a_table_s_name_is_read_as_typed(spec: str, schema: str | None, name: str) -> None:
    table = TableName.of(spec)
    assert (table.schema, table.name) == (schema, name)
    assert TableName.of(str(table)) == table


@pytest.mark.parametrize("spec", ["", ".", "a.", ".a", "a.b.c", '"a', 'a"b', '""'])
def test_what_names_no_table_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="no name of a table"):
        TableName.of(spec)


def test_the_uri_may_name_the_table() -> None:
    assert Address.of("postgresql://db/x?table=a%20b&sslmode=prefer").table == TableName(name="a b")
