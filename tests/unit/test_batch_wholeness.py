"""Files of answers that came in part, or are something else."""

import io

import pytest

from processor.batch.wholeness import is_rest, shortcoming

LINE = b'{"id":"r","custom_id":"item-1","response":{"status_code":200,"body":{}},"error":null}'
LONG = b'{"custom_id":"item-2","x":"' + b"y" * 200_000 + b'"}'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n", id="a blank line"),
        pytest.param(LINE, id="no line break at the end"),
        pytest.param(LINE + b"\n", id="one line"),
        pytest.param(LINE + b"\r\n" + LINE + b"\r\n", id="CRLF"),
        pytest.param(LINE + b"\n" + LINE + b"\n\n \n", id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbf" + LINE + b"\n", id="BOM"),
        pytest.param(b"\xef\xbb\xbf", id="nothing but a BOM"),
        pytest.param(b"\n\n" + LINE, id="blank lines before"),
        pytest.param(LONG + b"\n" + LONG, id="lines longer than a block"),
        pytest.param(LINE + b"\n" + LONG, id="a long last line"),
        pytest.param(b'{"custom_id":"a","error":{"message":"No."}}', id="an answer that failed"),
    ],
)
def test_whole(content: bytes) -> None:
    assert shortcoming(io.BytesIO(content), None) == ""
    assert shortcoming(io.BytesIO(content), len(content)) == ""


@pytest.mark.parametrize(
    ("content", "told_bytes", "expected"),
    [
        (b"", 1, "Only 0 of 1 bytes came"),
        (LINE + b"\n", 1_000_000, f"Only {len(LINE) + 1} of 1,000,000 bytes came"),
        (LINE[:-1], None, "The last line of the file is cut off"),
        (LINE + b"\n" + LINE[:40], None, "The last line of the file is cut off"),
        (LINE + b"\n" + LONG[:-1], None, "The last line of the file is cut off"),
        (b"<html><title>Log in</title></html>\n", None, "The file holds no answers: Log in"),
        (
            b'{"error":{"message":"Overloaded"}}\n',
            None,
            'The file holds no answers: {"error":{"message":"Overloaded"}}',
        ),
        (b"[1]\n", None, "The file holds no answers: [1]"),
    ],
)
def test_not_whole(content: bytes, told_bytes: int | None, expected: str) -> None:
    assert shortcoming(io.BytesIO(content), told_bytes) == expected


def test_a_file_that_is_cut_off_at_the_provider_is_not_asked_for_for_ever() -> None:
    content = LINE + b"\n" + LINE[:40]
    assert shortcoming(io.BytesIO(content), len(content)) == ""
    assert shortcoming(io.BytesIO(content), len(content) - 1) != ""


def test_more_than_told_is_whole() -> None:
    """Some servers count characters."""
    assert shortcoming(io.BytesIO(LINE + b"\n"), 5) == ""


@pytest.mark.parametrize("cut", range(1, len(LINE)))
def test_every_cut_is_seen(cut: int) -> None:
    content = LINE + b"\n" + LINE[:cut]
    assert shortcoming(io.BytesIO(content), None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-range": "bytes 10-19/20"}, True),
        ({"content-range": "Bytes 10-19/*", "content-encoding": "identity"}, True),
        ({"content-range": "bytes 0-19/20"}, False),
        ({"content-range": "bytes 100-119/120"}, False),
        ({"content-range": "bytes 10-19/20", "content-encoding": "gzip"}, False),
        ({}, False),
    ],
)
def test_the_rest_of_a_file(headers: dict[str, str], expected: bool) -> None:
    assert is_rest(headers, 10) is expected
