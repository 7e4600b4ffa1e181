"""Which files a run reads, so that nothing is written over them."""

from pathlib import Path

import pytest

from processor.data import open_source
from processor.data.files import uri_of
from processor.ledger import sources


@pytest.mark.parametrize(
    ("pattern", "path", "holds"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "b.csv", False),
        ("*.csv", "b.csv", True),
        ("*.csv", "x/b.csv", False),
        ("x/**/*.csv", "x/b.csv", True),
        ("x/**/*.csv", "x/y/z/b.csv", True),
        ("x/**/*.csv", "b.csv", False),
        ("x/**", "x/y/b.csv", True),
        ("**/b.csv", "x/y/b.csv", True),
        ("[ab].csv", "a.csv", True),
        ("[ab].csv", "[ab].csv", True),
        ("book.xlsx#Data", "book.xlsx", True),
        ("*.xlsx#Data", "book.xlsx", True),
        ("a#b.csv", "a#b.csv", True),
        ("a#b.csv", "a", True),
    ],
)
def test_a_uri_means_files(tmp_path: Path, pattern: str, path: str, *, holds: bool) -> None:
    assert sources.means(uri_of(tmp_path / pattern), tmp_path / path) is holds


@pytest.mark.parametrize("uri", ["-", "python:items", "postgresql://h:5432/d?table=t", "generated"])
def test_what_is_no_file_means_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").touch()
    assert not sources.means(uri, tmp_path / uri.rpartition("/")[2])


def test_a_link_means_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("id\n1\n")
    (tmp_path / "link.csv").symlink_to("real.csv")
    (tmp_path / "twin.csv").hardlink_to(tmp_path / "real.csv")
    source = open_source(str(tmp_path / "link.csv"))
    for name in ("link.csv", "real.csv", "twin.csv"):
        assert sources.means(source.uri, tmp_path / name)
